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

/* The writer of another group, of the user that owns the slot. */
static void send_in_all_ways(const char *name) {
    static char large[5000];
    mailslot_buffer batch[] = {{"batch", 5}, {"more", 4}};
    mailslot_writer *writer = NULL;
    int64_t created_ns;
    uint64_t accepted = 0;
    bool is_another = become_another_group();
    parent_tell(is_another);
    if (!is_another) {
        return;
    }
    REQUIRE(0, mailslot_open(name, &writer));
    REQUIRE(0, mailslot_writer_send(writer, "send", 4, 0));
    REQUIRE(0, mailslot_writer_send_all(writer, batch, 2, 0, NULL));
    REQUIRE(0, mailslot_writer_set_origin(writer, "beta", 1));
    REQUIRE(0, mailslot_writer_send(writer, "brought", 7, 0));
    REQUIRE(0, mailslot_writer_get_accepted(writer, &created_ns, &accepted));
    REQUIRE(1, (int64_t)accepted);
    REQUIRE(0, mailslot_writer_set_origin(writer, NULL, 0));
    REQUIRE(0, mailslot_writer_send(writer, "", 0, 0));
    REQUIRE(0, mailslot_writer_get_accepted(writer, &created_ns, &accepted));
    REQUIRE(6, (int64_t)accepted); /* with the owner's */
    REQUIRE(0, mailslot_send(name, "once", 4, 0));
    REQUIRE(0, mailslot_send(name, large, sizeof large, 0));
    mailslot_writer_close(writer);
}

/* The next message is of this user, that group, this host and so many bytes. */
static void expect_of_group(mailslot *slot, uint32_t gid, const char *host,
                            size_t size) {
    mailslot_message message;
    EXPECT(0, mailslot_peek(slot, 0, &message));
    ck_assert_uint_eq(message.size, size);
    ck_assert_uint_eq(message.uid, own_uid());
    ck_assert_uint_eq(message.gid, gid);
    ck_assert_pstr_eq(message.host, host);
    EXPECT(0, mailslot_consume(slot));
}

/* Whether the child may, and has done all. */
static bool have_done_by_another_group(child_main *run, const char *name) {
    struct child child = child_start(run, name);
    bool is_another = child_hear(&child);
    child_finish(&child);
    if (!is_another) {
        skip("a process cannot become another group's");
    }
    return is_another;
}

START_TEST(a_writer_of_another_group_is_told_truly) {
    mailslot *slot = new_slot("groups");
    EXPECT(0, mailslot_send("groups", "owner's", 7, 0));
    if (have_done_by_another_group(send_in_all_ways, "groups")) {
        EXPECT(0, mailslot_send("groups", "owner's", 7, 0));
        expect_of_group(slot, own_gid(), NULL, 7);
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, 4);
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, 5);
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, 4);
        expect_of_group(slot, SUPPORT_OTHER_USER, "beta", 7);
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, 0);
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, 4);
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, 5000);
        expect_of_group(slot, own_gid(), NULL, 7);
        expect_nothing(slot);
    }
    mailslot_close(slot);
}
END_TEST

/* And takes 8 bytes more, which the limit has room for. */
static void send_largest(const char *name) {
    static char bytes[SMALL_BYTES / 2];
    size_t largest = SMALL_BYTES / 2 - 32;
    bool is_another = become_another_group();
    parent_tell(is_another);
    if (!is_another) {
        return;
    }
    REQUIRE(-EMSGSIZE, mailslot_send(name, bytes, largest + 1, 0));
    REQUIRE(0, mailslot_send(name, bytes, largest, 0));
    REQUIRE(0, mailslot_send(name, bytes, largest, 0));
    REQUIRE(-EAGAIN, mailslot_send(name, NULL, 0, 0));
}

START_TEST(the_largest_message_of_another_group_is_as_large) {
    mailslot *slot = new_slot_with("groups", 0, 0, SMALL_BYTES);
    if (have_done_by_another_group(send_largest, "groups")) {
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, SMALL_BYTES / 2 - 32);
        expect_of_group(slot, SUPPORT_OTHER_USER, NULL, SMALL_BYTES / 2 - 32);
    }
    mailslot_close(slot);
}
END_TEST

/* Whatever its group is: a message of it takes no more than one of another owner's. */
static int fill_own_slot(void *context) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    mailslot_message message;
    int count = 0;
    (void)context;
    options.max_bytes = SMALL_BYTES;
    if (!become_another_group() || mailslot_create("groups", &options, &slot) < 0) {
        return 0;
    }
    while (mailslot_send("groups", "12345678", 8, 0) == 0) {
        count++;
    }
    bool is_true = mailslot_peek(slot, 0, &message) == 0 &&
                   message.gid == SUPPORT_OTHER_USER && !message.host;
    mailslot_close(slot);
    return is_true ? count / 2 : 1;
}

START_TEST(messages_of_the_owners_group_take_the_same_whatever_group_it_is) {
    int r = fork_and_call(fill_own_slot, NULL);
    if (r == 0) {
        skip("a process cannot become another group's");
        return;
    }
    ck_assert_int_eq(r, SMALL_BYTES / (24 + 8) / 2);
}
END_TEST

/* Also when its own group is another one by then than when it created the slot. */
static int send_after_change(void *context) {
    mailslot *slot = NULL;
    uint32_t gid = own_gid();
    (void)context;
    if (mailslot_create("groups", NULL, &slot) < 0 || !become_another_group()) {
        slot = mailslot_close(slot);
        return 2;
    }
    mailslot_message message;
    bool is_true = mailslot_send("groups", "x", 1, 0) == 0 &&
                   mailslot_peek(slot, 0, &message) == 0 &&
                   message.gid == SUPPORT_OTHER_USER && message.gid != gid;
    mailslot_close(slot);
    return is_true ? 0 : 1;
}

START_TEST(an_owner_that_changes_its_group_is_told_truly) {
    int r = fork_and_call(send_after_change, NULL);
    if (r == 2) {
        skip("a process cannot become another group's");
        return;
    }
    ck_assert_int_eq(r, 0);
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
    tcase_add_test(cases, a_writer_of_another_group_is_told_truly);
    tcase_add_test(cases, the_largest_message_of_another_group_is_as_large);
    tcase_add_test(cases,
                   messages_of_the_owners_group_take_the_same_whatever_group_it_is);
    tcase_add_test(cases, an_owner_that_changes_its_group_is_told_truly);
    return suite_run();
}
