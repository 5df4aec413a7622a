/* SPDX-License-Identifier: MIT */
/* The classic sample pair: a server that looks when it likes, a client that sends two
 * messages, pauses and sends a third. */
#include "slots.h"

#define SLOT "\\\\.\\mailslot\\SampleMailslot"

/* UTF-16 with its terminator, as the sample sends it. */
#define TEXT_UNITS 23

static void make_text(int number, uint16_t ret_text[TEXT_UNITS]) {
    char text[TEXT_UNITS] = "Message ? for mailslot";
    text[8] = (char)('0' + number);
    for (int i = 0; i < TEXT_UNITS; i++) {
        ret_text[i] = (uint16_t)text[i];
    }
}

static void send_sample(mailslot_writer *writer, int number) {
    uint16_t text[TEXT_UNITS];
    make_text(number, text);
    REQUIRE(0, mailslot_writer_send(writer, text, sizeof text, 0));
}

/* Two messages, a pause that the parent ends, one message. */
static void run_client(const char *name) {
    mailslot_writer *writer = NULL;
    int r = mailslot_open(name, &writer);
    parent_tell(r);
    if (r < 0) {
        return;
    }
    send_sample(writer, 1);
    send_sample(writer, 2);
    parent_tell(2);
    REQUIRE(0, parent_hear());
    send_sample(writer, 3);
    mailslot_writer_close(writer);
}

/* The server's check: info, read, info, read, ... until no message is left. */
static int check(mailslot *slot, int first) {
    int number = first;
    mailslot_info info = info_of(slot);
    while (info.next_size != MAILSLOT_NO_MESSAGE) {
        uint16_t expected[TEXT_UNITS];
        uint16_t text[TEXT_UNITS];
        size_t size = 0;
        ck_assert_uint_eq(info.next_size, 46);
        EXPECT(0, mailslot_read(slot, text, info.next_size, MAILSLOT_DEFAULT, &size));
        make_text(number++, expected);
        ck_assert_uint_eq(size, sizeof expected);
        ck_assert_mem_eq(text, expected, sizeof expected);
        info = info_of(slot);
    }
    ck_assert_uint_eq(info.count, 0);
    return number - first;
}

START_TEST(case_106_107_108_the_server_finds_none_then_two_then_one) {
    mailslot *slot = new_slot_with(SLOT, 0, MAILSLOT_FOREVER, 0);
    ck_assert_int_eq(check(slot, 1), 0);
    struct child client = child_start(run_client, SLOT);
    ck_assert_int_eq(child_hear(&client), 0);
    ck_assert_int_eq(child_hear(&client), 2);
    expect_count(slot, 2);
    ck_assert_int_eq(check(slot, 1), 2);
    ck_assert_int_eq(check(slot, 3), 0);
    child_tell(&client, 0);
    child_finish(&client);
    expect_count(slot, 1);
    ck_assert_int_eq(check(slot, 3), 1);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_109_a_client_without_a_server_finds_nobody) {
    struct child client = child_start(run_client, SLOT);
    ck_assert_int_eq(child_hear(&client), -ENOENT);
    child_finish(&client);
}
END_TEST

static void run_second_server(const char *name) {
    mailslot *slot = NULL;
    mailslot_info info = MAILSLOT_INFO_INIT;
    parent_tell(mailslot_create(name, NULL, &slot));
    REQUIRE(0, mailslot_get_info_by_name(name, &info));
    parent_tell(info.pid);
}

START_TEST(case_110_a_second_server_fails_and_can_say_who_serves) {
    mailslot *slot = new_slot(SLOT);
    EXPECT(0, mailslot_send(SLOT, "kept", 4, 0));
    struct child second = child_start(run_second_server, SLOT);
    ck_assert_int_eq(child_hear(&second), -EEXIST);
    ck_assert_int_eq(child_hear(&second), own_pid());
    child_finish(&second);
    expect_text(slot, "kept");
    mailslot_close(slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("sample");
    tcase_add_test(cases, case_106_107_108_the_server_finds_none_then_two_then_one);
    tcase_add_test(cases, case_109_a_client_without_a_server_finds_nobody);
    tcase_add_test(cases, case_110_a_second_server_fails_and_can_say_who_serves);
    return suite_run();
}
