/* SPDX-License-Identifier: MIT */
/* Slots of other machines: what is sent to them is with the gateway of this one. Here a
 * slot of the gateway's name stands in for it. */
#include "slots.h"

#define OUTBOX "gateway\\outbox"
#define REMOTE "\\\\elsewhere.example\\mailslot\\Jobs\\a"

static bool contains(const char *bytes, size_t size, const char *text) {
    size_t text_size = strlen(text);
    for (size_t i = 0; i + text_size <= size; i++) {
        if (memcmp(bytes + i, text, text_size) == 0) {
            return true;
        }
    }
    return false;
}

/* The outbox has a message that ends in these bytes and tells host and slot. Returns
 * the size of what is in front of them. */
static size_t expect_mail(mailslot *outbox, const char *host, const char *name,
                          const char *text) {
    char buffer[1024];
    size_t size = UNTOUCHED_SIZE;
    EXPECT(0, mailslot_read(outbox, buffer, sizeof buffer, 0, &size));
    size_t text_size = strlen(text);
    ck_assert_uint_gt(size, text_size);
    size_t head_size = size - text_size;
    ck_assert_mem_eq(buffer + head_size, text, text_size);
    ck_assert(contains(buffer, head_size, host));
    ck_assert(contains(buffer, head_size, name));
    return head_size;
}

START_TEST(case_014_without_a_gateway_no_other_machine_is_reached) {
    mailslot_writer *writer = UNTOUCHED_WRITER;
    EXPECT(-EHOSTUNREACH, mailslot_open(REMOTE, &writer));
    ck_assert_ptr_eq(writer, UNTOUCHED_WRITER);
    EXPECT(-EHOSTUNREACH, mailslot_send(REMOTE, "x", 1, 0));
    EXPECT(-EHOSTUNREACH, mailslot_send("\\\\*\\mailslot\\a", "x", 1, 0));
    ck_assert_ptr_nonnull(
        strstr(mailslot_error_text(-EHOSTUNREACH), "mailslot-gateway"));
}
END_TEST

START_TEST(case_014_what_is_sent_to_another_machine_is_with_the_gateway) {
    mailslot *outbox = new_slot(OUTBOX);
    EXPECT(0, mailslot_send("//Elsewhere/MailSlot/Jobs/a", "hello", 5, 0));
    expect_mail(outbox, "Elsewhere", "Jobs\\a", "hello");
    EXPECT(0, mailslot_send("\\\\*\\mailslot\\jobs", NULL, 0, 0));
    expect_mail(outbox, "*", "jobs", "");
    mailslot_writer *writer = new_writer(REMOTE);
    mailslot_buffer messages[] = {{"one", 3}, {NULL, 0}, {"three", 5}};
    size_t sent = UNTOUCHED_SIZE;
    EXPECT(0, mailslot_writer_send_all(writer, messages, 3, 0, &sent));
    ck_assert_uint_eq(sent, 3);
    EXPECT(0, mailslot_writer_send_all(writer, NULL, 0, 0, &sent));
    ck_assert_uint_eq(sent, 0);
    expect_mail(outbox, "elsewhere.example", "Jobs\\a", "one");
    expect_mail(outbox, "elsewhere.example", "Jobs\\a", "");
    expect_mail(outbox, "elsewhere.example", "Jobs\\a", "three");
    expect_nothing(outbox);
    mailslot_writer_close(writer);
    mailslot_close(outbox);
}
END_TEST

/* What the gateway says it can carry bounds what is sent, whatever the name's length.
 */
START_TEST(a_message_too_long_for_every_way_is_refused_at_send) {
    mailslot *outbox = new_slot(OUTBOX);
    EXPECT(0, mailslot_send("\\\\a\\mailslot\\abcd", NULL, 0, 0));
    size_t head_size = expect_mail(outbox, "a", "abcd", "");
    mailslot_close(outbox);
    char data[512] = "";
    outbox = new_slot_with(OUTBOX, (uint32_t)head_size + 428, 0, 0);
    EXPECT(0, mailslot_send("\\\\a\\mailslot\\a", data, 428, 0));
    EXPECT(-EMSGSIZE, mailslot_send("\\\\a\\mailslot\\a", data, 429, 0));
    EXPECT(0, mailslot_send("\\\\elsewhere\\mailslot\\abcde", data, 424, 0));
    EXPECT(-EMSGSIZE, mailslot_send("\\\\elsewhere\\mailslot\\abcde", data, 425, 0));
    mailslot_buffer messages[] = {{"x", 1}, {data, sizeof data}, {"y", 1}};
    size_t sent = UNTOUCHED_SIZE;
    mailslot_writer *writer = new_writer("\\\\a\\mailslot\\a");
    EXPECT(-EMSGSIZE, mailslot_writer_send_all(writer, messages, 3, 0, &sent));
    ck_assert_uint_eq(sent, 1);
    expect_count(outbox, 3);
    mailslot_writer_close(writer);
    mailslot_close(outbox);
}
END_TEST

START_TEST(a_gateway_that_has_gone_is_an_error_of_the_next_send) {
    mailslot *outbox = new_slot(OUTBOX);
    mailslot_writer *writer = new_writer(REMOTE);
    send_text(writer, "lost with it");
    mailslot_close(outbox);
    EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
    EXPECT(-EHOSTUNREACH, mailslot_send(REMOTE, "x", 1, 0));
    outbox = new_slot(OUTBOX);
    EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
    expect_nothing(outbox);
    mailslot_writer_close(writer);
    writer = new_writer(REMOTE);
    send_text(writer, "again");
    expect_mail(outbox, "elsewhere.example", "Jobs\\a", "again");
    mailslot_writer_close(writer);
    mailslot_close(outbox);
}
END_TEST

START_TEST(a_gateway_that_is_behind_is_waited_for_as_long_as_told) {
    mailslot *outbox = new_slot_with(OUTBOX, 0, 0, 4096);
    mailslot_writer *writer = new_writer(REMOTE);
    int r = 0;
    for (int i = 0; i < 100 && r == 0; i++) {
        r = mailslot_writer_send(writer, "x", 1, 0);
    }
    ck_assert_int_eq(r, -EAGAIN);
    EXPECT(-ETIMEDOUT, mailslot_writer_send(writer, "x", 1, 1));
    expect_mail(outbox, "elsewhere.example", "Jobs\\a", "x");
    mailslot_writer_close(writer);
    mailslot_close(outbox);
}
END_TEST

START_TEST(a_slot_of_another_machine_cannot_be_looked_at) {
    mailslot *outbox = new_slot(OUTBOX);
    mailslot_info info = MAILSLOT_INFO_INIT;
    info.count = 42;
    EXPECT(-EOPNOTSUPP, mailslot_get_info_by_name(REMOTE, &info));
    mailslot_writer *writer = new_writer(REMOTE);
    EXPECT(-EOPNOTSUPP, mailslot_writer_get_info(writer, &info));
    EXPECT(-EOPNOTSUPP, mailslot_writer_set_origin(writer, "beta", 0));
    int64_t created_ns = 7;
    EXPECT(-EOPNOTSUPP,
           mailslot_writer_get_accepted(writer, &created_ns, &info.received));
    ck_assert_int_eq(created_ns, 7);
    ck_assert_uint_eq(info.count, 42);
    EXPECT(0, mailslot_writer_get_info(writer, NULL));
    uint32_t uid = own_uid() + 1;
    EXPECT(0, mailslot_get_owner(REMOTE, &uid));
    ck_assert_uint_eq(uid, own_uid());
    EXPECT(-EINVAL, mailslot_writer_send(writer, NULL, 1, 0));
    EXPECT(-EINVAL, mailslot_writer_send(writer, "x", 1, MAILSLOT_DEFAULT));
    expect_nothing(outbox);
    mailslot_writer_close(writer);
    mailslot_close(outbox);
    EXPECT(-ENOENT, mailslot_get_owner(REMOTE, &uid));
}
END_TEST

static int use_copy(void *context) {
    mailslot_writer *writer = context;
    int others = mailslot_writer_send(writer, "x", 1, 0) != -EBADF;
    others += mailslot_writer_get_info(writer, NULL) != -EBADF;
    others += mailslot_writer_close(writer) != NULL;
    return others;
}

START_TEST(case_094_a_copy_of_the_process_can_use_no_writer_to_another_machine) {
    mailslot *outbox = new_slot(OUTBOX);
    mailslot_writer *writer = new_writer(REMOTE);
    ck_assert_int_eq(fork_and_call(use_copy, writer), 0);
    expect_nothing(outbox);
    send_text(writer, "goes on");
    expect_mail(outbox, "elsewhere.example", "Jobs\\a", "goes on");
    mailslot_writer_close(writer);
    mailslot_close(outbox);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("remote");
    tcase_add_test(cases, case_014_without_a_gateway_no_other_machine_is_reached);
    tcase_add_test(cases, case_014_what_is_sent_to_another_machine_is_with_the_gateway);
    tcase_add_test(cases, a_message_too_long_for_every_way_is_refused_at_send);
    tcase_add_test(cases, a_gateway_that_has_gone_is_an_error_of_the_next_send);
    tcase_add_test(cases, a_gateway_that_is_behind_is_waited_for_as_long_as_told);
    tcase_add_test(cases, a_slot_of_another_machine_cannot_be_looked_at);
    tcase_add_test(cases,
                   case_094_a_copy_of_the_process_can_use_no_writer_to_another_machine);
    return suite_run();
}
