/* SPDX-License-Identifier: MIT */
/* Slots that are full, and memory that has run out. */
#include "slots.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define MESSAGE_SIZE 1008
#define SMALL_BYTES 4096
#define RECORD_BYTES 24
#define LONG_MS 20000
#define ROUNDS 400

/* What a slot keeps at most while messages keep coming; the registry has files, too. */
#define KEPT_BYTES (3200 << 10)

static char message[SMALL_BYTES];

/* A full slot. Returns how many messages are in it. */
static uint64_t fill(const char *name) {
    uint64_t count = 0;
    int r = mailslot_send(name, message, MESSAGE_SIZE, 0);
    while (r == 0) {
        count++;
        r = mailslot_send(name, message, MESSAGE_SIZE, 0);
    }
    EXPECT(-EAGAIN, r);
    ck_assert_uint_ge(count, 1);
    return count;
}

static void take_one(mailslot *slot) {
    static char buffer[MESSAGE_SIZE];
    size_t size;
    EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, LONG_MS, &size));
}

START_TEST(case_036_a_full_slot_refuses_at_once) {
    mailslot *slot = new_slot_with("full", 0, 0, SMALL_BYTES);
    uint64_t count = fill("full");
    ck_assert_uint_eq(count, SMALL_BYTES / (MESSAGE_SIZE + RECORD_BYTES));
    mailslot_writer *writer = new_writer("full");
    int64_t start_ms = clock_ms();
    EXPECT(-EAGAIN, mailslot_writer_send(writer, message, MESSAGE_SIZE, 0));
    EXPECT(-EAGAIN, mailslot_send("full", message, MESSAGE_SIZE, 0));
    ck_assert_int_lt(clock_ms() - start_ms, 2000);
    expect_count(slot, count);
    EXPECT(-EMSGSIZE, mailslot_writer_send(writer, message, SMALL_BYTES, 0));
    take_one(slot);
    EXPECT(0, mailslot_writer_send(writer, message, MESSAGE_SIZE, 0));
    expect_count(slot, count);
    for (uint64_t i = 0; i < count; i++) {
        take_one(slot);
    }
    expect_nothing(slot);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_036_a_slot_of_messages_of_no_bytes_fills_too) {
    mailslot *slot = new_slot_with("full", 0, 0, SMALL_BYTES);
    uint64_t count = 0;
    while (mailslot_send("full", NULL, 0, 0) == 0) {
        count++;
    }
    ck_assert_uint_eq(count, SMALL_BYTES / RECORD_BYTES);
    ck_assert_uint_eq(info_of(slot).bytes, 0);
    expect_count(slot, count);
    EXPECT(-EAGAIN, mailslot_send("full", NULL, 0, 0));
    mailslot_close(slot);
}
END_TEST

/* Two messages fill the slot; the first is read, and a shorter one in its place leaves
 * so many bytes. Then a message of no bytes, which takes 24, fits or does not. */
static void expect_left(size_t left, int result) {
    static char bytes[SMALL_BYTES / 2 - 32];
    static char buffer[sizeof bytes];
    size_t size = 0;
    mailslot *slot = new_slot_with("exact", 0, 0, SMALL_BYTES);
    memset(bytes, 'b', sizeof bytes);
    EXPECT(0, mailslot_send("exact", bytes, sizeof bytes, 0));
    EXPECT(0, mailslot_send("exact", bytes, sizeof bytes, 0));
    EXPECT(-EAGAIN, mailslot_send("exact", NULL, 0, 0));
    EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    EXPECT(0, mailslot_send("exact", message, sizeof bytes - left, 0));
    EXPECT(result, mailslot_send("exact", NULL, 0, 0));
    EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    ck_assert_mem_eq(buffer, bytes, sizeof bytes);
    mailslot_close(slot);
}

START_TEST(case_036_a_message_is_accepted_exactly_when_it_fits) {
    for (size_t left = 0; left < RECORD_BYTES; left += 8) {
        expect_left(left, -EAGAIN);
    }
    expect_left(RECORD_BYTES, 0);
}
END_TEST

START_TEST(a_full_slot_is_waited_for_no_longer_than_told) {
    mailslot *slot = new_slot_with("full", 0, 0, SMALL_BYTES);
    uint64_t count = fill("full");
    mailslot_writer *writer = new_writer("full");
    mailslot_buffer messages[] = {{message, 1}, {message, MESSAGE_SIZE}};
    size_t sent = UNTOUCHED_SIZE;
    int64_t start_ms = clock_ms();
    EXPECT(-ETIMEDOUT, mailslot_writer_send(writer, message, MESSAGE_SIZE, 150));
    expect_between(clock_ms() - start_ms, 150, 5000);
    start_ms = clock_ms();
    EXPECT(-ETIMEDOUT, mailslot_send("full", message, MESSAGE_SIZE, 1200));
    expect_between(clock_ms() - start_ms, 1200, 6000);
    start_ms = clock_ms();
    EXPECT(-ETIMEDOUT, mailslot_writer_send_all(writer, messages, 2, 150, &sent));
    expect_between(clock_ms() - start_ms, 150, 5000);
    ck_assert_uint_eq(sent, 1);
    expect_count(slot, count + 1);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

/* Sends ROUNDS numbers in messages of 1008 bytes, waiting for space as long as it
 * takes: one by one, or all in one call. */
static void send_one_by_one(const char *name) {
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(message, &i, sizeof i);
        REQUIRE(0,
                mailslot_writer_send(writer, message, MESSAGE_SIZE, MAILSLOT_FOREVER));
    }
    mailslot_writer_close(writer);
}

static void send_all_at_once(const char *name) {
    static char bytes[ROUNDS][MESSAGE_SIZE];
    mailslot_buffer messages[ROUNDS];
    mailslot_writer *writer = NULL;
    size_t sent = 0;
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(bytes[i], &i, sizeof i);
        messages[i] = (mailslot_buffer){.data = bytes[i], .size = MESSAGE_SIZE};
    }
    REQUIRE(0, mailslot_open(name, &writer));
    REQUIRE(0, mailslot_writer_send_all(writer, messages, ROUNDS, LONG_MS, &sent));
    REQUIRE(ROUNDS, (int64_t)sent);
    mailslot_writer_close(writer);
}

/* Each message is read as soon as it is there, and only after the slot was full. */
static void expect_flow(child_main *run) {
    mailslot *slot = new_slot_with("flow", 0, 0, SMALL_BYTES);
    struct child sender = child_start(run, "flow");
    child_await_sleep(&sender);
    expect_count(slot, SMALL_BYTES / (MESSAGE_SIZE + RECORD_BYTES));
    int64_t start_ms = clock_ms();
    for (int i = 0; i < ROUNDS; i++) {
        char buffer[MESSAGE_SIZE];
        size_t size;
        int number = -1;
        EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, LONG_MS, &size));
        memcpy(&number, buffer, sizeof number);
        ck_assert_int_eq(number, i);
    }
    ck_assert_int_lt(clock_ms() - start_ms, 10000);
    child_finish(&sender);
    expect_nothing(slot);
    mailslot_close(slot);
}

START_TEST(a_waiting_sender_is_woken_when_space_comes) {
    expect_flow(send_one_by_one);
}
END_TEST

START_TEST(a_waiting_batch_goes_on_when_space_comes) {
    expect_flow(send_all_at_once);
}
END_TEST

START_TEST(several_waiting_senders_all_get_space) {
    mailslot *slot = new_slot_with("flow", 0, 0, SMALL_BYTES);
    struct child senders[4];
    for (size_t i = 0; i < COUNT(senders); i++) {
        senders[i] = child_start(i % 2 ? send_one_by_one : send_all_at_once, "flow");
    }
    for (size_t i = 0; i < COUNT(senders) * ROUNDS; i++) {
        take_one(slot);
    }
    for (size_t i = 0; i < COUNT(senders); i++) {
        child_finish(&senders[i]);
    }
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

static void signal_asleep(void *context) {
    const struct sleeper *sleeper = context;
    if (sleeper_await(sleeper)) {
        sleeper_signal(sleeper);
    }
}

/* A send that waits for space, interrupted. */
static void expect_interrupted(mailslot_writer *writer, bool has_restart,
                               int64_t timeout_ms) {
    struct sleeper sleeper = sleeper_here();
    mailslot_buffer messages[] = {{message, 1}, {message, MESSAGE_SIZE}};
    size_t sent = UNTOUCHED_SIZE;
    signal_handle(has_restart, NULL);
    struct thread thread = thread_start(signal_asleep, &sleeper);
    EXPECT(-EINTR, mailslot_writer_send(writer, message, MESSAGE_SIZE, timeout_ms));
    thread_join(&thread);
    thread = thread_start(signal_asleep, &sleeper);
    EXPECT(-EINTR, mailslot_writer_send_all(writer, messages, 2, timeout_ms, &sent));
    thread_join(&thread);
    ck_assert_uint_eq(sent, 1);
    ck_assert_int_eq(signal_count(), 2);
}

START_TEST(case_060_a_signal_handler_ends_the_wait_for_space_and_queues_nothing) {
    for (int i = 0; i < 4; i++) {
        mailslot *slot = new_slot_with("full", 0, 0, SMALL_BYTES);
        uint64_t count = fill("full");
        mailslot_writer *writer = new_writer("full");
        expect_interrupted(writer, i % 2, i / 2 ? MAILSLOT_FOREVER : LONG_MS);
        expect_count(slot, count + 1);
        ck_assert_uint_eq(info_of(slot).received, count + 1);
        take_one(slot);
        EXPECT(0, mailslot_writer_send(writer, message, 900, 0));
        mailslot_writer_close(writer);
        mailslot_close(slot);
    }
}
END_TEST

/* Read `count` numbers from `first` on. */
static void expect_numbers(mailslot *slot, uint64_t first, uint64_t count) {
    static char buffer[100000];
    for (uint64_t i = 0; i < count; i++) {
        size_t size;
        uint64_t number;
        EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
        memcpy(&number, buffer, sizeof number);
        ck_assert_uint_eq(number, first + i);
    }
}

/* Send numbers from `first` on until something fails. Returns how many were sent. */
static uint64_t send_numbers(mailslot_writer *writer, uint64_t first, size_t size,
                             int *ret_error) {
    static char bytes[100000];
    for (uint64_t number = first;; number++) {
        memcpy(bytes, &number, sizeof number);
        *ret_error = mailslot_writer_send(writer, bytes, size, 0);
        if (*ret_error < 0) {
            return number - first;
        }
    }
}

START_TEST(case_037_a_full_file_system_refuses_and_loses_nothing) {
    static const size_t sizes[] = {8, 5000, 100000};
    if (!registry_shrink((size_t)2 << 20)) {
        skip("a small file system cannot be mounted");
        return;
    }
    mailslot *slot = new_slot_with("space", 0, 0, (size_t)16 << 20);
    mailslot_writer *writer = new_writer("space");
    for (size_t i = 0; i < 3 * COUNT(sizes); i++) {
        int error = 0;
        size_t size = sizes[i % COUNT(sizes)];
        uint64_t sent = send_numbers(writer, 1000, size, &error);
        EXPECT(-ENOSPC, error);
        ck_assert_uint_ge(sent * (size + RECORD_BYTES), (size_t)1 << 20);
        ck_assert_uint_eq(send_numbers(writer, 0, size, &error), 0);
        EXPECT(-ENOSPC, error);
        expect_count(slot, sent);
        expect_numbers(slot, 1000, sent);
        expect_nothing(slot);
    }
    mailslot *second = NULL;
    int error = 0;
    send_numbers(writer, 0, 8, &error);
    int r = mailslot_create("second", NULL, &second);
    ck_assert(r == 0 || r == -ENOSPC);
    mailslot_close(second);
    ck_assert_int_eq(registry_files(), 1);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_037_create_on_a_full_file_system_fails_and_leaves_nothing) {
    if (!registry_shrink((size_t)64 << 10)) {
        skip("a small file system cannot be mounted");
        return;
    }
    mailslot *slots[64];
    char name[2] = "0";
    size_t count = 0;
    int r = 0;
    while (r == 0 && count < COUNT(slots)) {
        name[0] = (char)('0' + count);
        r = mailslot_create(name, NULL, &slots[count]);
        count += r == 0;
    }
    EXPECT(-ENOSPC, r);
    ck_assert_int_eq(registry_files(), (int)count);
    for (size_t i = 0; i < count; i++) {
        mailslot_close(slots[i]);
    }
}
END_TEST

START_TEST(memory_is_used_only_for_what_is_queued) {
    static const int counts[] = {9, 200, 35};
    static char bytes[100000];
    mailslot *slot = new_slot("sparse");
    mailslot_writer *writer = new_writer("sparse");
    ck_assert_int_lt(registry_memory(), 512 << 10);
    for (size_t round = 0; round < 2 * COUNT(counts); round++) {
        int count = counts[round % COUNT(counts)];
        for (int i = 0; i < count; i++) {
            EXPECT(0, mailslot_writer_send(writer, bytes, sizeof bytes, 0));
        }
        ck_assert_int_ge(registry_memory(), count * (int)sizeof bytes);
        for (int i = 0; i < count; i++) {
            size_t size;
            EXPECT(0, mailslot_read(slot, bytes, sizeof bytes, 0, &size));
        }
        EXPECT(-EAGAIN, mailslot_wait(slot, 0));
        ck_assert_int_lt(registry_memory(), KEPT_BYTES);
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_queue_that_never_empties_uses_memory_for_what_is_queued) {
    static char bytes[10000];
    mailslot *slot = new_slot("steady");
    mailslot_writer *writer = new_writer("steady");
    for (int i = 0; i < 30000; i++) {
        size_t size;
        EXPECT(0, mailslot_writer_send(writer, bytes, sizeof bytes, 0));
        if (i >= 10) {
            EXPECT(0, mailslot_read(slot, bytes, sizeof bytes, 0, &size));
        }
        if (i % 1000 == 0) {
            ck_assert_int_lt(registry_memory(), 8 << 20);
        }
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("full");
    tcase_add_test(cases, case_036_a_full_slot_refuses_at_once);
    tcase_add_test(cases, case_036_a_slot_of_messages_of_no_bytes_fills_too);
    tcase_add_test(cases, case_036_a_message_is_accepted_exactly_when_it_fits);
    tcase_add_test(cases, a_full_slot_is_waited_for_no_longer_than_told);
    tcase_add_test(cases, a_waiting_sender_is_woken_when_space_comes);
    tcase_add_test(cases, a_waiting_batch_goes_on_when_space_comes);
    tcase_add_test(cases, several_waiting_senders_all_get_space);
    tcase_add_test(
        cases, case_060_a_signal_handler_ends_the_wait_for_space_and_queues_nothing);
    tcase_add_test(cases, case_037_a_full_file_system_refuses_and_loses_nothing);
    tcase_add_test(cases,
                   case_037_create_on_a_full_file_system_fails_and_leaves_nothing);
    tcase_add_test(cases, memory_is_used_only_for_what_is_queued);
    tcase_add_test(cases, a_queue_that_never_empties_uses_memory_for_what_is_queued);
    return suite_run();
}
