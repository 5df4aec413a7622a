/* SPDX-License-Identifier: MIT */
/* Datagrams: which are accepted, which are dropped, and why. */
#include "packet.h"

#define NAME_CUT (PACKET_DESTINATION + MS_NETBIOS_WIRE_SIZE - 1)

static struct packet example(void) {
    struct packet packet;
    packet_make(&packet);
    return packet;
}

START_TEST(what_is_encoded_is_accepted_with_all_that_it_says) {
    struct packet packet = example();
    struct ms_datagram datagram;
    enum ms_reason reason;
    packet_accepted(&packet);
    ck_assert_int_eq(ms_datagram_decode(packet.bytes, packet.size, &datagram, &reason),
                     0);
    struct ms_netbios_name source = packet_name("PEER", 0);
    ck_assert_int_eq(datagram.type, MS_DATAGRAM_UNIQUE);
    ck_assert_uint_eq(datagram.id, 0x1234);
    ck_assert_uint_eq(datagram.claimed_port, 138);
    ck_assert(ms_netbios_name_equals(&datagram.source, &source));
    ck_assert_ptr_eq(datagram.data, packet.bytes + PACKET_SMB);
    ck_assert_uint_eq(datagram.size, packet.size - PACKET_SMB);
}
END_TEST

START_TEST(a_forged_source_address_is_no_more_than_a_claim) {
    struct packet packet = example();
    struct ms_datagram datagram;
    enum ms_reason reason;
    memcpy(packet.bytes + 4, "\xc0\xa8\x01\x02\x1f\x90", 6);
    packet_accepted(&packet);
    ck_assert_int_eq(ms_datagram_decode(packet.bytes, packet.size, &datagram, &reason),
                     0);
    ck_assert_uint_eq(datagram.claimed_address, 0xc0a80102);
    ck_assert_uint_eq(datagram.claimed_port, 8080);
}
END_TEST

START_TEST(own_echoes_are_dropped) {
    struct packet packet = example();
    packet_put_name(&packet, MS_DATAGRAM_HEADER_SIZE, "BOX", 0);
    packet_refused(&packet, MS_REASON_ECHO);
    packet_put_name(&packet, PACKET_DESTINATION, "WORK", 0);
    packet_refused(&packet, MS_REASON_ECHO);
}
END_TEST

START_TEST(a_length_that_is_not_the_length_is_dropped) {
    struct packet packet = example();
    static const int errors[] = {-1, 1, 14, -14, 256, -100};
    uint16_t length = (uint16_t)(packet.size - MS_DATAGRAM_HEADER_SIZE);
    for (int i = 0; i < COUNT(errors); i++) {
        packet.bytes[10] = (uint8_t)((length + errors[i]) >> 8);
        packet.bytes[11] = (uint8_t)(length + errors[i]);
        packet_refused(&packet, MS_REASON_LENGTH);
    }
}
END_TEST

START_TEST(a_datagram_with_bytes_after_its_end_is_dropped) {
    struct packet packet = example();
    packet.bytes[packet.size++] = 0;
    packet_refused(&packet, MS_REASON_LENGTH);
}
END_TEST

/* Byte 1: the node types and reserved bits make no difference, F and M do. */
START_TEST(a_fragment_is_dropped) {
    struct packet packet = example();
    for (unsigned flags = 0; flags < 256; flags++) {
        packet.bytes[1] = (uint8_t)flags;
        if ((flags & 3) == 2) {
            packet_accepted(&packet);
        } else {
            packet_refused(&packet, MS_REASON_FRAGMENT);
        }
    }
    packet.bytes[1] = 2;
    packet.bytes[13] = 1;
    packet_refused(&packet, MS_REASON_FRAGMENT);
    packet.bytes[13] = 0;
    packet.bytes[12] = 1;
    packet_refused(&packet, MS_REASON_FRAGMENT);
}
END_TEST

START_TEST(each_type_of_message_is_accepted_for_each_name_of_ours) {
    static const char *const names[] = {"BOX", "WORK"};
    for (uint8_t type = 0x10; type <= 0x12; type++) {
        for (int i = 0; i < COUNT(names); i++) {
            struct packet packet = example();
            packet.bytes[0] = type;
            packet_put_name(&packet, PACKET_DESTINATION, names[i], 0);
            packet_accepted(&packet);
        }
    }
}
END_TEST

START_TEST(the_wildcard_is_ours_in_a_broadcast_only) {
    struct packet packet = example();
    packet_put_name(&packet, PACKET_DESTINATION, "*", 0);
    packet_refused(&packet, MS_REASON_NOT_OURS);
    packet.bytes[0] = MS_DATAGRAM_GROUP;
    packet_refused(&packet, MS_REASON_NOT_OURS);
    packet.bytes[0] = MS_DATAGRAM_BROADCAST;
    packet_accepted(&packet);
}
END_TEST

START_TEST(a_name_that_is_not_ours_is_dropped) {
    static const struct {
        const char *text;
        uint8_t suffix;
    } names[] = {{"BOXX", 0}, {"BO", 0},    {"BOX", 3},    {"BOX", 0x20},
                 {"PEER", 0}, {"WORKS", 0}, {"WORK", 0x1d}};
    for (int i = 0; i < COUNT(names); i++) {
        struct packet packet = example();
        packet_put_name(&packet, PACKET_DESTINATION, names[i].text, names[i].suffix);
        for (uint8_t type = 0x10; type <= 0x12; type++) {
            packet.bytes[0] = type;
            packet_refused(&packet, MS_REASON_NOT_OURS);
        }
    }
}
END_TEST

/* The letters of `b` in the place of those of `B`. */
START_TEST(a_name_in_lower_case_is_not_ours) {
    struct packet packet = example();
    ck_assert_mem_eq(packet.bytes + PACKET_DESTINATION + 1, "EC", 2);
    memcpy(packet.bytes + PACKET_DESTINATION + 1, "GC", 2);
    packet_refused(&packet, MS_REASON_NOT_OURS);
}
END_TEST

START_TEST(errors_queries_and_other_types_are_dropped) {
    struct packet packet = example();
    for (unsigned type = 0; type < 256; type++) {
        packet.bytes[0] = (uint8_t)type;
        if (type < 0x10 || type > 0x12) {
            packet_refused(&packet, MS_REASON_TYPE);
        }
    }
}
END_TEST

START_TEST(an_error_packet_is_dropped) {
    struct packet packet = {.bytes = {0x13, 2, 0, 1, 10, 77, 0, 2, 0, 138, 0x82},
                            .size = 11};
    packet_refused(&packet, MS_REASON_CUT);
}
END_TEST

/* A label after the name, and the length put right. */
START_TEST(a_name_with_a_scope_is_dropped) {
    struct packet packet = example();
    memmove(packet.bytes + NAME_CUT + 4, packet.bytes + NAME_CUT,
            packet.size - NAME_CUT);
    memcpy(packet.bytes + NAME_CUT, "\x03net", 4);
    packet.size += 4;
    packet.bytes[11] = (uint8_t)(packet.bytes[11] + 4);
    packet_refused(&packet, MS_REASON_SCOPE);
}
END_TEST

START_TEST(a_compression_pointer_is_dropped) {
    for (unsigned length = 0xc0; length < 0x100; length++) {
        struct packet packet = example();
        packet.bytes[PACKET_DESTINATION] = (uint8_t)length;
        packet_refused(&packet, MS_REASON_POINTER);
        packet = example();
        packet.bytes[NAME_CUT] = (uint8_t)length;
        packet_refused(&packet, MS_REASON_POINTER);
    }
}
END_TEST

START_TEST(data_over_512_bytes_is_dropped) {
    struct packet packet = example();
    for (size_t size = 512; size <= 513; size++) {
        size_t length = 2 * MS_NETBIOS_WIRE_SIZE + size;
        packet.size = MS_DATAGRAM_HEADER_SIZE + length;
        packet.bytes[10] = (uint8_t)(length >> 8);
        packet.bytes[11] = (uint8_t)length;
        if (size == 512) {
            packet_accepted(&packet);
        } else {
            packet_refused(&packet, MS_REASON_OVERSIZE);
        }
    }
}
END_TEST

START_TEST(data_over_512_bytes_is_not_encoded) {
    uint8_t data[513] = {0};
    uint8_t buffer[MS_DATAGRAM_MAX];
    struct ms_datagram datagram = {.type = MS_DATAGRAM_UNIQUE,
                                   .source = packet_name("A", 0),
                                   .destination = packet_name("B", 0),
                                   .data = data,
                                   .size = 513};
    ck_assert_int_eq(ms_datagram_encode(&datagram, buffer, sizeof buffer), -EMSGSIZE);
    datagram.size = 512;
    ck_assert_int_eq(ms_datagram_encode(&datagram, buffer, sizeof buffer), 594);
    ck_assert_int_eq(MS_DATAGRAM_MAX, 594);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_not_overrun) {
    struct packet packet = example();
    struct ms_datagram datagram;
    enum ms_reason reason;
    ck_assert_int_eq(ms_datagram_decode(packet.bytes, packet.size, &datagram, &reason),
                     0);
    for (size_t capacity = 0; capacity <= packet.size; capacity++) {
        uint8_t *buffer = malloc(capacity + 1);
        ck_assert_ptr_nonnull(buffer);
        buffer[capacity] = 0x5a;
        int r = ms_datagram_encode(&datagram, buffer, capacity);
        ck_assert_int_eq(r, capacity < packet.size ? -ENOBUFS : (int)packet.size);
        ck_assert_uint_eq(buffer[capacity], 0x5a);
        free(buffer);
    }
}
END_TEST

START_TEST(every_reason_has_words_of_its_own) {
    for (int i = 0; i < MS_REASON_COUNT; i++) {
        const char *text = ms_reason_text((enum ms_reason)i);
        ck_assert_ptr_nonnull(text);
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(text, ms_reason_text((enum ms_reason)j));
        }
    }
    ck_assert_str_eq(ms_reason_text(MS_REASON_COUNT), "unknown");
    ck_assert_str_eq(ms_reason_text((enum ms_reason) - 1), "unknown");
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "datagram");
    tcase_add_test(cases, what_is_encoded_is_accepted_with_all_that_it_says);
    tcase_add_test(cases, a_forged_source_address_is_no_more_than_a_claim);
    tcase_add_test(cases, own_echoes_are_dropped);
    tcase_add_test(cases, a_length_that_is_not_the_length_is_dropped);
    tcase_add_test(cases, a_datagram_with_bytes_after_its_end_is_dropped);
    tcase_add_test(cases, a_fragment_is_dropped);
    tcase_add_test(cases, each_type_of_message_is_accepted_for_each_name_of_ours);
    tcase_add_test(cases, the_wildcard_is_ours_in_a_broadcast_only);
    tcase_add_test(cases, a_name_that_is_not_ours_is_dropped);
    tcase_add_test(cases, a_name_in_lower_case_is_not_ours);
    tcase_add_test(cases, errors_queries_and_other_types_are_dropped);
    tcase_add_test(cases, an_error_packet_is_dropped);
    tcase_add_test(cases, a_name_with_a_scope_is_dropped);
    tcase_add_test(cases, a_compression_pointer_is_dropped);
    tcase_add_test(cases, data_over_512_bytes_is_dropped);
    tcase_add_test(cases, data_over_512_bytes_is_not_encoded);
    tcase_add_test(cases, a_buffer_that_is_too_small_is_not_overrun);
    tcase_add_test(cases, every_reason_has_words_of_its_own);
    return suite_run(suite);
}
