/* SPDX-License-Identifier: MIT */
/* Messages that tell from which machine they come. */
#include "slots.h"

#define SMALL_BYTES 4096

static char longest[MAILSLOT_HOST_MAX + 2];

static void set_up(void) {
    memset(longest, 'h', MAILSLOT_HOST_MAX);
}

/* The next message is this one, from that host; NULL: this machine. */
static void expect_from(mailslot *slot, const char *text, const char *host,
                        int is_verified) {
    mailslot_message message;
    EXPECT(0, mailslot_peek(slot, 0, &message));
    ck_assert_uint_eq(message.size, strlen(text));
    ck_assert_mem_eq(message.data, text, message.size);
    ck_assert_pstr_eq(message.host, host);
    ck_assert_int_eq(message.is_host_verified, is_verified);
    EXPECT(0, mailslot_consume(slot));
}

START_TEST(a_message_tells_the_host_that_its_writer_has_set) {
    mailslot *slot = new_slot("origin");
    mailslot_writer *writer = new_writer("origin");
    send_text(writer, "before");
    EXPECT(0, mailslot_writer_set_origin(writer, "beta", 0));
    send_text(writer, "claimed");
    send_text(writer, "");
    EXPECT(0, mailslot_writer_set_origin(writer, "gamma.example", 7));
    send_text(writer, "checked");
    EXPECT(0, mailslot_writer_set_origin(writer, longest, 1));
    send_text(writer, "long");
    EXPECT(0, mailslot_writer_set_origin(writer, NULL, 1));
    send_text(writer, "after");
    expect_from(slot, "before", NULL, 0);
    expect_from(slot, "claimed", "beta", 0);
    expect_from(slot, "", "beta", 0);
    expect_from(slot, "checked", "gamma.example", 1);
    expect_from(slot, "long", longest, 1);
    expect_from(slot, "after", NULL, 0);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_host_that_is_none_is_refused_and_changes_nothing) {
    static const char *const hosts[] = {"", "a\nb", "\x7f", "\x01", longest};
    mailslot *slot = new_slot("origin");
    mailslot_writer *writer = new_writer("origin");
    longest[MAILSLOT_HOST_MAX] = 'h';
    EXPECT(0, mailslot_writer_set_origin(writer, "beta", 1));
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        EXPECT(-EINVAL, mailslot_writer_set_origin(writer, hosts[i], 0));
    }
    EXPECT(-EBADF, mailslot_writer_set_origin(NULL, "beta", 1));
    EXPECT(-EBADF, mailslot_writer_set_origin((mailslot_writer *)slot, "beta", 1));
    send_text(writer, "text");
    expect_from(slot, "text", "beta", 1);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

/* Read as any other, and counted by its payload. */
START_TEST(an_origin_is_no_part_of_the_message) {
    mailslot *slot = new_slot_with("origin", 5, 0, 0);
    mailslot_writer *writer = new_writer("origin");
    EXPECT(0, mailslot_writer_set_origin(writer, "beta", 1));
    send_text(writer, "12345");
    EXPECT(-EMSGSIZE, mailslot_writer_send(writer, "123456", 6, 0));
    mailslot_info info = info_of(slot);
    ck_assert_uint_eq(info.next_size, 5);
    ck_assert_uint_eq(info.bytes, 5);
    char buffer[5];
    size_t size;
    EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    ck_assert_uint_eq(size, 5);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

/* Its records take more, so each lap of the ring ends elsewhere. */
START_TEST(hosts_of_all_sizes_come_through_a_small_ring) {
    mailslot *slot = new_slot_with("origin", 0, 0, SMALL_BYTES);
    mailslot_writer *writer = new_writer("origin");
    for (size_t i = 0; i < 3000; i++) {
        char host[MAILSLOT_HOST_MAX + 1] = {0};
        char text[100] = {0};
        memset(host, 'a' + (int)(i % 26), 1 + i % MAILSLOT_HOST_MAX);
        memset(text, 'A' + (int)(i % 26), i % 99);
        EXPECT(0, mailslot_writer_set_origin(writer, i % 3 ? host : NULL, i % 2));
        send_text(writer, text);
        if (i % 5 == 4) {
            send_text(writer, "more");
            expect_from(slot, text, i % 3 ? host : NULL, i % 3 ? i % 2 : 0);
            expect_from(slot, "more", i % 3 ? host : NULL, i % 3 ? i % 2 : 0);
        } else {
            expect_from(slot, text, i % 3 ? host : NULL, i % 3 ? i % 2 : 0);
        }
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_message_that_does_not_fit_with_its_origin_is_too_large) {
    static char bytes[SMALL_BYTES / 2];
    size_t largest = SMALL_BYTES / 2 - 32;
    mailslot *slot = new_slot_with("origin", 0, 0, SMALL_BYTES);
    mailslot_writer *writer = new_writer("origin");
    EXPECT(0, mailslot_writer_set_origin(writer, longest, 0));
    EXPECT(-EMSGSIZE, mailslot_writer_send(writer, bytes, largest, MAILSLOT_FOREVER));
    for (int i = 0; i < 10; i++) {
        size_t size;
        EXPECT(0, mailslot_writer_send(writer, bytes, largest - 264, 0));
        EXPECT(0, mailslot_read(slot, bytes, sizeof bytes, 0, &size));
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("origin");
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, a_message_tells_the_host_that_its_writer_has_set);
    tcase_add_test(cases, a_host_that_is_none_is_refused_and_changes_nothing);
    tcase_add_test(cases, an_origin_is_no_part_of_the_message);
    tcase_add_test(cases, hosts_of_all_sizes_come_through_a_small_ring);
    tcase_add_test(cases, a_message_that_does_not_fit_with_its_origin_is_too_large);
    return suite_run();
}
