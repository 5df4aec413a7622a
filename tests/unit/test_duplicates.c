/* SPDX-License-Identifier: MIT */
/* The window of packets that came lately. The clock is the test's. */
#include "packet.h"
#include "wire/duplicates.h"

#define START INT64_C(1000000000)
#define ADDRESS 0x0a4d0001

static struct ms_duplicates window;

static bool meet(uint32_t address, uint16_t id, const char *text, int64_t now_ns) {
    return ms_duplicates_meet(&window, address, id, text, strlen(text), now_ns);
}

START_TEST(the_same_packet_is_a_duplicate_for_two_seconds) {
    ck_assert(!meet(ADDRESS, 7, "hello", START));
    ck_assert(meet(ADDRESS, 7, "hello", START));
    ck_assert(meet(ADDRESS, 7, "hello", START + 300000));
    ck_assert(meet(ADDRESS, 7, "hello", START + MS_DUPLICATES_NS - 1));
    ck_assert(!meet(ADDRESS, 7, "hello", START + MS_DUPLICATES_NS));
    ck_assert(meet(ADDRESS, 7, "hello", START + MS_DUPLICATES_NS + 1));
}
END_TEST

START_TEST(another_address_id_or_content_is_no_duplicate) {
    ck_assert(!meet(ADDRESS, 7, "hello", START));
    ck_assert(!meet(ADDRESS + 1, 7, "hello", START));
    ck_assert(!meet(ADDRESS, 8, "hello", START));
    ck_assert(!meet(ADDRESS, 7, "hellp", START));
    ck_assert(!meet(ADDRESS, 7, "hello!", START));
    ck_assert(!meet(ADDRESS, 7, "", START));
    ck_assert(meet(ADDRESS, 7, "hello", START));
    ck_assert(meet(ADDRESS, 7, "", START));
}
END_TEST

START_TEST(an_empty_window_knows_nothing) {
    ck_assert(!ms_duplicates_meet(&window, 0, 0, "", 0, 1));
    ck_assert(ms_duplicates_meet(&window, 0, 0, "", 0, 1));
}
END_TEST

START_TEST(a_broadcast_that_is_heard_twice_is_one_message) {
    struct packet packet;
    packet_load(&packet, "02-ours-AnnouncementRequest");
    ck_assert(!ms_duplicates_meet(&window, ADDRESS, 0xa884, packet.bytes, packet.size,
                                  START));
    ck_assert(ms_duplicates_meet(&window, ADDRESS, 0xa884, packet.bytes, packet.size,
                                 START + 300000));
}
END_TEST

/* One more than it holds: the first is forgotten, the second is not. */
START_TEST(a_full_window_forgets_the_oldest) {
    for (uint16_t id = 0; id < MS_DUPLICATES_COUNT; id++) {
        ck_assert(!meet(ADDRESS, id, "x", START));
    }
    ck_assert(meet(ADDRESS, 0, "x", START));
    ck_assert(!meet(ADDRESS, MS_DUPLICATES_COUNT, "x", START));
    ck_assert(meet(ADDRESS, 1, "x", START));
    ck_assert(meet(ADDRESS, MS_DUPLICATES_COUNT, "x", START));
    ck_assert(!meet(ADDRESS, 0, "x", START));
    ck_assert(!meet(ADDRESS, 1, "x", START));
}
END_TEST

START_TEST(each_bit_of_a_packet_counts) {
    struct packet packet;
    packet_make(&packet);
    ck_assert(
        !ms_duplicates_meet(&window, ADDRESS, 1, packet.bytes, packet.size, START));
    for (size_t bit = 0; bit < packet.size * 8; bit++) {
        memset(&window, 0, sizeof window);
        ck_assert(
            !ms_duplicates_meet(&window, ADDRESS, 1, packet.bytes, packet.size, START));
        packet.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        ck_assert(
            !ms_duplicates_meet(&window, ADDRESS, 1, packet.bytes, packet.size, START));
        packet.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "duplicates");
    tcase_add_test(cases, the_same_packet_is_a_duplicate_for_two_seconds);
    tcase_add_test(cases, another_address_id_or_content_is_no_duplicate);
    tcase_add_test(cases, an_empty_window_knows_nothing);
    tcase_add_test(cases, a_broadcast_that_is_heard_twice_is_one_message);
    tcase_add_test(cases, a_full_window_forgets_the_oldest);
    tcase_add_test(cases, each_bit_of_a_packet_counts);
    return suite_run(suite);
}
