/* SPDX-License-Identifier: MIT */
/* The envelope of messages for the gateway. */
#include "packet.h"
#include "wire/outbound.h"

#define DESTINATION "\\\\HOST\\mailslot\\x"

static struct packet make(const char *destination, const char *payload) {
    struct packet packet;
    int size = ms_outbound_encode_head(destination, packet.bytes, sizeof packet.bytes);
    ck_assert_int_eq(size, (int)strlen(destination) + MS_OUTBOUND_FIXED_SIZE);
    memcpy(packet.bytes + size, payload, strlen(payload));
    packet.size = (size_t)size + strlen(payload);
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
    struct packet packet = make("//H/mailslot/x", "data");
    ck_assert_uint_eq(packet.size, 26);
    ck_assert_mem_eq(packet.bytes, "MSob\x01\x00\x0e\x00//H/mailslot/xdata", 26);
}
END_TEST

START_TEST(destination_and_payload_come_back_as_they_were) {
    static const char *const destinations[] = {DESTINATION, "//host/MailSlot/a/b",
                                               "\\\\*\\mailslot\\x", "x"};
    static const char *const payloads[] = {"", "p", "payload"};
    for (int i = 0; i < COUNT(destinations) * COUNT(payloads); i++) {
        const char *destination = destinations[i / COUNT(payloads)];
        const char *payload = payloads[i % COUNT(payloads)];
        struct packet packet = make(destination, payload);
        struct ms_outbound outbound;
        enum ms_reason reason;
        ck_assert_int_eq(
            ms_outbound_decode(packet.bytes, packet.size, &outbound, &reason), 0);
        ck_assert_uint_eq(outbound.destination_size, strlen(destination));
        ck_assert_mem_eq(outbound.destination, destination, strlen(destination));
        ck_assert_uint_eq(outbound.payload_size, strlen(payload));
        ck_assert_mem_eq(outbound.payload, payload, strlen(payload));
    }
}
END_TEST

START_TEST(a_destination_has_1_to_513_bytes) {
    char destination[MS_OUTBOUND_DESTINATION_MAX + 2] = "";
    uint8_t head[MS_OUTBOUND_HEAD_MAX];
    ck_assert_int_eq(MS_OUTBOUND_DESTINATION_MAX, 513);
    ck_assert_int_eq(ms_outbound_encode_head(destination, head, sizeof head), -EINVAL);
    memset(destination, 'd', MS_OUTBOUND_DESTINATION_MAX + 1);
    ck_assert_int_eq(ms_outbound_encode_head(destination, head, sizeof head),
                     -ENAMETOOLONG);
    destination[MS_OUTBOUND_DESTINATION_MAX] = '\0';
    ck_assert_int_eq(ms_outbound_encode_head(destination, head, sizeof head),
                     MS_OUTBOUND_HEAD_MAX);
    ck_assert_int_eq(ms_outbound_encode_head(destination, head, sizeof head - 1),
                     -ENOBUFS);
}
END_TEST

/* The size of the destination in the head, with a message that is long enough. */
START_TEST(a_size_of_destination_that_cannot_be_is_refused) {
    static const unsigned sizes[] = {0, 514, 0x8000, 0xffff};
    struct packet packet = make(DESTINATION, "");
    memset(packet.bytes + packet.size, 'p', sizeof packet.bytes - packet.size);
    packet.size = sizeof packet.bytes;
    for (int i = 0; i < COUNT(sizes); i++) {
        packet.bytes[6] = (uint8_t)sizes[i];
        packet.bytes[7] = (uint8_t)(sizes[i] >> 8);
        refused(&packet, MS_REASON_DESTINATION);
    }
}
END_TEST

START_TEST(a_destination_with_a_zero_byte_is_refused) {
    for (size_t i = 0; i < strlen(DESTINATION); i++) {
        struct packet packet = make(DESTINATION, "payload");
        packet.bytes[MS_OUTBOUND_FIXED_SIZE + i] = 0;
        refused(&packet, MS_REASON_DESTINATION);
    }
    struct packet packet =
        make(DESTINATION, "payload"); /* but the payload may have it */
    struct ms_outbound outbound;
    enum ms_reason reason;
    packet.bytes[MS_OUTBOUND_FIXED_SIZE + strlen(DESTINATION)] = 0;
    ck_assert_int_eq(ms_outbound_decode(packet.bytes, packet.size, &outbound, &reason),
                     0);
}
END_TEST

START_TEST(a_message_of_anything_else_or_another_version_is_refused) {
    for (size_t offset = 0; offset < 6; offset++) {
        struct packet original = make(DESTINATION, "");
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
    struct packet packet = make(DESTINATION, "");
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
    tcase_add_test(cases, destination_and_payload_come_back_as_they_were);
    tcase_add_test(cases, a_destination_has_1_to_513_bytes);
    tcase_add_test(cases, a_size_of_destination_that_cannot_be_is_refused);
    tcase_add_test(cases, a_destination_with_a_zero_byte_is_refused);
    tcase_add_test(cases, a_message_of_anything_else_or_another_version_is_refused);
    tcase_add_test(cases, a_message_that_is_cut_is_refused);
    return suite_run(suite);
}
