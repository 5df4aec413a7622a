/* SPDX-License-Identifier: MIT */
/* Writers that are killed or stopped while they send, and waiting ones whose owner is.
 */
#include "slots.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define KILLS 60
#define LARGE ((size_t)16 << 20)
#define TRIES 200

/* What a sender of numbered messages sends: its number, count times. */
#define NUMBERS 200

/* Sends messages of 8 to 8 * NUMBERS bytes, each its number over and over, for ever. */
static void send_numbers(const char *name) {
    static int64_t message[NUMBERS];
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    for (int64_t number = 0;; number++) {
        size_t count = 1 + (size_t)(number * 37 % NUMBERS);
        for (size_t i = 0; i < count; i++) {
            message[i] = number;
        }
        REQUIRE(0, mailslot_writer_send(writer, message, count * sizeof *message,
                                        MAILSLOT_FOREVER));
        if (number == 0) {
            parent_tell(0);
        }
    }
}

/* The message of that number, whole. */
static void expect_number(const mailslot_message *message, int64_t number) {
    const int64_t *numbers = message->data;
    size_t count = 1 + (size_t)(number * 37 % NUMBERS);
    bool is_whole = message->size == count * sizeof *numbers;
    for (size_t i = 0; is_whole && i < count; i++) {
        is_whole = numbers[i] == number;
    }
    ck_assert_msg(is_whole, "message %lld is not whole", (long long)number);
}

/* Read what is there, most messages at most; it goes on from *number. */
static void take_numbers(mailslot *slot, int64_t *number, uint64_t most) {
    mailslot_message message;
    for (uint64_t i = 0; i < most && mailslot_peek(slot, 0, &message) == 0; i++) {
        expect_number(&message, (*number)++);
        EXPECT(0, mailslot_consume(slot));
    }
}

/* Read what is there now. */
static void take_all(mailslot *slot) {
    mailslot_message message;
    for (uint64_t count = info_of(slot).count; count; count--) {
        EXPECT(0, mailslot_peek(slot, 0, &message));
        EXPECT(0, mailslot_consume(slot));
    }
}

START_TEST(case_087_a_killed_sender_leaves_whole_messages_and_no_lock) {
    static const uint64_t sizes[] = {4096, 65536, 1 << 20, 0};
    for (int i = 0; i < KILLS; i++) {
        mailslot *slot = new_slot_with("wounded", 0, 0, sizes[i % 4]);
        struct child sender = child_start(send_numbers, "wounded");
        ck_assert_int_eq(child_hear(&sender), 0);
        int64_t number = 0;
        for (int64_t end_ms = clock_ms() + 1 + i % 7; clock_ms() < end_ms;) {
            take_numbers(slot, &number, 10);
        }
        child_kill(&sender);
        mailslot_info info = info_of(slot);
        ck_assert_uint_eq(info.received, (uint64_t)number + info.count);
        take_numbers(slot, &number, UINT64_MAX);
        ck_assert_uint_eq(info.received, (uint64_t)number);
        expect_count(slot, 0);
        EXPECT(0, mailslot_send("wounded", "next", 4, 0));
        expect_text(slot, "next");
        mailslot_close(slot);
    }
}
END_TEST

START_TEST(case_087_the_other_senders_go_on_when_one_is_killed) {
    mailslot *slot = new_slot_with("wounded", 0, 0, 65536);
    for (int i = 0; i < KILLS / 2; i++) {
        struct child victim = child_start(send_numbers, "wounded");
        struct child other = child_start(send_numbers, "wounded");
        mailslot_message message;
        int64_t numbers[2] = {0, 0};
        bool is_killed = false;
        for (int64_t last = -1; last < 0 || numbers[1] < last;) {
            EXPECT(0, mailslot_peek(slot, DEADLINE_MS, &message));
            bool is_other = message.pid == (uint32_t)other.id;
            expect_number(&message, numbers[is_other]++);
            EXPECT(0, mailslot_consume(slot));
            if (!is_killed && numbers[0] > 20 + i && numbers[1] > 20) {
                ck_assert_int_eq(child_hear(&victim), 0);
                ck_assert_int_eq(child_hear(&other), 0);
                child_kill(&victim);
                is_killed = true;
                last = numbers[1] + 1000;
            }
        }
        child_kill(&other);
        take_all(slot);
    }
    mailslot_close(slot);
}
END_TEST

/* Most of its time is spent in its turn, copying. */
static void send_large(const char *name) {
    static unsigned char message[LARGE];
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    parent_tell(0);
    for (int r = 0; r != -EPIPE;) {
        r = mailslot_writer_send(writer, message, LARGE, 100);
        REQUIRE(true, r == 0 || r == -ETIMEDOUT || r == -EPIPE);
    }
    mailslot_writer_close(writer);
}

/* Stop the sender in its turn: another send then fails within one to three seconds. */
static void stop_in_turn(struct child *sender, mailslot *slot,
                         mailslot_writer *writer) {
    for (int i = 0; i < TRIES; i++) {
        take_all(slot);
        child_stop(sender);
        take_all(slot);
        int64_t start_ms = clock_ms();
        int r = mailslot_writer_send(writer, "x", 1, 0);
        if (r == -ETIMEDOUT) {
            expect_between(clock_ms() - start_ms, 900, 5000);
            return;
        }
        EXPECT(0, r);
        child_continue(sender);
        pause_ms(i % 5);
    }
    ck_abort_msg("no stop in %d met the sender in its turn", TRIES);
}

START_TEST(a_writer_stopped_in_its_turn_does_not_hang_the_others) {
    mailslot *slot = new_slot_with("stuck", 0, 0, 4 * LARGE);
    mailslot_writer *writer = new_writer("stuck");
    struct child sender = child_start(send_large, "stuck");
    ck_assert_int_eq(child_hear(&sender), 0);
    stop_in_turn(&sender, slot, writer);
    int64_t start_ms = clock_ms();
    EXPECT(-ETIMEDOUT, mailslot_writer_send(writer, "x", 1, 2000));
    expect_between(clock_ms() - start_ms, 2000, 7000);
    expect_nothing(slot);
    child_continue(&sender);
    EXPECT(0, mailslot_writer_send(writer, "goes on", 7, DEADLINE_MS));
    child_stop(&sender);
    start_ms = clock_ms();
    mailslot_close(slot);
    ck_assert_int_lt(clock_ms() - start_ms, 5000);
    mailslot_close(new_slot("stuck"));
    child_continue(&sender);
    child_finish(&sender);
    mailslot_writer_close(writer);
}
END_TEST

START_TEST(close_and_create_wait_at_most_a_second_for_a_stopped_writer) {
    mailslot *slot = new_slot_with("stuck", 0, 0, 4 * LARGE);
    mailslot_writer *writer = new_writer("stuck");
    struct child sender = child_start(send_large, "stuck");
    ck_assert_int_eq(child_hear(&sender), 0);
    stop_in_turn(&sender, slot, writer);
    int64_t start_ms = clock_ms();
    mailslot_close(slot);
    ck_assert_int_lt(clock_ms() - start_ms, 4000);
    slot = new_slot("stuck");
    EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
    child_continue(&sender);
    child_finish(&sender);
    expect_nothing(slot);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

/* Own a slot that is full. */
static void own_full(const char *name) {
    static const char message[1000];
    mailslot *slot = NULL;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = 4096;
    REQUIRE(0, mailslot_create(name, &options, &slot));
    while (mailslot_send(name, message, sizeof message, 0) == 0) {
    }
    parent_tell(0);
    REQUIRE(0, parent_hear());
    mailslot_close(slot);
    parent_tell(0);
    REQUIRE(0, parent_hear());
}

/* Wait for space in a slot that is full; tell what came of it. */
static void wait_for_space(const char *name) {
    static const char message[1000];
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    parent_tell(0);
    parent_tell(
        mailslot_writer_send(writer, message, sizeof message, MAILSLOT_FOREVER));
    REQUIRE(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
    mailslot_writer_close(writer);
}

/* The same by name. */
static void wait_for_space_by_name(const char *name) {
    static const char message[1000];
    parent_tell(0);
    parent_tell(mailslot_send(name, message, sizeof message, MAILSLOT_FOREVER));
}

static struct child start_waiting(child_main *run, const char *name) {
    struct child writer = child_start(run, name);
    ck_assert_int_eq(child_hear(&writer), 0);
    child_await_sleep(&writer);
    return writer;
}

START_TEST(a_writer_that_waits_for_space_learns_soon_that_the_owner_was_killed) {
    struct child owner = child_start(own_full, "full");
    ck_assert_int_eq(child_hear(&owner), 0);
    struct child writers[3];
    for (size_t i = 0; i < COUNT(writers); i++) {
        writers[i] = start_waiting(wait_for_space, "full");
    }
    struct child by_name = start_waiting(wait_for_space_by_name, "full");
    int64_t start_ms = clock_ms();
    child_kill(&owner);
    for (size_t i = 0; i < COUNT(writers); i++) {
        ck_assert_int_eq(child_hear(&writers[i]), -EPIPE);
        child_finish(&writers[i]);
    }
    ck_assert_int_eq(child_hear(&by_name), -ENOENT);
    child_finish(&by_name);
    ck_assert_int_lt(clock_ms() - start_ms, 2000);
    EXPECT(-ENOENT, mailslot_send("full", "x", 1, 0));
}
END_TEST

START_TEST(a_writer_that_waits_for_space_learns_that_the_slot_was_closed) {
    struct child owner = child_start(own_full, "full");
    ck_assert_int_eq(child_hear(&owner), 0);
    struct child writer = start_waiting(wait_for_space, "full");
    int64_t start_ms = clock_ms();
    child_tell(&owner, 0);
    ck_assert_int_eq(child_hear(&writer), -EPIPE);
    ck_assert_int_lt(clock_ms() - start_ms, 2000);
    ck_assert_int_eq(child_hear(&owner), 0);
    child_tell(&owner, 0);
    child_finish(&writer);
    child_finish(&owner);
}
END_TEST

START_TEST(a_killed_writer_that_waited_for_space_leaves_room_for_the_others) {
    mailslot *slot = new_slot_with("full", 0, 0, 4096);
    static char message[1000];
    while (mailslot_send("full", message, sizeof message, 0) == 0) {
    }
    uint64_t count = info_of(slot).count;
    struct child writer = start_waiting(wait_for_space, "full");
    child_kill(&writer);
    expect_count(slot, count);
    for (uint64_t i = 0; i < count; i++) {
        size_t size;
        EXPECT(0, mailslot_read(slot, message, sizeof message, 0, &size));
    }
    EXPECT(0, mailslot_send("full", "room", 4, 0));
    expect_text(slot, "room");
    mailslot_close(slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("kill");
    tcase_add_test(cases, case_087_a_killed_sender_leaves_whole_messages_and_no_lock);
    tcase_add_test(cases, case_087_the_other_senders_go_on_when_one_is_killed);
    tcase_add_test(cases, a_writer_stopped_in_its_turn_does_not_hang_the_others);
    tcase_add_test(cases, close_and_create_wait_at_most_a_second_for_a_stopped_writer);
    tcase_add_test(cases,
                   a_writer_that_waits_for_space_learns_soon_that_the_owner_was_killed);
    tcase_add_test(cases,
                   a_writer_that_waits_for_space_learns_that_the_slot_was_closed);
    tcase_add_test(cases,
                   a_killed_writer_that_waited_for_space_leaves_room_for_the_others);
    return suite_run();
}
