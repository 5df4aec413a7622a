/* SPDX-License-Identifier: MIT */
/* The window of datagrams that came lately. The clock is the test's. */
#include "packet.h"
#include "wire/duplicates.h"

#define START INT64_C(1000000000)

static struct ms_duplicates window;

static struct ms_datagram datagram_of(const char *from, const char *to, uint16_t id,
                                      const char *text) {
    return (struct ms_datagram){.type = MS_DATAGRAM_GROUP,
                                .id = id,
                                .source = packet_name(from, 0),
                                .destination = packet_name(to, 0),
                                .data = (const uint8_t *)text,
                                .size = strlen(text)};
}

static bool meet(uint16_t id, const char *text, int64_t now_ns) {
    struct ms_datagram datagram = datagram_of("PEER", "BOX", id, text);
    return ms_duplicates_meet(&window, &datagram, now_ns);
}

static bool meet_packet(const struct packet *packet, int64_t now_ns) {
    struct ms_datagram datagram;
    enum ms_reason reason;
    ck_assert_int_eq(
        ms_datagram_decode(packet->bytes, packet->size, &datagram, &reason), 0);
    return ms_duplicates_meet(&window, &datagram, now_ns);
}

START_TEST(the_same_datagram_is_a_duplicate_for_two_seconds) {
    ck_assert(!meet(7, "hello", START));
    ck_assert(meet(7, "hello", START));
    ck_assert(meet(7, "hello", START + 300000));
    ck_assert(meet(7, "hello", START + MS_DUPLICATES_NS - 1));
    ck_assert(!meet(7, "hello", START + MS_DUPLICATES_NS));
    ck_assert(meet(7, "hello", START + MS_DUPLICATES_NS + 1));
}
END_TEST

START_TEST(another_id_name_or_content_is_no_duplicate) {
    struct ms_datagram of_other = datagram_of("OTHER", "BOX", 7, "hello");
    struct ms_datagram to_other = datagram_of("PEER", "OTHER", 7, "hello");
    ck_assert(!meet(7, "hello", START));
    ck_assert(!ms_duplicates_meet(&window, &of_other, START));
    ck_assert(!ms_duplicates_meet(&window, &to_other, START));
    ck_assert(!meet(8, "hello", START));
    ck_assert(!meet(7, "hellp", START));
    ck_assert(!meet(7, "hello!", START));
    ck_assert(!meet(7, "", START));
    ck_assert(meet(7, "hello", START));
    ck_assert(meet(7, "", START));
}
END_TEST

START_TEST(what_comes_from_another_address_as_well_is_a_duplicate) {
    struct ms_datagram datagram = datagram_of("PEER", "BOX", 7, "hello");
    datagram.claimed_address = 0x0a4d0001;
    ck_assert(!ms_duplicates_meet(&window, &datagram, START));
    datagram.claimed_address = 0x0a4e0001;
    ck_assert(ms_duplicates_meet(&window, &datagram, START));
}
END_TEST

START_TEST(a_broadcast_that_is_heard_twice_is_one_message) {
    struct packet packet;
    packet_load(&packet, "02-ours-AnnouncementRequest");
    ck_assert(!meet_packet(&packet, START));
    ck_assert(meet_packet(&packet, START + 300000));
}
END_TEST

/* One more than it holds: the first is forgotten, the second is not. */
START_TEST(a_full_window_forgets_the_oldest) {
    for (uint16_t id = 0; id < MS_DUPLICATES_COUNT; id++) {
        ck_assert(!meet(id, "x", START));
    }
    ck_assert(meet(0, "x", START));
    ck_assert(!meet(MS_DUPLICATES_COUNT, "x", START));
    ck_assert(meet(1, "x", START));
    ck_assert(meet(MS_DUPLICATES_COUNT, "x", START));
    ck_assert(!meet(0, "x", START));
    ck_assert(!meet(1, "x", START));
}
END_TEST

START_TEST(each_bit_of_the_data_counts) {
    char text[] = "hello";
    for (size_t bit = 0; bit < 8 * strlen("hello"); bit++) {
        memset(&window, 0, sizeof window);
        struct ms_datagram datagram = datagram_of("PEER", "BOX", 7, text);
        ck_assert(!ms_duplicates_meet(&window, &datagram, START));
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        ck_assert(!ms_duplicates_meet(&window, &datagram, START));
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        ck_assert(ms_duplicates_meet(&window, &datagram, START));
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "duplicates");
    tcase_add_test(cases, the_same_datagram_is_a_duplicate_for_two_seconds);
    tcase_add_test(cases, another_id_name_or_content_is_no_duplicate);
    tcase_add_test(cases, what_comes_from_another_address_as_well_is_a_duplicate);
    tcase_add_test(cases, a_broadcast_that_is_heard_twice_is_one_message);
    tcase_add_test(cases, a_full_window_forgets_the_oldest);
    tcase_add_test(cases, each_bit_of_the_data_counts);
    return suite_run(suite);
}
