/* SPDX-License-Identifier: MIT */
/* What a slot tells about itself, to its owner and to others. */
#include "slots.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void expect_head(mailslot *slot, uint32_t next_size, uint64_t count) {
    ck_assert_uint_eq(info_of(slot).next_size, next_size);
    ck_assert_uint_eq(info_of(slot).count, count);
}

START_TEST(case_068_a_fresh_slot_tells_its_settings) {
    static const struct {
        uint32_t max_message_size;
        uint32_t timeout_ms;
    } cases[] = {{0, 0}, {1, 1}, {512, 1000}, {UINT32_MAX, MAILSLOT_FOREVER}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        mailslot *slot =
            new_slot_with("fresh", cases[i].max_message_size, cases[i].timeout_ms, 0);
        ck_assert_uint_eq(info_of(slot).max_message_size, cases[i].max_message_size);
        ck_assert_uint_eq(info_of(slot).timeout_ms, cases[i].timeout_ms);
        expect_head(slot, MAILSLOT_NO_MESSAGE, 0);
        mailslot_close(slot);
    }
}
END_TEST

START_TEST(case_069_070_next_size_and_count_follow_each_send_and_read) {
    mailslot *slot = new_slot("follow");
    EXPECT(0, mailslot_send("follow", "1", 1, 0));
    expect_head(slot, 1, 1);
    EXPECT(0, mailslot_send("follow", "22", 2, 0));
    expect_head(slot, 1, 2);
    EXPECT(0, mailslot_send("follow", "", 0, 0));
    expect_head(slot, 1, 3);
    expect_text(slot, "1");
    expect_head(slot, 2, 2);
    expect_text(slot, "22");
    expect_head(slot, 0, 1);
    expect_text(slot, "");
    expect_head(slot, MAILSLOT_NO_MESSAGE, 0);
    mailslot_close(slot);
}
END_TEST

START_TEST(bytes_received_and_rejected_are_counted) {
    mailslot *slot = new_slot_with("figures", 1000, 0, 4096);
    char message[1001] = "";
    EXPECT(0, mailslot_send("figures", message, 1000, 0));
    EXPECT(0, mailslot_send("figures", message, 500, 0));
    ck_assert_uint_eq(info_of(slot).bytes, 1500);
    EXPECT(-EMSGSIZE, mailslot_send("figures", message, 1001, 0));
    ck_assert_uint_eq(info_of(slot).rejected, 1);
    uint64_t sent = 2;
    while (mailslot_send("figures", message, 900, 0) == 0) {
        sent++;
    }
    ck_assert_uint_eq(info_of(slot).rejected, 2);
    EXPECT(-ETIMEDOUT, mailslot_send("figures", message, 1000, 20));
    ck_assert_uint_eq(info_of(slot).rejected, 3);
    ck_assert_uint_eq(info_of(slot).received, sent);
    ck_assert_uint_eq(info_of(slot).bytes, 1500 + 900 * (sent - 2));
    size_t size;
    EXPECT(0, mailslot_read(slot, message, 1000, 0, &size));
    ck_assert_uint_eq(info_of(slot).received, sent);
    ck_assert_uint_eq(info_of(slot).bytes, 500 + 900 * (sent - 2));
    ck_assert_uint_eq(info_of(slot).count, sent - 1);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_071_nothing_may_be_asked_for) {
    mailslot *slot = new_slot("null");
    mailslot_writer *writer = new_writer("null");
    EXPECT(0, mailslot_get_info(slot, NULL));
    EXPECT(0, mailslot_writer_get_info(writer, NULL));
    EXPECT(0, mailslot_get_info_by_name("null", NULL));
    mailslot_writer_close(writer);
    mailslot_close(slot);
    EXPECT(-ENOENT, mailslot_get_info_by_name("null", NULL));
}
END_TEST

START_TEST(case_072_no_handle_has_no_info) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    info.count = 42;
    EXPECT(-EBADF, mailslot_get_info(NULL, &info));
    EXPECT(-EBADF, mailslot_get_info(NULL, NULL));
    EXPECT(-EBADF, mailslot_writer_get_info(NULL, &info));
    EXPECT(-EBADF, mailslot_writer_get_info(NULL, NULL));
    ck_assert_uint_eq(info.count, 42);
}
END_TEST

START_TEST(info_of_another_size_is_refused) {
    static const size_t sizes[] = {0, sizeof(mailslot_info) - 1,
                                   sizeof(mailslot_info) + 1};
    mailslot *slot = new_slot("size");
    mailslot_writer *writer = new_writer("size");
    for (size_t i = 0; i < COUNT(sizes); i++) {
        mailslot_info info = {.size = sizes[i], .count = 42};
        EXPECT(-EINVAL, mailslot_get_info(slot, &info));
        EXPECT(-EINVAL, mailslot_writer_get_info(writer, &info));
        EXPECT(-EINVAL, mailslot_get_info_by_name("size", &info));
        ck_assert_uint_eq(info.count, 42);
        ck_assert_uint_eq(info.size, sizes[i]);
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

static void ask(const char *name) {
    mailslot_writer *writer = NULL;
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot_info by_name = MAILSLOT_INFO_INIT;
    REQUIRE(0, mailslot_open(name, &writer));
    REQUIRE(0, mailslot_writer_get_info(writer, &info));
    REQUIRE(0, mailslot_get_info_by_name(name, &by_name));
    REQUIRE(0, memcmp(&info, &by_name, sizeof info));
    parent_tell(info.pid);
    parent_tell((int64_t)info.count);
    parent_tell(info.next_size);
    mailslot_writer_close(writer);
}

START_TEST(case_073_a_writer_and_a_name_tell_the_same_as_the_slot) {
    mailslot *slot = new_slot_with("same", 123, 456, 7890);
    mailslot_writer *writer = new_writer("same");
    send_text(writer, "first");
    send_text(writer, "second");
    expect_text(slot, "first");
    mailslot_info infos[3] = {MAILSLOT_INFO_INIT, MAILSLOT_INFO_INIT,
                              MAILSLOT_INFO_INIT};
    EXPECT(0, mailslot_get_info(slot, &infos[0]));
    EXPECT(0, mailslot_writer_get_info(writer, &infos[1]));
    EXPECT(0, mailslot_get_info_by_name("same", &infos[2]));
    ck_assert_mem_eq(&infos[0], &infos[1], sizeof *infos);
    ck_assert_mem_eq(&infos[0], &infos[2], sizeof *infos);
    struct child child = child_start(ask, "same");
    ck_assert_int_eq(child_hear(&child), own_pid());
    ck_assert_int_eq(child_hear(&child), 1);
    ck_assert_int_eq(child_hear(&child), 6);
    child_finish(&child);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_writer_learns_how_many_messages_its_slot_has_accepted) {
    mailslot *slot = new_slot("jobs");
    mailslot_writer *writer = new_writer("jobs");
    int64_t created_ns = 0;
    uint64_t accepted = 7;
    EXPECT(-EINVAL, mailslot_writer_get_accepted(writer, NULL, &accepted));
    EXPECT(-EINVAL, mailslot_writer_get_accepted(writer, &created_ns, NULL));
    EXPECT(-EBADF, mailslot_writer_get_accepted(NULL, &created_ns, &accepted));
    ck_assert_uint_eq(accepted, 7);
    for (uint64_t i = 0; i < 3; i++) {
        EXPECT(0, mailslot_writer_get_accepted(writer, &created_ns, &accepted));
        ck_assert_uint_eq(accepted, i);
        ck_assert_int_eq(created_ns, info_of(slot).created_ns);
        EXPECT(0, mailslot_send("jobs", "x", 1, 0));
        expect_text(slot, "x");
    }
    mailslot_close(slot);
    EXPECT(-EPIPE, mailslot_writer_get_accepted(writer, &created_ns, &accepted));
    mailslot_writer_close(writer);
}
END_TEST

static void expect_accepted(mailslot_writer *writer, uint64_t expected) {
    int64_t created_ns;
    uint64_t accepted;
    EXPECT(0, mailslot_writer_get_accepted(writer, &created_ns, &accepted));
    ck_assert_uint_eq(accepted, expected);
}

/* Those of other programs do not count, so that it can tell what it has brought. */
START_TEST(a_writer_with_an_origin_learns_how_many_messages_with_one_were_accepted) {
    mailslot *slot = new_slot("jobs");
    mailslot_writer *local = new_writer("jobs");
    mailslot_writer *gateway = new_writer("jobs");
    mailslot_writer *other = new_writer("jobs");
    EXPECT(0, mailslot_writer_set_origin(gateway, "beta", 0));
    EXPECT(0, mailslot_writer_set_origin(other, "gamma", 1));
    for (uint64_t i = 0; i < 5; i++) {
        expect_accepted(local, 5 * i);
        expect_accepted(gateway, 2 * i);
        send_text(local, "one");
        EXPECT(0, mailslot_send("jobs", "two", 3, 0));
        mailslot_buffer batch[] = {{"three", 5}};
        size_t sent;
        EXPECT(0, mailslot_writer_send_all(local, batch, 1, 0, &sent));
        expect_accepted(gateway, 2 * i);
        send_text(gateway, "four");
        expect_accepted(gateway, 2 * i + 1);
        send_text(other, "five");
        expect_accepted(gateway, 2 * i + 2);
    }
    EXPECT(0, mailslot_writer_set_origin(gateway, NULL, 0));
    expect_accepted(gateway, 25);
    mailslot_writer_close(other);
    mailslot_writer_close(gateway);
    mailslot_writer_close(local);
    mailslot_close(slot);
}
END_TEST

START_TEST(the_info_of_a_dead_slot_is_gone) {
    mailslot *slot = new_slot("dead");
    mailslot_writer *writer = new_writer("dead");
    mailslot_close(slot);
    mailslot_info info = MAILSLOT_INFO_INIT;
    info.count = 42;
    EXPECT(-EPIPE, mailslot_writer_get_info(writer, &info));
    EXPECT(-ENOENT, mailslot_get_info_by_name("dead", &info));
    ck_assert_uint_eq(info.count, 42);
    mailslot_writer_close(writer);
}
END_TEST

START_TEST(case_074_asking_changes_nothing) {
    mailslot *slot = new_slot_with("calm", 0, MAILSLOT_FOREVER, 0);
    EXPECT(0, mailslot_send("calm", "A", 1, 0));
    EXPECT(0, mailslot_send("calm", "BB", 2, 0));
    int64_t start_ms = clock_ms();
    for (int i = 0; i < 1000; i++) {
        expect_head(slot, 1, 2);
    }
    expect_shown(slot, "A");
    expect_head(slot, 1, 2);
    expect_shown(slot, "BB");
    expect_head(slot, 1, 2);
    EXPECT(0, mailslot_consume(slot));
    expect_head(slot, MAILSLOT_NO_MESSAGE, 0);
    ck_assert_int_lt(clock_ms() - start_ms, 5000);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_075_a_timeout_that_was_set_is_told) {
    static const uint32_t timeouts[] = {0, 1, 5000, MAILSLOT_FOREVER, 0xfffffffe};
    mailslot *slot = new_slot("timeout");
    for (size_t i = 0; i < COUNT(timeouts); i++) {
        EXPECT(0, mailslot_set_timeout(slot, timeouts[i]));
        ck_assert_uint_eq(info_of(slot).timeout_ms, timeouts[i]);
        mailslot_info info = MAILSLOT_INFO_INIT;
        EXPECT(0, mailslot_get_info_by_name("timeout", &info));
        ck_assert_uint_eq(info.timeout_ms, timeouts[i]);
    }
    mailslot_close(slot);
}
END_TEST

/* Sends messages of sizes 1 to 50, again and again, until its slot dies. */
static void send_for_ever(const char *name) {
    static const char bytes[50];
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    parent_tell(0);
    int r = 0;
    for (size_t i = 0; r != -EPIPE; i++) {
        r = mailslot_writer_send(writer, bytes, 1 + i % sizeof bytes, 1);
        REQUIRE(true, r == 0 || r == -EPIPE || r == -EAGAIN || r == -ETIMEDOUT);
    }
    mailslot_writer_close(writer);
}

/* Asks until the slot dies; each answer must agree with itself. */
static void ask_for_ever(const char *name) {
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    parent_tell(0);
    for (;;) {
        mailslot_info info = MAILSLOT_INFO_INIT;
        int r = mailslot_writer_get_info(writer, &info);
        if (r == -EPIPE) {
            break;
        }
        REQUIRE(0, r);
        REQUIRE(true, info.count == 0 ? info.next_size == MAILSLOT_NO_MESSAGE
                                      : info.next_size >= 1 && info.next_size <= 50);
        REQUIRE(true, info.bytes >= info.count && info.bytes <= 50 * info.count);
        REQUIRE(true, info.received >= info.count);
    }
    mailslot_writer_close(writer);
}

/* Asks by name and by writer until told to stop, whether or not the slot is there. */
static void ask_whoever_is_there(const char *name) {
    parent_tell(0);
    while (!parent_has_spoken()) {
        mailslot_info info = MAILSLOT_INFO_INIT;
        mailslot_writer *writer = NULL;
        int r = mailslot_get_info_by_name(name, &info);
        REQUIRE(true, r == 0 || r == -ENOENT);
        r = mailslot_open(name, &writer);
        REQUIRE(true, r == 0 || r == -ENOENT);
        while (r == 0) {
            r = mailslot_writer_get_info(writer, &info);
            REQUIRE(true, r == 0 || r == -EPIPE);
        }
        mailslot_writer_close(writer);
    }
    REQUIRE(0, parent_hear());
}

START_TEST(the_info_of_a_slot_that_is_being_closed_is_whole_or_gone) {
    struct child children[2] = {child_start(ask_whoever_is_there, "closing"),
                                child_start(ask_whoever_is_there, "closing")};
    for (size_t i = 0; i < COUNT(children); i++) {
        ck_assert_int_eq(child_hear(&children[i]), 0);
    }
    for (int64_t end_ms = clock_ms() + 2000; clock_ms() < end_ms;) {
        mailslot *slot = new_slot("closing");
        for (int i = 0; i < 5; i++) {
            EXPECT(0, mailslot_send("closing", "unread", 6, 0));
        }
        mailslot_close(slot);
    }
    for (size_t i = 0; i < COUNT(children); i++) {
        child_tell(&children[i], 0);
        child_finish(&children[i]);
    }
}
END_TEST

START_TEST(case_074_info_is_exact_while_others_send_and_read) {
    mailslot *slot = new_slot_with("busy", 0, 0, 8192);
    struct child children[3] = {child_start(send_for_ever, "busy"),
                                child_start(ask_for_ever, "busy"),
                                child_start(ask_for_ever, "busy")};
    for (size_t i = 0; i < COUNT(children); i++) {
        ck_assert_int_eq(child_hear(&children[i]), 0);
    }
    uint64_t taken = 0;
    for (int64_t end_ms = clock_ms() + 2000; clock_ms() < end_ms;) {
        char buffer[50];
        size_t size;
        for (int i = 0; i < 100; i++) {
            EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, DEADLINE_MS, &size));
            taken++;
        }
        mailslot_info info = info_of(slot);
        ck_assert_uint_eq(info.received - info.count, taken);
    }
    mailslot_close(slot);
    for (size_t i = 0; i < COUNT(children); i++) {
        child_finish(&children[i]);
    }
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("info");
    tcase_add_test(cases, case_068_a_fresh_slot_tells_its_settings);
    tcase_add_test(cases, case_069_070_next_size_and_count_follow_each_send_and_read);
    tcase_add_test(cases, bytes_received_and_rejected_are_counted);
    tcase_add_test(cases, case_071_nothing_may_be_asked_for);
    tcase_add_test(cases, case_072_no_handle_has_no_info);
    tcase_add_test(cases, info_of_another_size_is_refused);
    tcase_add_test(cases, case_073_a_writer_and_a_name_tell_the_same_as_the_slot);
    tcase_add_test(cases, a_writer_learns_how_many_messages_its_slot_has_accepted);
    tcase_add_test(
        cases, a_writer_with_an_origin_learns_how_many_messages_with_one_were_accepted);
    tcase_add_test(cases, the_info_of_a_dead_slot_is_gone);
    tcase_add_test(cases, case_074_asking_changes_nothing);
    tcase_add_test(cases, case_075_a_timeout_that_was_set_is_told);
    tcase_add_test(cases, the_info_of_a_slot_that_is_being_closed_is_whole_or_gone);
    tcase_add_test(cases, case_074_info_is_exact_while_others_send_and_read);
    return suite_run();
}
