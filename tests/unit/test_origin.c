/* SPDX-License-Identifier: MIT */
/* Messages that tell whose they are, and from which machine. */
#include "ring.h"

#include <errno.h>

#define CAPACITY 8192
#define LONGEST 255

static struct ms_origin origin_of(uint32_t uid, uint32_t gid, const char *host,
                                  bool is_verified) {
    struct ms_origin origin = {.uid = uid, .gid = gid};
    ms_origin_set_host(&origin, host, is_verified);
    return origin;
}

/* Send one message and read it: it tells what it was given, and takes so many bytes. */
static void expect_told(struct ring *ring, uint32_t size,
                        const struct ms_origin *origin, const char *host,
                        uint64_t extent) {
    uint64_t before = ms_reader_free(&ring->reader);
    ck_assert_int_eq(ring_send_from(ring, size, size, origin), 0);
    ck_assert_uint_eq(before - ms_reader_free(&ring->reader), extent);
    ring_check(ring);
    mailslot_message message = ring_show_any(ring, size, size);
    ck_assert_uint_eq(message.uid, origin->uid);
    ck_assert_uint_eq(message.gid, origin->gid);
    ck_assert_pstr_eq(message.host, host);
    ck_assert_int_eq(message.is_host_verified, host && host[0] == 'v');
    ms_reader_release(&ring->reader);
    ms_reader_rewind(&ring->reader);
}

START_TEST(another_users_message_tells_user_and_group_in_8_bytes) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    struct ms_origin origin = origin_of(1000, 100, NULL, true);
    for (uint32_t size = 0; size <= 64; size++) {
        expect_told(&ring, size, &origin, NULL, (24 + size + 7) / 8 * 8 + 8);
    }
    ring_expect(&ring, 0, 0, MAILSLOT_NO_MESSAGE);
    ring_fini(&ring);
}
END_TEST

START_TEST(a_message_from_another_machine_tells_the_host_behind_them) {
    char longest[LONGEST + 1] = {0};
    memset(longest, 'v', LONGEST);
    const struct {
        const char *host;
        uint64_t extent;
    } hosts[] = {{"h", 24 + 16 + 8 + 8},
                 {"six666", 24 + 16 + 8 + 8},
                 {"seven77", 24 + 16 + 8 + 16},
                 {"verified", 24 + 16 + 8 + 16},
                 {longest, 24 + 16 + 8 + 264}};
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        const char *host = hosts[i].host;
        struct ms_origin origin = origin_of(RING_UID, 77, host, host[0] == 'v');
        expect_told(&ring, 13, &origin, host, hosts[i].extent);
    }
    ring_fini(&ring);
}
END_TEST

/* It keeps whose it is, and what was there of a longer name is gone. */
START_TEST(a_host_is_changed_and_taken_back) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    struct ms_origin origin = origin_of(5, 6, "verified.example", true);
    expect_told(&ring, 3, &origin, "verified.example", 32 + 8 + 24);
    ms_origin_set_host(&origin, "h", false);
    expect_told(&ring, 3, &origin, "h", 32 + 8 + 8);
    ms_origin_set_host(&origin, NULL, true);
    expect_told(&ring, 3, &origin, NULL, 32 + 8);
    ck_assert_int_eq(origin.host[0] | origin.host[1], 0);
    ck_assert_uint_eq(origin.uid, 5);
    ck_assert_uint_eq(origin.gid, 6);
    ring_fini(&ring);
}
END_TEST

START_TEST(only_a_message_that_tells_a_host_was_brought) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    struct ms_origin other = origin_of(5, 6, NULL, false);
    struct ms_origin brought = origin_of(RING_UID, RING_GID, "h", false);
    const struct ms_origin *origins[] = {NULL, &other, &brought, &other, NULL};
    for (uint64_t i = 0; i < 5; i++) {
        struct ms_status status;
        ck_assert_int_eq(ring_send_from(&ring, i, 10, origins[i]), 0);
        ring_check(&ring);
        ck_assert_int_eq(ms_queue_status(&ring.queue, NULL, NULL, &status), 0);
        ck_assert_uint_eq(status.brought, i >= 2);
    }
    ring_fini(&ring);
}
END_TEST

/* As it was when the owner began: it keeps that to itself. */
START_TEST(a_message_that_tells_nothing_is_the_owners_whatever_the_header_says_now) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    struct ms_origin other = origin_of(1000, 100, NULL, false);
    ck_assert_int_eq(ring_send(&ring, 1, 10), 0);
    ck_assert_int_eq(ring_send_from(&ring, 2, 10, &other), 0);
    ck_assert_int_eq(ring_send(&ring, 3, 10), 0);
    ring.header->uid = ring.header->gid = 0;
    ring_show(&ring, 1, 10);
    ring_show_any(&ring, 2, 10);
    ring_show(&ring, 3, 10); /* not as the one before it */
    ring_fini(&ring);
}
END_TEST

START_TEST(who_has_not_both_of_the_owners_is_another_one) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    ck_assert(ms_queue_is_owners(ring.header, RING_UID, RING_GID));
    ck_assert(!ms_queue_is_owners(ring.header, RING_UID, RING_GID + 1));
    ck_assert(!ms_queue_is_owners(ring.header, RING_UID + 1, RING_GID));
    ck_assert(!ms_queue_is_owners(ring.header, RING_GID, RING_UID));
    ring_fini(&ring);
}
END_TEST

/* A name of any bytes has an end, and does not move any more when it is shown. */
START_TEST(a_host_without_an_end_is_cut) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    for (uint16_t size = 16; size <= MS_ORIGIN_SIZE_MAX; size += 8) {
        struct ms_origin origin = {.uid = 5, .gid = 6, .size = size};
        memset(origin.host, 'v', sizeof origin.host);
        ck_assert_int_eq(ring_send_from(&ring, 1, 10, &origin), 0);
        mailslot_message message = ring_show_any(&ring, 1, 10);
        memset((char *)(uintptr_t)message.data + 16, 'x', size);
        ck_assert_uint_eq(message.uid, 5);
        ck_assert_uint_eq(message.gid, 6);
        ck_assert_uint_eq(strlen(message.host), size - 8u - 2);
        ck_assert_int_eq(message.host[0], 'v');
        ms_reader_release(&ring.reader);
    }
    ring_fini(&ring);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "origin");
    tcase_add_test(cases, another_users_message_tells_user_and_group_in_8_bytes);
    tcase_add_test(cases, a_message_from_another_machine_tells_the_host_behind_them);
    tcase_add_test(cases, a_host_is_changed_and_taken_back);
    tcase_add_test(cases, only_a_message_that_tells_a_host_was_brought);
    tcase_add_test(
        cases, a_message_that_tells_nothing_is_the_owners_whatever_the_header_says_now);
    tcase_add_test(cases, who_has_not_both_of_the_owners_is_another_one);
    tcase_add_test(cases, a_host_without_an_end_is_cut);
    return suite_run(suite);
}
