/* SPDX-License-Identifier: MIT */
/* The head of messages for the gateway. */
#include "packet.h"
#include "wire/outbound.h"

static struct packet make(const char *host, const char *slot, const char *data) {
    struct packet packet;
    int size = ms_outbound_encode(host, slot, packet.bytes);
    ck_assert_int_ge(size, MS_OUTBOUND_FIXED_SIZE);
    memcpy(packet.bytes + size, data, strlen(data));
    packet.size = (size_t)size + strlen(data);
    return packet;
}

static void refused(const struct packet *packet, enum ms_reason expected) {
    struct ms_outbound outbound;
    enum ms_reason reason = MS_REASON_COUNT;
    ck_assert_int_eq(
        ms_outbound_decode(packet->bytes, packet->size, &outbound, &reason), -EBADMSG);
    ck_assert_str_eq(ms_reason_text(reason), ms_reason_text(expected));
}

START_TEST(the_head_is_laid_out_as_told) {
    static const uint8_t zeros[256] = {0};
    struct packet packet = make("HOST", "jobs5", "data");
    ck_assert_uint_eq(packet.size, 276);
    ck_assert_mem_eq(packet.bytes, "MSOB\x01\x00\x05\x00HOST", 12);
    ck_assert_mem_eq(packet.bytes + 12, zeros, 252);
    ck_assert_mem_eq(packet.bytes + 264, "jobs5\0\0\0data", 12);
}
END_TEST

START_TEST(host_slot_and_data_come_back_as_they_were) {
    static const char *const hosts[] = {"HOST", "*", "elsewhere.example"};
    static const char *const slots[] = {"a", "jobs", "Jobs\\a", "\xc3\xa4"};
    static const char *const texts[] = {"", "p", "payload"};
    for (int i = 0; i < COUNT(hosts) * COUNT(slots) * COUNT(texts); i++) {
        const char *host = hosts[i % COUNT(hosts)];
        const char *slot = slots[i / COUNT(hosts) % COUNT(slots)];
        const char *text = texts[i / COUNT(hosts) / COUNT(slots)];
        struct packet packet = make(host, slot, text);
        struct ms_outbound outbound;
        enum ms_reason reason;
        ck_assert_int_eq(
            ms_outbound_decode(packet.bytes, packet.size, &outbound, &reason), 0);
        ck_assert_str_eq(outbound.host, host);
        ck_assert_str_eq(outbound.slot, slot);
        ck_assert_uint_eq(outbound.size, strlen(text));
        ck_assert_mem_eq(outbound.data, text, strlen(text));
    }
}
END_TEST

/* So that a bound of head and data together bounds the data as the wire does. */
START_TEST(the_head_grows_with_the_name_as_the_limit_of_the_wire_shrinks) {
    char slot[MAILSLOT_NAME_MAX + 1] = "";
    uint8_t head[MS_OUTBOUND_HEAD_MAX];
    for (size_t size = 1; size <= MAILSLOT_NAME_MAX; size++) {
        slot[size - 1] = 's';
        int head_size = ms_outbound_encode("h", slot, head);
        ck_assert_uint_eq((size_t)head_size + ms_mailslot_write_limit(size),
                          MS_OUTBOUND_FIXED_SIZE + 432);
    }
}
END_TEST

START_TEST(host_and_slot_are_neither_empty_nor_too_long) {
    char host[MS_OUTBOUND_HOST_MAX + 2] = "";
    char slot[MAILSLOT_NAME_MAX + 2] = "";
    uint8_t head[MS_OUTBOUND_HEAD_MAX];
    ck_assert_int_eq(ms_outbound_encode("", "s", head), -EINVAL);
    ck_assert_int_eq(ms_outbound_encode("h", "", head), -EINVAL);
    memset(host, 'h', MS_OUTBOUND_HOST_MAX + 1);
    memset(slot, 's', MAILSLOT_NAME_MAX + 1);
    ck_assert_int_eq(ms_outbound_encode(host, "s", head), -ENAMETOOLONG);
    ck_assert_int_eq(ms_outbound_encode("h", slot, head), -ENAMETOOLONG);
    host[MS_OUTBOUND_HOST_MAX] = '\0';
    slot[MAILSLOT_NAME_MAX] = '\0';
    ck_assert_int_eq(ms_outbound_encode(host, slot, head), MS_OUTBOUND_HEAD_MAX);
}
END_TEST

/* The size of the name in the head, with a message that is long enough. */
START_TEST(a_size_of_the_name_that_cannot_be_is_refused) {
    static const unsigned sizes[] = {0, 247, 0x8000, 0xffff};
    struct packet packet = make("HOST", "x", "");
    memset(packet.bytes + packet.size, 'p', sizeof packet.bytes - packet.size);
    packet.size = sizeof packet.bytes;
    for (int i = 0; i < COUNT(sizes); i++) {
        packet.bytes[6] = (uint8_t)sizes[i];
        packet.bytes[7] = (uint8_t)(sizes[i] >> 8);
        refused(&packet, MS_REASON_SLOT_NAME);
    }
}
END_TEST

START_TEST(a_name_with_control_characters_or_zeros_is_refused) {
    static const uint8_t bad[] = {0, 1, '\n', 0x1f, 0x7f};
    for (int i = 0; i < COUNT(bad); i++) {
        struct packet packet = make("HOST", "slot", "data");
        packet.bytes[9] = bad[i];
        refused(&packet, MS_REASON_DESTINATION);
        packet = make("HOST", "slot", "data");
        packet.bytes[265] = bad[i];
        refused(&packet, MS_REASON_SLOT_NAME);
    }
}
END_TEST

START_TEST(anything_behind_a_name_is_refused) {
    for (size_t offset = 13; offset < 264; offset++) {
        struct packet packet = make("HOST", "x", "data");
        packet.bytes[offset] = 'x';
        refused(&packet, MS_REASON_DESTINATION);
    }
    for (size_t offset = 265; offset < 268; offset++) {
        struct packet packet = make("HOST", "x", "data");
        packet.bytes[offset] = 'x';
        refused(&packet, MS_REASON_SLOT_NAME);
    }
    struct packet packet = make("HOST", "x", "data");
    memset(packet.bytes + 8, 'h', 256); /* a host without an end */
    refused(&packet, MS_REASON_DESTINATION);
}
END_TEST

START_TEST(a_message_of_anything_else_or_another_version_is_refused) {
    for (size_t offset = 0; offset < 6; offset++) {
        struct packet original = make("HOST", "x", "");
        for (unsigned value = 0; value < 256; value++) {
            struct packet packet = original;
            packet.bytes[offset] = (uint8_t)value;
            if (value != original.bytes[offset]) {
                refused(&packet, offset < 4 ? MS_REASON_MAGIC : MS_REASON_VERSION);
            }
        }
    }
}
END_TEST

START_TEST(a_message_that_is_cut_is_refused) {
    struct packet packet = make("HOST", "jobs5", "");
    size_t whole = packet.size;
    for (size_t size = 0; size < whole; size++) {
        uint8_t *bytes = malloc(size + (size == 0));
        struct ms_outbound outbound;
        enum ms_reason reason = MS_REASON_COUNT;
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, packet.bytes, size);
        ck_assert_int_eq(ms_outbound_decode(bytes, size, &outbound, &reason), -EBADMSG);
        ck_assert_uint_eq(reason, MS_REASON_CUT);
        free(bytes);
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "outbound");
    tcase_add_test(cases, the_head_is_laid_out_as_told);
    tcase_add_test(cases, host_slot_and_data_come_back_as_they_were);
    tcase_add_test(cases,
                   the_head_grows_with_the_name_as_the_limit_of_the_wire_shrinks);
    tcase_add_test(cases, host_and_slot_are_neither_empty_nor_too_long);
    tcase_add_test(cases, a_size_of_the_name_that_cannot_be_is_refused);
    tcase_add_test(cases, a_name_with_control_characters_or_zeros_is_refused);
    tcase_add_test(cases, anything_behind_a_name_is_refused);
    tcase_add_test(cases, a_message_of_anything_else_or_another_version_is_refused);
    tcase_add_test(cases, a_message_that_is_cut_is_refused);
    return suite_run(suite);
}
