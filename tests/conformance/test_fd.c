/* SPDX-License-Identifier: MIT */
/* The descriptor of a slot: readable exactly while there is a message to read. */
#include "slots.h"

#define LONG_MS 20000
#define ROUNDS 20000

static int fd_of(mailslot *slot) {
    int fd = -1;
    EXPECT(0, mailslot_get_fd(slot, &fd));
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Messages come into the slot before the descriptor says so, never after. */
static void expect_readable(int fd) {
    ck_assert(descriptor_await(fd, LONG_MS));
    ck_assert(descriptor_is_readable(fd));
}

static void expect_quiet(int fd) {
    ck_assert(!descriptor_is_readable(fd));
}

START_TEST(it_is_the_same_at_each_call_and_closed_with_the_slot) {
    mailslot *slot = new_slot("polled");
    int fd = fd_of(slot);
    ck_assert_int_eq(fd_of(slot), fd);
    ck_assert(!descriptor_blocks(fd));
    ck_assert(!descriptor_is_inherited(fd));
    expect_quiet(fd);
    mailslot_close(slot);
    ck_assert(!descriptor_is_open(fd));
}
END_TEST

static void do_nothing(void *context) {
    (void)context;
}

START_TEST(who_does_not_ask_has_no_thread_and_who_does_has_one_that_takes_no_signals) {
    mailslot *slot = new_slot("polled");
    /* A sanitizer may start a thread of its own with the first one. */
    struct thread first = thread_start(do_nothing, NULL);
    thread_join(&first);
    int threads = thread_count();
    EXPECT(0, mailslot_send("polled", "x", 1, 0));
    expect_text(slot, "x");
    ck_assert_int_eq(thread_count(), threads);
    fd_of(slot);
    fd_of(slot);
    ck_assert_int_eq(thread_count(), threads + 1);
    ck_assert(thread_blocks_signals());
    mailslot_close(slot);
    ck_assert_int_eq(thread_count(), threads);
}
END_TEST

START_TEST(wrong_arguments_are_refused) {
    int fd = 42;
    EXPECT(-EBADF, mailslot_get_fd(NULL, &fd));
    mailslot *slot = new_slot("polled");
    mailslot_writer *writer = new_writer("polled");
    EXPECT(-EBADF, mailslot_get_fd((mailslot *)(void *)writer, &fd));
    EXPECT(-EINVAL, mailslot_get_fd(slot, NULL));
    ck_assert_int_eq(fd, 42);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(without_a_descriptor_to_be_had_the_slot_goes_on) {
    mailslot *slot = new_slot("polled");
    int fd = 42;
    ck_assert(limit_descriptors(0));
    EXPECT(-EMFILE, mailslot_get_fd(slot, &fd));
    limits_lift();
    ck_assert_int_eq(fd, 42);
    EXPECT(0, mailslot_send("polled", "kept", 4, 0));
    expect_text(slot, "kept");
    EXPECT(0, mailslot_send("polled", "", 0, 0));
    expect_readable(fd_of(slot));
    mailslot_close(slot);
}
END_TEST

START_TEST(case_103_it_is_readable_when_a_message_comes_and_before) {
    mailslot *slot = new_slot("polled");
    EXPECT(0, mailslot_send("polled", "before", 6, 0));
    int fd = fd_of(slot);
    expect_readable(fd);
    expect_text(slot, "before");
    expect_quiet(fd);
    EXPECT(0, mailslot_send("polled", "", 0, 0));
    expect_readable(fd);
    expect_text(slot, "");
    expect_quiet(fd);
    mailslot_close(slot);
}
END_TEST

/* Level-triggered; and no reading call beyond the last message is needed. */
START_TEST(case_104_as_long_as_it_is_readable_a_read_returns_a_message) {
    mailslot *slot = new_slot("polled");
    int fd = fd_of(slot);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 3; i++) {
            EXPECT(0, mailslot_send("polled", "one", 3, 0));
        }
        for (int i = 0; i < 3; i++) {
            expect_readable(fd);
            expect_text(slot, "one");
        }
        expect_quiet(fd);
        expect_nothing(slot);
        expect_quiet(fd);
    }
    mailslot_close(slot);
}
END_TEST

START_TEST(it_speaks_of_messages_that_peek_has_not_shown) {
    mailslot *slot = new_slot("polled");
    int fd = fd_of(slot);
    EXPECT(0, mailslot_send("polled", "A", 1, 0));
    EXPECT(0, mailslot_send("polled", "BB", 2, 0));
    expect_shown(slot, "A");
    expect_readable(fd);
    expect_shown(slot, "BB");
    expect_quiet(fd);
    EXPECT(0, mailslot_unpeek(slot));
    expect_readable(fd);
    expect_shown(slot, "A");
    expect_shown(slot, "BB");
    EXPECT(0, mailslot_consume(slot));
    expect_quiet(fd);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_message_that_does_not_fit_stays_and_so_does_readiness) {
    mailslot *slot = new_slot("polled");
    int fd = fd_of(slot);
    char buffer[2];
    size_t size;
    EXPECT(0, mailslot_send("polled", "large", 5, 0));
    expect_readable(fd);
    EXPECT(-EMSGSIZE, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    ck_assert(descriptor_is_readable(fd));
    expect_text(slot, "large");
    expect_quiet(fd);
    mailslot_close(slot);
}
END_TEST

/* In a child: a message for each number heard, until 0. */
static void send_when_told(const char *name) {
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    while (parent_hear()) {
        REQUIRE(0, mailslot_writer_send(writer, "told", 4, 0));
    }
    mailslot_writer_close(writer);
}

START_TEST(a_wait_that_other_calls_make_is_no_different) {
    mailslot *slot = new_slot("polled");
    int fd = fd_of(slot);
    struct child sender = child_start(send_when_told, "polled");
    char buffer[8];
    size_t size;
    for (int i = 0; i < 200; i++) {
        child_tell(&sender, 1);
        EXPECT(0, mailslot_wait(slot, LONG_MS));
        ck_assert(descriptor_is_readable(fd));
        expect_text(slot, "told");
        expect_quiet(fd);
        child_tell(&sender, 1);
        EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, MAILSLOT_FOREVER, &size));
        expect_quiet(fd);
        EXPECT(-ETIMEDOUT, mailslot_wait(slot, 1));
        child_tell(&sender, 1);
        expect_readable(fd);
        expect_text(slot, "told");
        expect_quiet(fd);
    }
    child_tell(&sender, 0);
    child_finish(&sender);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_cancel_is_for_the_wait_and_leaves_it_as_it_is) {
    mailslot *slot = new_slot("polled");
    int fd = fd_of(slot);
    for (int i = 0; i < 200; i++) {
        EXPECT(0, mailslot_cancel(slot));
        expect_quiet(fd);
        if (i % 2) {
            EXPECT(-ECANCELED, mailslot_wait(slot, LONG_MS));
        }
        /* At once, not when the thread looks again. */
        int64_t start_ms = clock_ms();
        EXPECT(0, mailslot_send("polled", "kept", 4, 0));
        expect_readable(fd);
        ck_assert(i > 20 || clock_ms() - start_ms < 900);
        expect_text(slot, "kept");
        expect_quiet(fd);
    }
    mailslot_close(slot);
}
END_TEST

/* Many times round the start of the ring, where both ends jump. */
START_TEST(it_is_exact_while_the_queue_goes_round) {
    static const char large[50000];
    static char buffer[sizeof large];
    mailslot *slot = new_slot("polled");
    mailslot_writer *writer = new_writer("polled");
    int fd = fd_of(slot);
    size_t size;
    for (int i = 0; i < 500; i++) {
        EXPECT(0, mailslot_writer_send(writer, large, sizeof large, 0));
        expect_readable(fd);
        EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
        expect_quiet(fd);
        if (i % 100 < 4) { /* also when its thread looks again */
            EXPECT(0, mailslot_cancel(slot));
            ck_assert(!descriptor_await(fd, 50));
        }
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

static void send_rounds(const char *name) {
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    for (int i = 0; i < ROUNDS; i++) {
        REQUIRE(0, mailslot_writer_send(writer, &i, sizeof i, LONG_MS));
        for (volatile int j = i % 997; j > 0; j--) {
        }
    }
    mailslot_writer_close(writer);
}

/* Who misses a wake is late by a second. So may be who has no processor; not often. */
START_TEST(a_reader_that_only_polls_misses_nothing_and_is_never_woken_for_nothing) {
    mailslot *slot = new_slot("polled");
    int fd = fd_of(slot);
    struct child sender = child_start(send_rounds, "polled");
    int late = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int value = -1;
        size_t size;
        late += !descriptor_await(fd, 900);
        ck_assert(descriptor_await(fd, LONG_MS));
        EXPECT(0, mailslot_read(slot, &value, sizeof value, 0, &size));
        ck_assert_int_eq(value, i);
    }
    ck_assert_int_le(late, 2);
    expect_quiet(fd);
    child_finish(&sender);
    mailslot_close(slot);
}
END_TEST

START_TEST(each_of_several_slots_has_its_own) {
    const char *names[] = {"first", "second", "third"};
    mailslot *slots[3];
    int fds[3];
    for (int i = 0; i < 3; i++) {
        slots[i] = new_slot(names[i]);
        fds[i] = fd_of(slots[i]);
    }
    for (int i = 0; i < 3; i++) {
        EXPECT(0, mailslot_send(names[i], "x", 1, 0));
        expect_readable(fds[i]);
        expect_quiet(fds[(i + 1) % 3]);
        expect_quiet(fds[(i + 2) % 3]);
        expect_text(slots[i], "x");
    }
    for (int i = 0; i < 3; i++) {
        mailslot_close(slots[i]);
    }
}
END_TEST

START_TEST(a_close_does_not_wait_for_the_thread_to_look_again) {
    int64_t start_ms = clock_ms();
    for (int i = 0; i < 200; i++) {
        mailslot *slot = new_slot("polled");
        fd_of(slot);
        if (i % 2) {
            EXPECT(0, mailslot_send("polled", "x", 1, 0));
        }
        mailslot_close(slot);
    }
    ck_assert_int_lt(clock_ms() - start_ms, LONG_MS);
}
END_TEST

struct copied {
    mailslot *slot;
    int fd;
};

static int use_copy(void *context) {
    struct copied *copied = context;
    int fd = 42;
    int failures = mailslot_get_fd(copied->slot, &fd) != -EBADF;
    failures += fd != 42;
    failures += mailslot_close(copied->slot) != NULL;
    failures += !descriptor_is_open(copied->fd);
    return failures;
}

START_TEST(case_094_a_forked_copy_can_do_nothing_with_it) {
    struct copied copied = {.slot = new_slot("polled")};
    copied.fd = fd_of(copied.slot);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(fork_and_call(use_copy, &copied), 0);
        expect_quiet(copied.fd);
        EXPECT(0, mailslot_send("polled", "x", 1, 0));
        ck_assert_int_eq(fork_and_call(use_copy, &copied), 0);
        expect_readable(copied.fd);
        expect_text(copied.slot, "x");
        expect_quiet(copied.fd);
    }
    mailslot_close(copied.slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("fd");
    tcase_add_test(cases, it_is_the_same_at_each_call_and_closed_with_the_slot);
    tcase_add_test(
        cases,
        who_does_not_ask_has_no_thread_and_who_does_has_one_that_takes_no_signals);
    tcase_add_test(cases, wrong_arguments_are_refused);
    tcase_add_test(cases, without_a_descriptor_to_be_had_the_slot_goes_on);
    tcase_add_test(cases, case_103_it_is_readable_when_a_message_comes_and_before);
    tcase_add_test(cases, case_104_as_long_as_it_is_readable_a_read_returns_a_message);
    tcase_add_test(cases, it_speaks_of_messages_that_peek_has_not_shown);
    tcase_add_test(cases, a_message_that_does_not_fit_stays_and_so_does_readiness);
    tcase_add_test(cases, a_wait_that_other_calls_make_is_no_different);
    tcase_add_test(cases, a_cancel_is_for_the_wait_and_leaves_it_as_it_is);
    tcase_add_test(cases, it_is_exact_while_the_queue_goes_round);
    tcase_add_test(
        cases, a_reader_that_only_polls_misses_nothing_and_is_never_woken_for_nothing);
    tcase_add_test(cases, each_of_several_slots_has_its_own);
    tcase_add_test(cases, a_close_does_not_wait_for_the_thread_to_look_again);
    tcase_add_test(cases, case_094_a_forked_copy_can_do_nothing_with_it);
    return suite_run();
}
