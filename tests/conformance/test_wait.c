/* SPDX-License-Identifier: MIT */
/* Waiting for messages: how long, and what ends it: a message, a signal, a cancel. */
#include "slots.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define LONG_MS 20000
#define ROUNDS 10000

/* The three calls that wait for a message. */
typedef int wait_call(mailslot *slot, int64_t timeout_ms);

static int wait_by_read(mailslot *slot, int64_t timeout_ms) {
    char buffer[64];
    size_t size = UNTOUCHED_SIZE;
    int r = mailslot_read(slot, buffer, sizeof buffer, timeout_ms, &size);
    ck_assert(r == 0 || size == UNTOUCHED_SIZE);
    return r;
}

static int wait_by_peek(mailslot *slot, int64_t timeout_ms) {
    mailslot_message message = {.sequence = 42};
    int r = mailslot_peek(slot, timeout_ms, &message);
    ck_assert(r == 0 || message.sequence == 42);
    return r;
}

static wait_call *const waits[] = {wait_by_read, wait_by_peek, mailslot_wait};

/* Remove the message that the wait ended with, if it did not do so itself. */
static void take(wait_call *wait, mailslot *slot) {
    if (wait != wait_by_read) {
        EXPECT(0, mailslot_unpeek(slot));
        EXPECT(0, wait_by_read(slot, 0));
    }
    expect_nothing(slot);
}

/* What a second thread does as soon as the first one sleeps. */
struct helper {
    struct sleeper waiter;
    void (*act)(struct helper *helper);
    mailslot *slot;
    const char *name;
    bool saw_sleep;
    int result;
};

static void help(void *context) {
    struct helper *helper = context;
    helper->saw_sleep = sleeper_await(&helper->waiter);
    helper->act(helper);
}

static void act_cancel(struct helper *helper) {
    helper->result = mailslot_cancel(helper->slot);
}

static void act_send(struct helper *helper) {
    helper->result = mailslot_send(helper->name, "sent", 4, 0);
}

static void act_signal(struct helper *helper) {
    sleeper_signal(&helper->waiter);
}

static void act_signal_then_send(struct helper *helper) {
    for (int i = 0; i < 3; i++) {
        sleeper_signal(&helper->waiter);
        helper->saw_sleep = helper->saw_sleep && sleeper_await(&helper->waiter);
    }
    act_send(helper);
}

/* Wait, with a helper that acts meanwhile. Returns what the wait returned. */
static int wait_helped(wait_call *wait, mailslot *slot, int64_t timeout_ms,
                       void (*act)(struct helper *)) {
    struct helper helper = {
        .waiter = sleeper_here(), .act = act, .slot = slot, .name = "waited"};
    struct thread thread = thread_start(help, &helper);
    int64_t start_ms = clock_ms();
    int r = wait(slot, timeout_ms);
    int64_t time_ms = clock_ms() - start_ms;
    thread_join(&thread);
    ck_assert(helper.saw_sleep);
    EXPECT(0, helper.result);
    ck_assert_int_lt(time_ms, LONG_MS / 2);
    return r;
}

START_TEST(case_048_nothing_comes_within_the_timeout) {
    mailslot *slot = new_slot_with("waited", 0, 120, 0);
    for (size_t i = 0; i < COUNT(waits); i++) {
        int64_t start_ms = clock_ms();
        EXPECT(-ETIMEDOUT, waits[i](slot, 60));
        expect_between(clock_ms() - start_ms, 60, 5000);
        start_ms = clock_ms();
        EXPECT(-ETIMEDOUT, waits[i](slot, MAILSLOT_DEFAULT));
        expect_between(clock_ms() - start_ms, 120, 5000);
    }
    mailslot_close(slot);
}
END_TEST

START_TEST(a_timeout_above_a_second_is_kept_too) {
    mailslot *slot = new_slot("waited");
    int64_t start_ms = clock_ms();
    EXPECT(-ETIMEDOUT, mailslot_wait(slot, 2300));
    expect_between(clock_ms() - start_ms, 2300, 7000);
    mailslot_close(slot);
}
END_TEST

/* Told to, it sends 300 ms later. */
static void send_later(const char *name) {
    while (parent_hear()) {
        pause_ms(300);
        REQUIRE(0, mailslot_send(name, "later", 5, 0));
    }
}

/* The message of 300 ms later ends the wait then. */
static void expect_after_300_ms(struct child *sender, mailslot *slot,
                                int64_t timeout_ms) {
    for (size_t i = 0; i < COUNT(waits); i++) {
        int64_t start_ms = clock_ms();
        child_tell(sender, true);
        EXPECT(0, waits[i](slot, timeout_ms));
        expect_between(clock_ms() - start_ms, 299, 5000);
        take(waits[i], slot);
    }
}

START_TEST(case_049_a_wait_for_ever_ends_when_a_message_comes) {
    mailslot *slot = new_slot_with("waited", 0, MAILSLOT_FOREVER, 0);
    struct child sender = child_start(send_later, "waited");
    expect_after_300_ms(&sender, slot, MAILSLOT_FOREVER);
    expect_after_300_ms(&sender, slot, MAILSLOT_DEFAULT);
    child_tell(&sender, false);
    child_finish(&sender);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_050_a_wait_ends_when_a_message_comes_before_its_time) {
    mailslot *slot = new_slot("waited");
    struct child sender = child_start(send_later, "waited");
    expect_after_300_ms(&sender, slot, LONG_MS);
    expect_after_300_ms(&sender, slot, (int64_t)MAILSLOT_FOREVER - 1);
    child_tell(&sender, false);
    child_finish(&sender);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_059_105_a_cancel_ends_the_wait_and_keeps_later_messages) {
    mailslot *slot = new_slot("waited");
    for (size_t i = 0; i < COUNT(waits); i++) {
        EXPECT(-ECANCELED, wait_helped(waits[i], slot, LONG_MS, act_cancel));
        EXPECT(-ECANCELED, wait_helped(waits[i], slot, MAILSLOT_FOREVER, act_cancel));
        EXPECT(-ETIMEDOUT, waits[i](slot, 1));
    }
    EXPECT(0, mailslot_send("waited", "kept", 4, 0));
    expect_text(slot, "kept");
    mailslot_close(slot);
}
END_TEST

START_TEST(a_cancel_wakes_the_wait_at_once) {
    mailslot *slot = new_slot("waited");
    int64_t start_ms = clock_ms();
    for (size_t i = 0; i < 20; i++) {
        EXPECT(-ECANCELED,
               wait_helped(waits[i % 3], slot, MAILSLOT_FOREVER, act_cancel));
    }
    ck_assert_int_lt(clock_ms() - start_ms, 10000);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_cancel_with_nobody_waiting_is_for_the_next_wait) {
    mailslot *slot = new_slot("waited");
    for (size_t i = 0; i < COUNT(waits); i++) {
        EXPECT(0, mailslot_send("waited", "there", 5, 0));
        EXPECT(0, mailslot_cancel(slot));
        EXPECT(0, mailslot_wait(slot, MAILSLOT_FOREVER));
        expect_text(slot, "there");
        expect_nothing(slot);
        EXPECT(-ECANCELED, waits[i](slot, MAILSLOT_FOREVER));
        EXPECT(-ETIMEDOUT, waits[i](slot, 1));
    }
    mailslot_close(slot);
}
END_TEST

static mailslot *slot_to_cancel;

static void cancel_it(void) {
    mailslot_cancel(slot_to_cancel);
}

/* ThreadSanitizer runs a handler when the system call is over, which goes on. */
#ifdef __SANITIZE_THREAD__
#define RESTARTS 1
#else
#define RESTARTS 2
#endif

START_TEST(a_signal_handler_may_cancel) {
    mailslot *slot = slot_to_cancel = new_slot("waited");
    for (size_t i = 0; i < RESTARTS * COUNT(waits); i++) {
        bool has_restart = i >= COUNT(waits);
        signal_handle(has_restart, cancel_it);
        /* The wait that the handler interrupts, or else the next one. */
        wait_call *wait = waits[i % COUNT(waits)];
        int r = wait_helped(wait, slot, MAILSLOT_FOREVER, act_signal);
        ck_assert(r == -ECANCELED || (r == -EINTR && !has_restart));
        EXPECT(r == -EINTR ? -ECANCELED : -ETIMEDOUT, wait(slot, 200));
        EXPECT(-ETIMEDOUT, wait(slot, 1));
    }
    mailslot_close(slot);
}
END_TEST

START_TEST(case_060_a_signal_handler_ends_the_wait_and_loses_nothing) {
    static const int64_t timeouts[] = {LONG_MS, MAILSLOT_FOREVER, MAILSLOT_DEFAULT};
    mailslot *slot = new_slot_with("waited", 0, MAILSLOT_FOREVER, 0);
    for (size_t i = 0; i < 2 * COUNT(waits) * COUNT(timeouts); i++) {
        bool has_restart = i % 2;
        int64_t timeout_ms = timeouts[i / 2 % COUNT(timeouts)];
        wait_call *wait = waits[i / 2 / COUNT(timeouts)];
        signal_handle(has_restart, NULL);
        if (has_restart && timeout_ms != LONG_MS) {
            EXPECT(0, wait_helped(wait, slot, timeout_ms, act_signal_then_send));
            ck_assert_int_ge(signal_count(), 1);
        } else {
            EXPECT(-EINTR, wait_helped(wait, slot, timeout_ms, act_signal));
            ck_assert_int_eq(signal_count(), 1);
            EXPECT(0, mailslot_send("waited", "kept", 4, 0));
            EXPECT(0, wait(slot, timeout_ms));
        }
        take(wait, slot);
    }
    mailslot_close(slot);
}
END_TEST

START_TEST(case_060_a_signal_without_handler_does_not_end_the_wait) {
    mailslot *slot = new_slot("waited");
    signal_ignore();
    for (size_t i = 0; i < COUNT(waits); i++) {
        EXPECT(0, wait_helped(waits[i], slot, MAILSLOT_FOREVER, act_signal_then_send));
        take(waits[i], slot);
    }
    mailslot_close(slot);
}
END_TEST

static void own_and_wait(const char *name) {
    mailslot *slot = NULL;
    char buffer[8];
    size_t size = 0;
    REQUIRE(0, mailslot_create(name, NULL, &slot));
    parent_tell(0);
    REQUIRE(0, mailslot_read(slot, buffer, sizeof buffer, MAILSLOT_FOREVER, &size));
    parent_tell((int64_t)size);
    mailslot_close(slot);
}

START_TEST(case_060_a_waiting_owner_may_be_stopped_and_continued) {
    struct child owner = child_start(own_and_wait, "stopped");
    ck_assert_int_eq(child_hear(&owner), 0);
    child_await_sleep(&owner);
    for (int i = 0; i < 3; i++) {
        child_stop(&owner);
        child_continue(&owner);
        child_await_sleep(&owner);
    }
    child_stop(&owner);
    EXPECT(0, mailslot_send("stopped", "hello", 5, 0));
    child_continue(&owner);
    ck_assert_int_eq(child_hear(&owner), 5);
    child_finish(&owner);
}
END_TEST

START_TEST(case_077_a_new_timeout_is_for_the_next_read) {
    mailslot *slot = new_slot_with("waited", 0, MAILSLOT_FOREVER, 0);
    for (size_t i = 0; i < COUNT(waits); i++) {
        EXPECT(0, mailslot_set_timeout(slot, 0));
        EXPECT(-EAGAIN, waits[i](slot, MAILSLOT_DEFAULT));
        EXPECT(0, mailslot_set_timeout(slot, 30));
        int64_t start_ms = clock_ms();
        EXPECT(-ETIMEDOUT, waits[i](slot, MAILSLOT_DEFAULT));
        expect_between(clock_ms() - start_ms, 30, 5000);
        EXPECT(-EAGAIN, waits[i](slot, 0));
        EXPECT(0, mailslot_set_timeout(slot, MAILSLOT_FOREVER));
        EXPECT(0, wait_helped(waits[i], slot, MAILSLOT_DEFAULT, act_send));
        take(waits[i], slot);
    }
    mailslot_close(slot);
}
END_TEST

/* Sends back what it reads, until that is nothing. */
static void echo(const char *name) {
    mailslot *slot = NULL;
    mailslot_writer *writer = NULL;
    char buffer[8];
    size_t size = 0;
    REQUIRE(0, mailslot_create(name, NULL, &slot));
    REQUIRE(0, mailslot_open("ping", &writer));
    parent_tell(0);
    do {
        REQUIRE(0, mailslot_read(slot, buffer, sizeof buffer, MAILSLOT_FOREVER, &size));
        REQUIRE(0, mailslot_writer_send(writer, buffer, size, 0));
    } while (size);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}

START_TEST(a_waiting_owner_is_woken_by_each_message) {
    mailslot *slot = new_slot("ping");
    struct child child = child_start(echo, "pong");
    ck_assert_int_eq(child_hear(&child), 0);
    mailslot_writer *writer = new_writer("pong");
    int64_t start_ms = clock_ms();
    for (int i = ROUNDS; i >= 0; i--) {
        EXPECT(0, mailslot_writer_send(writer, "ping", i ? 4 : 0, 0));
        EXPECT(0, wait_by_read(slot, LONG_MS));
    }
    ck_assert_int_lt(clock_ms() - start_ms, DEADLINE_MS);
    mailslot_writer_close(writer);
    child_finish(&child);
    mailslot_close(slot);
}
END_TEST

START_TEST(the_clock_of_timeouts_runs_in_milliseconds_and_never_back) {
    int64_t start_ms = mailslot_now_ms();
    int64_t own_start_ms = clock_ms();
    int64_t last_ms = start_ms;
    while (clock_ms() < own_start_ms + 200) {
        int64_t now_ms = mailslot_now_ms();
        ck_assert_int_ge(now_ms, last_ms);
        last_ms = now_ms;
    }
    expect_between(mailslot_now_ms() - start_ms, 199, 5000);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("wait");
    tcase_add_test(cases, case_048_nothing_comes_within_the_timeout);
    tcase_add_test(cases, a_timeout_above_a_second_is_kept_too);
    tcase_add_test(cases, case_049_a_wait_for_ever_ends_when_a_message_comes);
    tcase_add_test(cases, case_050_a_wait_ends_when_a_message_comes_before_its_time);
    tcase_add_test(cases, case_059_105_a_cancel_ends_the_wait_and_keeps_later_messages);
    tcase_add_test(cases, a_cancel_wakes_the_wait_at_once);
    tcase_add_test(cases, a_cancel_with_nobody_waiting_is_for_the_next_wait);
    tcase_add_test(cases, a_signal_handler_may_cancel);
    tcase_add_test(cases, case_060_a_signal_handler_ends_the_wait_and_loses_nothing);
    tcase_add_test(cases, case_060_a_signal_without_handler_does_not_end_the_wait);
    tcase_add_test(cases, case_060_a_waiting_owner_may_be_stopped_and_continued);
    tcase_add_test(cases, case_077_a_new_timeout_is_for_the_next_read);
    tcase_add_test(cases, a_waiting_owner_is_woken_by_each_message);
    tcase_add_test(cases, the_clock_of_timeouts_runs_in_milliseconds_and_never_back);
    return suite_run();
}
