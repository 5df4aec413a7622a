/* SPDX-License-Identifier: MIT */
/* Finding names: queries, answers, and what WINS servers say. */
#include "packet.h"
#include "wire/name_query.h"

#define HOST 0x0a010203
#define TYPE 46
#define RECORD_SIZE 54 /* field */
#define ENTRIES 56

static struct packet make_query(bool is_broadcast) {
    struct packet packet;
    struct ms_name_query query = {
        .id = 0xbeef, .is_broadcast = is_broadcast, .name = packet_name("BOX", 0)};
    int size = ms_name_query_encode(&query, packet.bytes, sizeof packet.bytes);
    ck_assert_int_eq(size, MS_NAME_QUERY_SIZE);
    packet.size = (size_t)size;
    return packet;
}

static void query_refused(const struct packet *packet, enum ms_reason expected) {
    struct ms_name_query query;
    enum ms_reason reason = MS_REASON_COUNT;
    ck_assert_int_eq(ms_name_query_decode(packet->bytes, packet->size, &query, &reason),
                     -EBADMSG);
    ck_assert_str_eq(ms_reason_text(reason), ms_reason_text(expected));
}

START_TEST(a_query_is_encoded_and_decoded) {
    for (int is_broadcast = 0; is_broadcast <= 1; is_broadcast++) {
        struct packet packet = make_query(is_broadcast);
        struct ms_netbios_name name = packet_name("BOX", 0);
        struct ms_name_query query;
        enum ms_reason reason;
        ck_assert_int_eq(
            ms_name_query_decode(packet.bytes, packet.size, &query, &reason), 0);
        ck_assert_uint_eq(query.id, 0xbeef);
        ck_assert_int_eq(query.is_broadcast, is_broadcast);
        ck_assert(ms_netbios_name_equals(&query.name, &name));
        ck_assert_mem_eq(packet.bytes + 2, is_broadcast ? "\x01\x10" : "\x01\x00", 2);
    }
}
END_TEST

/* A byte of the query with a value that makes it something else. */
static const struct {
    size_t offset;
    uint8_t value;
    enum ms_reason reason;
} query_damages[] = {
    {2, 0x81, MS_REASON_DIRECTION},  {2, 0x29, MS_REASON_OPERATION},
    {2, 0x09, MS_REASON_OPERATION},  {4, 1, MS_REASON_SECTIONS},
    {5, 0, MS_REASON_SECTIONS},      {5, 2, MS_REASON_SECTIONS},
    {7, 1, MS_REASON_SECTIONS},      {9, 1, MS_REASON_SECTIONS},
    {11, 1, MS_REASON_SECTIONS},     {12, 0xc0, MS_REASON_POINTER},
    {12, 31, MS_REASON_NAME},        {45, 3, MS_REASON_SCOPE},
    {TYPE, 1, MS_REASON_RECORD},     {TYPE + 1, 0x21, MS_REASON_RECORD},
    {TYPE + 1, 1, MS_REASON_RECORD}, {TYPE + 1, 0x0a, MS_REASON_RECORD},
    {TYPE + 3, 2, MS_REASON_RECORD},
};

START_TEST(what_is_no_query_for_one_name_is_refused) {
    struct packet packet = make_query(true);
    packet.bytes[query_damages[_i].offset] = query_damages[_i].value;
    query_refused(&packet, query_damages[_i].reason);
}
END_TEST

START_TEST(a_query_of_another_length_is_refused) {
    struct packet packet = make_query(true);
    packet.bytes[packet.size++] = 0;
    query_refused(&packet, MS_REASON_LENGTH);
    for (packet.size = 0; packet.size < MS_NAME_QUERY_SIZE; packet.size++) {
        query_refused(&packet, MS_REASON_CUT);
    }
}
END_TEST

static struct packet make_answer(bool is_group, size_t count) {
    struct packet packet;
    struct ms_name_answer answer = {.id = 0xbeef,
                                    .is_group = is_group,
                                    .seconds = 300,
                                    .name = packet_name("BOX", 0),
                                    .count = count};
    for (size_t i = 0; i < count; i++) {
        answer.addresses[i] = HOST + (uint32_t)i;
    }
    int size = ms_name_answer_encode(&answer, packet.bytes, sizeof packet.bytes);
    ck_assert_int_eq(size, MS_NAME_ANSWER_HEAD_SIZE + 6 * (int)count);
    packet.size = (size_t)size;
    return packet;
}

static int decode(const struct packet *packet, struct ms_name_answer *ret_answer,
                  enum ms_reason *ret_reason) {
    *ret_reason = MS_REASON_COUNT;
    return ms_name_answer_decode(packet->bytes, packet->size, ret_answer, ret_reason);
}

static struct ms_name_answer decoded(const struct packet *packet) {
    struct ms_name_answer answer;
    enum ms_reason reason;
    int r = decode(packet, &answer, &reason);
    ck_assert_msg(r == 0, "refused: %s", ms_reason_text(reason));
    return answer;
}

static void answer_refused(const struct packet *packet, enum ms_reason expected) {
    struct ms_name_answer answer;
    enum ms_reason reason;
    ck_assert_int_eq(decode(packet, &answer, &reason), -EBADMSG);
    ck_assert_str_eq(ms_reason_text(reason), ms_reason_text(expected));
}

START_TEST(a_host_has_all_addresses_of_its_answer) {
    for (size_t count = 1; count <= MS_NAME_ADDRESSES_MAX; count++) {
        struct packet packet = make_answer(false, count);
        struct ms_name_answer answer = decoded(&packet);
        struct ms_netbios_name name = packet_name("BOX", 0);
        ck_assert_uint_eq(answer.id, 0xbeef);
        ck_assert_uint_eq(answer.error, 0);
        ck_assert_uint_eq(answer.seconds, 300);
        ck_assert(!answer.is_group);
        ck_assert(ms_netbios_name_equals(&answer.name, &name));
        ck_assert_uint_eq(answer.count, count);
        for (size_t i = 0; i < count; i++) {
            ck_assert_uint_eq(answer.addresses[i], HOST + i);
        }
    }
}
END_TEST

START_TEST(a_group_has_no_addresses_whatever_its_answer_says) {
    for (size_t count = 1; count <= MS_NAME_ADDRESSES_MAX; count++) {
        struct packet packet = make_answer(true, count);
        struct ms_name_answer answer = decoded(&packet);
        ck_assert(answer.is_group);
        ck_assert_uint_eq(answer.count, 0);
        ck_assert_uint_eq(answer.addresses[0], 0);
    }
}
END_TEST

/* From nmbd as a WINS server, and from Microsoft's as it is documented. */
START_TEST(a_wins_server_tells_a_group_with_an_address_that_is_none) {
    static const char *const addresses[] = {"\x00\x00\x00\x00", "\xff\xff\xff\xff"};
    struct packet packet = make_answer(true, 1);
    memcpy(packet.bytes + ENTRIES + 2, addresses[_i], 4);
    struct ms_name_answer answer = decoded(&packet);
    ck_assert(answer.is_group);
    ck_assert_uint_eq(answer.count, 0);
}
END_TEST

START_TEST(one_entry_of_a_group_makes_a_group) {
    struct packet packet = make_answer(false, 3);
    packet.bytes[ENTRIES + 12] = 0xe0;
    struct ms_name_answer answer = decoded(&packet);
    ck_assert(answer.is_group);
    ck_assert_uint_eq(answer.count, 0);
}
END_TEST

START_TEST(the_node_type_of_an_address_makes_no_difference) {
    struct packet packet = make_answer(false, 1);
    packet.bytes[ENTRIES] = 0x60;
    struct ms_name_answer answer = decoded(&packet);
    ck_assert(!answer.is_group);
    ck_assert_uint_eq(answer.count, 1);
}
END_TEST

START_TEST(a_host_at_an_address_of_no_host_is_refused) {
    static const char *const addresses[] = {"\x00\x00\x00\x00", "\x00\x01\x02\x03",
                                            "\xe0\x00\x00\x00", "\xf0\x00\x00\x01",
                                            "\xff\xff\xff\xff"};
    for (size_t entry = 0; entry < 3; entry++) {
        struct packet packet = make_answer(false, 3);
        memcpy(packet.bytes + ENTRIES + 6 * entry + 2, addresses[_i], 4);
        answer_refused(&packet, MS_REASON_ADDRESS);
    }
}
END_TEST

START_TEST(a_host_at_any_other_address_is_accepted) {
    static const uint32_t addresses[] = {0x01000000, 0x7f000001, 0xdfffffff};
    static const char *const bytes[] = {"\x01\x00\x00\x00", "\x7f\x00\x00\x01",
                                        "\xdf\xff\xff\xff"};
    struct packet packet = make_answer(false, 1);
    memcpy(packet.bytes + ENTRIES + 2, bytes[_i], 4);
    ck_assert_uint_eq(decoded(&packet).addresses[0], addresses[_i]);
}
END_TEST

/* nmbd and Windows differ in whether they count the record of an error. */
START_TEST(an_answer_that_there_is_no_such_name_is_decoded) {
    for (uint8_t counted = 0; counted <= 1; counted++) {
        for (uint8_t type = 0x0a; type <= 0x20; type += 0x16) {
            struct packet packet = make_answer(false, 1);
            packet.bytes[3] = 0x83;
            packet.bytes[7] = counted;
            packet.bytes[TYPE + 1] = type;
            packet.bytes[RECORD_SIZE + 1] = 0;
            packet.size = ENTRIES;
            struct ms_name_answer answer = decoded(&packet);
            ck_assert_uint_eq(answer.error, 3);
            ck_assert_uint_eq(answer.count, 0);
            ck_assert(!answer.is_group);
        }
    }
}
END_TEST

static const struct {
    size_t offset;
    uint8_t value;
    enum ms_reason reason;
} answer_damages[] = {
    {2, 0x05, MS_REASON_DIRECTION},
    {2, 0xad, MS_REASON_OPERATION},
    {2, 0xbd, MS_REASON_OPERATION},
    {5, 1, MS_REASON_SECTIONS},
    {6, 1, MS_REASON_SECTIONS},
    {7, 0, MS_REASON_SECTIONS},
    {7, 2, MS_REASON_SECTIONS},
    {9, 1, MS_REASON_SECTIONS},
    {11, 1, MS_REASON_SECTIONS},
    {12, 0xc0, MS_REASON_POINTER},
    {45, 1, MS_REASON_SCOPE},
    {TYPE + 1, 0x21, MS_REASON_RECORD},
    {TYPE + 1, 0x0a, MS_REASON_RECORD},
    {TYPE + 3, 0, MS_REASON_RECORD},
    {RECORD_SIZE, 1, MS_REASON_LENGTH},
    {RECORD_SIZE + 1, 5, MS_REASON_LENGTH},
    {RECORD_SIZE + 1, 7, MS_REASON_LENGTH},
    {RECORD_SIZE + 1, 12, MS_REASON_LENGTH},
    {RECORD_SIZE + 1, 0, MS_REASON_LENGTH},
};

START_TEST(what_is_no_answer_about_one_name_is_refused) {
    struct packet packet = make_answer(false, 1);
    packet.bytes[answer_damages[_i].offset] = answer_damages[_i].value;
    answer_refused(&packet, answer_damages[_i].reason);
}
END_TEST

START_TEST(an_answer_without_whole_addresses_is_refused) {
    for (uint8_t size = 0; size < 30; size++) {
        struct packet packet = make_answer(false, 5);
        packet.bytes[RECORD_SIZE + 1] = size;
        packet.size = (size_t)ENTRIES + size;
        if (size == 0 || size % 6 != 0) {
            answer_refused(&packet, MS_REASON_RECORD);
        } else {
            ck_assert_uint_eq(decoded(&packet).count, size / 6);
        }
    }
}
END_TEST

START_TEST(an_answer_that_is_cut_is_refused) {
    struct packet packet = make_answer(false, 2);
    size_t whole = packet.size;
    for (packet.size = 0; packet.size < whole; packet.size++) {
        answer_refused(&packet,
                       packet.size < ENTRIES ? MS_REASON_CUT : MS_REASON_LENGTH);
    }
}
END_TEST

/* 100 of them, all the same. */
START_TEST(of_more_addresses_than_there_is_room_for_the_first_are_taken) {
    struct packet packet = make_answer(false, 1);
    for (size_t i = 1; i < 100; i++) {
        memcpy(packet.bytes + ENTRIES + 6 * i, packet.bytes + ENTRIES, 6);
    }
    packet.bytes[RECORD_SIZE] = 600 >> 8;
    packet.bytes[RECORD_SIZE + 1] = 600 & 0xff;
    packet.size = ENTRIES + 600;
    ck_assert_uint_eq(decoded(&packet).count, MS_NAME_ADDRESSES_MAX);
}
END_TEST

START_TEST(what_is_encoded_fits_the_buffer_or_is_refused) {
    struct ms_name_answer answer = {.name = packet_name("BOX", 0), .count = 2};
    struct ms_name_query query = {.name = packet_name("BOX", 0)};
    uint8_t buffer[256];
    for (size_t capacity = 0; capacity <= 68; capacity++) {
        memset(buffer, 0x5a, sizeof buffer);
        ck_assert_int_eq(ms_name_answer_encode(&answer, buffer, capacity),
                         capacity < 68 ? -ENOBUFS : 68);
        ck_assert_uint_eq(buffer[capacity], 0x5a);
        memset(buffer, 0x5a, sizeof buffer);
        ck_assert_int_eq(ms_name_query_encode(&query, buffer, capacity),
                         capacity < 50 ? -ENOBUFS : 50);
        ck_assert_uint_eq(buffer[capacity], 0x5a);
    }
}
END_TEST

START_TEST(an_answer_without_addresses_is_not_encoded) {
    struct ms_name_answer answer = {.name = packet_name("BOX", 0)};
    uint8_t buffer[256];
    ck_assert_int_eq(ms_name_answer_encode(&answer, buffer, sizeof buffer), -EINVAL);
    answer.count = MS_NAME_ADDRESSES_MAX + 1;
    ck_assert_int_eq(ms_name_answer_encode(&answer, buffer, sizeof buffer), -EINVAL);
    answer.count = 1;
    answer.error = 3;
    ck_assert_int_eq(ms_name_answer_encode(&answer, buffer, sizeof buffer), -EINVAL);
    answer.error = 0;
    ck_assert_int_eq(ms_name_answer_encode(&answer, buffer, sizeof buffer), 62);
}
END_TEST

static void add_answers(TCase *cases) {
    tcase_add_test(cases, a_host_has_all_addresses_of_its_answer);
    tcase_add_test(cases, a_group_has_no_addresses_whatever_its_answer_says);
    tcase_add_loop_test(cases, a_wins_server_tells_a_group_with_an_address_that_is_none,
                        0, 2);
    tcase_add_test(cases, one_entry_of_a_group_makes_a_group);
    tcase_add_test(cases, the_node_type_of_an_address_makes_no_difference);
    tcase_add_loop_test(cases, a_host_at_an_address_of_no_host_is_refused, 0, 5);
    tcase_add_loop_test(cases, a_host_at_any_other_address_is_accepted, 0, 3);
    tcase_add_test(cases, an_answer_that_there_is_no_such_name_is_decoded);
    tcase_add_loop_test(cases, what_is_no_answer_about_one_name_is_refused, 0,
                        COUNT(answer_damages));
    tcase_add_test(cases, an_answer_without_whole_addresses_is_refused);
    tcase_add_test(cases, an_answer_that_is_cut_is_refused);
    tcase_add_test(cases, of_more_addresses_than_there_is_room_for_the_first_are_taken);
}

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "name_query");
    tcase_add_test(cases, a_query_is_encoded_and_decoded);
    tcase_add_loop_test(cases, what_is_no_query_for_one_name_is_refused, 0,
                        COUNT(query_damages));
    tcase_add_test(cases, a_query_of_another_length_is_refused);
    add_answers(cases);
    tcase_add_test(cases, what_is_encoded_fits_the_buffer_or_is_refused);
    tcase_add_test(cases, an_answer_without_addresses_is_not_encoded);
    return suite_run(suite);
}
