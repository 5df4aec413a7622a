/* SPDX-License-Identifier: MIT */
/* Reading what is queued: one message, or several with peek and consume. */
#include "slots.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A slot with these texts queued. */
static mailslot *slot_with(const char *name, const char *const *texts, size_t count) {
    mailslot *slot = new_slot(name);
    mailslot_writer *writer = new_writer(name);
    for (size_t i = 0; i < count; i++) {
        send_text(writer, texts[i]);
    }
    mailslot_writer_close(writer);
    return slot;
}

static const char *const abc[] = {"A", "BB", "CCC"};

static void expect_nothing_shown(mailslot *slot) {
    mailslot_message message = {.sequence = 42};
    EXPECT(-EAGAIN, mailslot_peek(slot, 0, &message));
    ck_assert_uint_eq(message.sequence, 42);
    EXPECT(-EAGAIN, mailslot_wait(slot, 0));
}

START_TEST(case_046_each_read_gives_one_message) {
    mailslot *slot = slot_with("abc", abc, 3);
    expect_text(slot, "A");
    expect_text(slot, "BB");
    expect_text(slot, "CCC");
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_047_055_an_empty_slot_says_so_at_once) {
    mailslot *slot = new_slot("empty");
    int64_t start_ms = clock_ms();
    expect_nothing(slot);
    size_t size = UNTOUCHED_SIZE;
    EXPECT(-EAGAIN, mailslot_read(slot, NULL, 0, 0, &size));
    EXPECT(-EAGAIN, mailslot_read(slot, NULL, 0, MAILSLOT_DEFAULT, &size));
    ck_assert_uint_eq(size, UNTOUCHED_SIZE);
    expect_nothing_shown(slot);
    ck_assert_int_lt(clock_ms() - start_ms, 2000);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_051_a_queued_message_is_not_waited_for) {
    static const int64_t timeouts[] = {MAILSLOT_DEFAULT, 0, 1, 60000, MAILSLOT_FOREVER};
    mailslot *slot = new_slot_with("there", 0, MAILSLOT_FOREVER, 0);
    int64_t start_ms = clock_ms();
    for (size_t i = 0; i < COUNT(timeouts); i++) {
        char buffer[4];
        size_t size;
        mailslot_message message;
        EXPECT(0, mailslot_send("there", "x", 1, 0));
        EXPECT(0, mailslot_wait(slot, timeouts[i]));
        EXPECT(0, mailslot_peek(slot, timeouts[i], &message));
        EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, timeouts[i], &size));
    }
    ck_assert_int_lt(clock_ms() - start_ms, 2000);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_052_053_too_small_a_buffer_keeps_the_message) {
    static const char *const texts[] = {"hello", "next"};
    mailslot *slot = slot_with("small", texts, 2);
    char buffer[8] = "zzzzzzz";
    size_t size = UNTOUCHED_SIZE;
    mailslot_info before = info_of(slot);
    for (int i = 0; i < 3; i++) {
        EXPECT(-EMSGSIZE, mailslot_read(slot, buffer, 4, MAILSLOT_FOREVER, &size));
        ck_assert_uint_eq(size, 5);
        ck_assert_str_eq(buffer, "zzzzzzz");
    }
    mailslot_info after = info_of(slot);
    ck_assert_mem_eq(&after, &before, sizeof after);
    ck_assert_uint_eq(after.next_size, 5);
    ck_assert_uint_eq(after.count, 2);
    EXPECT(0, mailslot_read(slot, buffer, 5, 0, &size));
    ck_assert_str_eq(buffer, "hellozz");
    expect_text(slot, "next");
    mailslot_close(slot);
}
END_TEST

START_TEST(case_054_a_buffer_of_no_bytes_keeps_a_message_with_bytes) {
    mailslot *slot = slot_with("none", abc, 1);
    char buffer[1] = "";
    size_t size = UNTOUCHED_SIZE;
    EXPECT(-EMSGSIZE, mailslot_read(slot, NULL, 0, 0, &size));
    ck_assert_uint_eq(size, 1);
    EXPECT(-EMSGSIZE, mailslot_read(slot, buffer, 0, 0, &size));
    expect_text(slot, "A");
    mailslot_close(slot);
}
END_TEST

START_TEST(case_056_a_message_of_no_bytes_is_read_and_removed) {
    static const char *const texts[] = {"", "", "after"};
    mailslot *slot = slot_with("zero", texts, 3);
    size_t size = UNTOUCHED_SIZE;
    char buffer[4];
    EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    ck_assert_uint_eq(size, 0);
    size = UNTOUCHED_SIZE;
    EXPECT(0, mailslot_read(slot, NULL, 0, 0, &size));
    ck_assert_uint_eq(size, 0);
    expect_text(slot, "after");
    mailslot_close(slot);
}
END_TEST

static void expect_no_slot(mailslot *slot) {
    char buffer[8];
    size_t size = UNTOUCHED_SIZE;
    mailslot_message message = {.sequence = 42};
    mailslot_info info = MAILSLOT_INFO_INIT;
    info.count = 42;
    EXPECT(-EBADF, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    EXPECT(-EBADF, mailslot_read(slot, buffer, sizeof buffer, MAILSLOT_FOREVER, &size));
    EXPECT(-EBADF, mailslot_peek(slot, 0, &message));
    EXPECT(-EBADF, mailslot_wait(slot, 0));
    EXPECT(-EBADF, mailslot_consume(slot));
    EXPECT(-EBADF, mailslot_unpeek(slot));
    EXPECT(-EBADF, mailslot_cancel(slot));
    EXPECT(-EBADF, mailslot_set_timeout(slot, 1));
    EXPECT(-EBADF, mailslot_get_info(slot, &info));
    EXPECT(-EBADF, mailslot_get_info(slot, NULL));
    ck_assert_uint_eq(size, UNTOUCHED_SIZE);
    ck_assert_uint_eq(message.sequence, 42);
    ck_assert_uint_eq(info.count, 42);
}

START_TEST(case_038_078_a_writer_is_no_slot) {
    mailslot *slot = slot_with("kind", abc, 1);
    mailslot_writer *writer = new_writer("kind");
    expect_no_slot((mailslot *)(void *)writer);
    expect_count(slot, 1);
    ck_assert_uint_eq(info_of(slot).timeout_ms, 0);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_058_095_a_closed_slot_is_null_and_no_slot) {
    mailslot *slot = slot_with("closed", abc, 1);
    slot = mailslot_close(slot);
    ck_assert_ptr_null(slot);
    expect_no_slot(slot);
    ck_assert_ptr_null(mailslot_close(slot));
}
END_TEST

START_TEST(null_arguments_are_refused_and_remove_nothing) {
    mailslot *slot = slot_with("null", abc, 1);
    char buffer[4];
    size_t size = UNTOUCHED_SIZE;
    EXPECT(-EINVAL, mailslot_read(slot, buffer, sizeof buffer, 0, NULL));
    EXPECT(-EINVAL, mailslot_read(slot, NULL, 4, 0, &size));
    ck_assert_uint_eq(size, UNTOUCHED_SIZE);
    EXPECT(-EINVAL, mailslot_peek(slot, 0, NULL));
    expect_shown(slot, "A");
    EXPECT(0, mailslot_unpeek(slot));
    expect_text(slot, "A");
    mailslot_close(slot);
}
END_TEST

START_TEST(timeouts_out_of_range_are_refused) {
    static const int64_t timeouts[] = {-2, INT64_MIN, (int64_t)MAILSLOT_FOREVER + 1,
                                       INT64_MAX};
    mailslot *slot = slot_with("time", abc, 1);
    for (size_t i = 0; i < COUNT(timeouts); i++) {
        char buffer[4];
        size_t size = UNTOUCHED_SIZE;
        mailslot_message message = {.sequence = 42};
        EXPECT(-EINVAL, mailslot_read(slot, buffer, 4, timeouts[i], &size));
        EXPECT(-EINVAL, mailslot_peek(slot, timeouts[i], &message));
        EXPECT(-EINVAL, mailslot_wait(slot, timeouts[i]));
        ck_assert_uint_eq(size, UNTOUCHED_SIZE);
        ck_assert_uint_eq(message.sequence, 42);
    }
    expect_text(slot, "A");
    mailslot_close(slot);
}
END_TEST

START_TEST(case_061_062_063_all_that_is_queued_is_shown_in_order_then_removed) {
    static const char *const texts[] = {"A", "", "CCC"};
    mailslot *slot = slot_with("all", texts, 3);
    expect_shown(slot, "A");
    expect_shown(slot, "");
    expect_shown(slot, "CCC");
    expect_nothing_shown(slot);
    expect_count(slot, 3);
    EXPECT(0, mailslot_consume(slot));
    expect_count(slot, 0);
    expect_nothing(slot);
    expect_nothing_shown(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_065_what_was_shown_is_not_waited_for_again) {
    mailslot *slot = slot_with("more", abc, 3);
    EXPECT(0, mailslot_set_timeout(slot, MAILSLOT_FOREVER));
    int64_t start_ms = clock_ms();
    mailslot_message message;
    EXPECT(0, mailslot_peek(slot, MAILSLOT_DEFAULT, &message));
    EXPECT(0, mailslot_peek(slot, 0, &message));
    EXPECT(0, mailslot_peek(slot, 0, &message));
    expect_nothing_shown(slot);
    EXPECT(0, mailslot_consume(slot));
    ck_assert_int_lt(clock_ms() - start_ms, 2000);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_066_what_was_shown_and_not_consumed_is_kept) {
    mailslot *slot = slot_with("kept", abc, 3);
    expect_shown(slot, "A");
    expect_shown(slot, "BB");
    EXPECT(0, mailslot_unpeek(slot));
    expect_count(slot, 3);
    expect_shown(slot, "A");
    EXPECT(0, mailslot_consume(slot));
    EXPECT(0, mailslot_unpeek(slot));
    expect_count(slot, 2);
    expect_text(slot, "BB");
    expect_text(slot, "CCC");
    mailslot_close(slot);
}
END_TEST

START_TEST(consume_removes_what_was_shown_and_no_more) {
    mailslot *slot = slot_with("few", abc, 3);
    EXPECT(0, mailslot_consume(slot));
    EXPECT(0, mailslot_unpeek(slot));
    EXPECT(0, mailslot_consume(slot));
    expect_count(slot, 3);
    expect_shown(slot, "A");
    expect_shown(slot, "BB");
    EXPECT(0, mailslot_consume(slot));
    EXPECT(0, mailslot_consume(slot));
    expect_count(slot, 1);
    expect_shown(slot, "CCC");
    EXPECT(0, mailslot_consume(slot));
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(read_takes_the_head_and_peek_starts_there_again) {
    mailslot *slot = slot_with("head", abc, 3);
    char buffer[4];
    size_t size;
    expect_shown(slot, "A");
    expect_shown(slot, "BB");
    expect_text(slot, "A");
    expect_shown(slot, "BB");
    EXPECT(-EMSGSIZE, mailslot_read(slot, buffer, 1, 0, &size));
    ck_assert_uint_eq(size, 2);
    expect_shown(slot, "BB");
    expect_shown(slot, "CCC");
    EXPECT(0, mailslot_consume(slot));
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(wait_looks_for_what_was_not_shown) {
    mailslot *slot = slot_with("wait", abc, 2);
    EXPECT(0, mailslot_wait(slot, 0));
    EXPECT(0, mailslot_wait(slot, 0));
    expect_shown(slot, "A");
    EXPECT(0, mailslot_wait(slot, 0));
    expect_shown(slot, "BB");
    EXPECT(-EAGAIN, mailslot_wait(slot, 0));
    EXPECT(-ETIMEDOUT, mailslot_wait(slot, 1));
    EXPECT(0, mailslot_unpeek(slot));
    EXPECT(0, mailslot_wait(slot, 0));
    expect_count(slot, 2);
    mailslot_close(slot);
}
END_TEST

START_TEST(messages_that_come_while_others_are_shown_are_shown_next) {
    mailslot *slot = slot_with("late", abc, 1);
    expect_shown(slot, "A");
    expect_nothing_shown(slot);
    EXPECT(0, mailslot_send("late", "BB", 2, 0));
    expect_shown(slot, "BB");
    EXPECT(0, mailslot_send("late", "CCC", 3, 0));
    EXPECT(0, mailslot_consume(slot));
    expect_text(slot, "CCC");
    mailslot_close(slot);
}
END_TEST

START_TEST(shown_data_stays_until_it_is_consumed) {
    static char bytes[1000];
    mailslot *slot = new_slot_with("stay", 0, 0, 65536);
    memset(bytes, 'a', sizeof bytes);
    EXPECT(0, mailslot_send("stay", bytes, sizeof bytes, 0));
    mailslot_message message;
    EXPECT(0, mailslot_peek(slot, 0, &message));
    memset(bytes, 'b', sizeof bytes);
    int sent = 0;
    while (mailslot_send("stay", bytes, sizeof bytes, 0) == 0) {
        sent++;
    }
    ck_assert_int_ge(sent, 50);
    EXPECT(-EAGAIN, mailslot_send("stay", bytes, sizeof bytes, 0));
    memset(bytes, 'a', sizeof bytes);
    ck_assert_mem_eq(message.data, bytes, sizeof bytes);
    EXPECT(0, mailslot_consume(slot));
    expect_count(slot, (uint64_t)sent);
    mailslot_close(slot);
}
END_TEST

START_TEST(the_envelope_tells_who_sent_when) {
    mailslot *slot = new_slot("envelope");
    mailslot_message message;
    for (uint64_t sequence = 1; sequence <= 5; sequence++) {
        int64_t before_ns = calendar_ns();
        EXPECT(0, mailslot_send("envelope", "x", 1, 0));
        EXPECT(0, mailslot_peek(slot, 0, &message));
        ck_assert_uint_eq(message.sequence, sequence);
        expect_between(message.time_ns, before_ns - 20000000, calendar_ns());
        ck_assert_uint_eq(message.pid, own_pid());
        ck_assert_uint_eq(message.uid, own_uid());
        ck_assert_uint_eq(message.gid, own_gid());
    }
    mailslot_close(slot);
}
END_TEST

static void send_and_leave(const char *name) {
    REQUIRE(0, mailslot_send(name, "from a child", 12, 0));
}

START_TEST(the_envelope_tells_which_process_sent) {
    mailslot *slot = new_slot_with("senders", 12, 0, 0);
    struct child child = child_start(send_and_leave, "senders");
    uint32_t pid = (uint32_t)child.id;
    child_finish(&child);
    EXPECT(-EMSGSIZE, mailslot_send("senders", "this is refused", 15, 0));
    EXPECT(0, mailslot_send("senders", "mine", 4, 0));
    mailslot_message message;
    EXPECT(0, mailslot_peek(slot, 0, &message));
    ck_assert_uint_eq(message.pid, pid);
    ck_assert_uint_eq(message.sequence, 1);
    EXPECT(0, mailslot_peek(slot, 0, &message));
    ck_assert_uint_eq(message.pid, own_pid());
    ck_assert_uint_eq(message.sequence, 2);
    mailslot_close(slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("read");
    tcase_add_test(cases, case_046_each_read_gives_one_message);
    tcase_add_test(cases, case_047_055_an_empty_slot_says_so_at_once);
    tcase_add_test(cases, case_051_a_queued_message_is_not_waited_for);
    tcase_add_test(cases, case_052_053_too_small_a_buffer_keeps_the_message);
    tcase_add_test(cases, case_054_a_buffer_of_no_bytes_keeps_a_message_with_bytes);
    tcase_add_test(cases, case_056_a_message_of_no_bytes_is_read_and_removed);
    tcase_add_test(cases, case_038_078_a_writer_is_no_slot);
    tcase_add_test(cases, case_058_095_a_closed_slot_is_null_and_no_slot);
    tcase_add_test(cases, null_arguments_are_refused_and_remove_nothing);
    tcase_add_test(cases, timeouts_out_of_range_are_refused);
    tcase_add_test(cases,
                   case_061_062_063_all_that_is_queued_is_shown_in_order_then_removed);
    tcase_add_test(cases, case_065_what_was_shown_is_not_waited_for_again);
    tcase_add_test(cases, case_066_what_was_shown_and_not_consumed_is_kept);
    tcase_add_test(cases, consume_removes_what_was_shown_and_no_more);
    tcase_add_test(cases, read_takes_the_head_and_peek_starts_there_again);
    tcase_add_test(cases, wait_looks_for_what_was_not_shown);
    tcase_add_test(cases, messages_that_come_while_others_are_shown_are_shown_next);
    tcase_add_test(cases, shown_data_stays_until_it_is_consumed);
    tcase_add_test(cases, the_envelope_tells_who_sent_when);
    tcase_add_test(cases, the_envelope_tells_which_process_sent);
    return suite_run();
}
