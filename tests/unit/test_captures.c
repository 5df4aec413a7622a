/* SPDX-License-Identifier: MIT */
/* Packets of real programs: what each says, and that ours are laid out alike. */
#include "packet.h"
#include "wire/name_query.h"

/* The mailslot writes, as another decoder shows them. */
static const struct {
    const char *file;
    enum ms_datagram_type type;
    uint16_t id;
    uint32_t address;
    uint16_t port;
    const char *source;
    const char *destination;
    uint8_t suffix;
    const char *slot;
    size_t size;
    uint8_t first; /* byte of the data */
    bool is_padded;
} writes[] = {
    {"01-nmbd-HostAnnouncement", 0x11, 0x3d59, 0x0a4d0001, 138, "NMBDHOST", "TESTGRP",
     0x1d, "BROWSE", 42, 0x01, false},
    {"02-ours-AnnouncementRequest", 0x11, 0xa884, 0x0a4d0002, 138, "PYHOST", "TESTGRP",
     0x00, "BROWSE", 9, 0x02, true},
    {"03-ours-LOGON_REQUEST-to-NETLOGON", 0x10, 0xf7ae, 0x0a4d0002, 57975, "PYHOST",
     "NMBDHOST", 0x00, "NET\\NETLOGON", 41, 0x00, true},
    {"04-nmbd-write-to-our-mailslot", 0x10, 0x3d5d, 0x0a4d0001, 138, "NMBDHOST",
     "PYHOST", 0x00, "PY\\ANY_NAME", 15, 0x06, false},
    {"05-ours-GetBackupListRequest", 0x10, 0xee4a, 0x0a4d0002, 41362, "PYHOST",
     "TESTGRP", 0x1d, "BROWSE", 6, 0x09, true},
    {"06-nmbd-GetBackupListResponse", 0x10, 0x3d6c, 0x0a4d0001, 138, "NMBDHOST",
     "PYHOST", 0x00, "BROWSE", 15, 0x0a, false},
    {"07-nmbd-ElectionRequest", 0x11, 0x3d62, 0x0a4d0001, 138, "NMBDHOST", "TESTGRP",
     0x1e, "BROWSE", 23, 0x08, false},
    {"08-nmbd-LocalMasterAnnouncement", 0x11, 0x3d6a, 0x0a4d0001, 138, "NMBDHOST",
     "TESTGRP", 0x1e, "BROWSE", 42, 0x0f, false},
    {"09-nmbd-DomainAnnouncement", 0x11, 0x3d6b, 0x0a4d0001, 138, "NMBDHOST",
     "\x01\x02__MSBROWSE__\x02", 0x01, "BROWSE", 41, 0x0c, false},
};

static void decode_write(const struct packet *packet, struct ms_datagram *ret_datagram,
                         struct ms_mailslot_write *ret_write) {
    enum ms_reason reason = MS_REASON_COUNT;
    int r = ms_datagram_decode(packet->bytes, packet->size, ret_datagram, &reason);
    ck_assert_msg(r == 0, "datagram: %s", ms_reason_text(reason));
    r = ms_mailslot_write_decode(ret_datagram->data, ret_datagram->size, ret_write,
                                 &reason);
    ck_assert_msg(r == 0, "mailslot write: %s", ms_reason_text(reason));
}

START_TEST(a_captured_mailslot_write_is_decoded) {
    struct packet packet;
    struct ms_datagram datagram;
    struct ms_mailslot_write write;
    packet_load(&packet, writes[_i].file);
    decode_write(&packet, &datagram, &write);

    struct ms_netbios_name source = packet_name(writes[_i].source, 0);
    struct ms_netbios_name destination =
        packet_name(writes[_i].destination, writes[_i].suffix);
    ck_assert_int_eq(datagram.type, writes[_i].type);
    ck_assert_uint_eq(datagram.id, writes[_i].id);
    ck_assert_uint_eq(datagram.claimed_address, writes[_i].address);
    ck_assert_uint_eq(datagram.claimed_port, writes[_i].port);
    ck_assert(ms_netbios_name_equals(&datagram.source, &source));
    ck_assert(ms_netbios_name_equals(&datagram.destination, &destination));
    ck_assert_uint_eq(write.slot_size, strlen(writes[_i].slot));
    ck_assert_mem_eq(write.slot, writes[_i].slot, write.slot_size);
    ck_assert_uint_eq(write.size, writes[_i].size);
    ck_assert_uint_eq(write.data[0], writes[_i].first);
    ck_assert_ptr_eq(write.data + write.size, packet.bytes + packet.size);
}
END_TEST

START_TEST(a_padded_capture_is_encoded_to_the_same_bytes) {
    struct packet packet;
    struct packet again;
    struct ms_datagram datagram;
    struct ms_mailslot_write write;
    uint8_t smb[MS_DATAGRAM_DATA_MAX];
    packet_load(&packet, writes[_i].file);
    decode_write(&packet, &datagram, &write);
    int size = ms_mailslot_write_encode(&write, smb, sizeof smb);
    ck_assert_int_gt(size, 0);
    datagram.data = smb;
    datagram.size = (size_t)size;
    size = ms_datagram_encode(&datagram, again.bytes, sizeof again.bytes);
    if (writes[_i].is_padded) {
        ck_assert_int_eq(size, (int)packet.size);
        ck_assert_mem_eq(again.bytes, packet.bytes, packet.size);
    } else { /* only the padding, and what nmbd has in fields that nobody looks at */
        ck_assert_int_gt(size, (int)packet.size);
        ck_assert_int_lt(size, (int)packet.size + 4);
    }
}
END_TEST

/* Whatever one byte is changed to: nothing is read or shown that is not in the packet.
 */
static void check_damaged(const uint8_t *bytes, size_t size) {
    struct ms_datagram datagram;
    struct ms_mailslot_write write;
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_datagram_decode(bytes, size, &datagram, &reason) < 0 ||
        ms_mailslot_write_decode(datagram.data, datagram.size, &write, &reason) < 0) {
        HOLDS(reason < MS_REASON_COUNT);
        return;
    }
    HOLDS(write.data + write.size <= bytes + size);
    HOLDS((const uint8_t *)write.slot + write.slot_size < write.data);
    HOLDS((const uint8_t *)write.slot > bytes + PACKET_SMB);
}

START_TEST(a_captured_mailslot_write_with_any_byte_changed_is_decoded_or_refused) {
    struct packet packet;
    packet_load(&packet, writes[_i].file);
    uint8_t *bytes = malloc(packet.size);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < packet.size; i++) {
        memcpy(bytes, packet.bytes, packet.size);
        for (unsigned value = 0; value < 256; value++) {
            bytes[i] = (uint8_t)value;
            check_damaged(bytes, packet.size);
        }
    }
    free(bytes);
}
END_TEST

/* Cut in the datagram (whose length is put right) and so in all that is inside. */
START_TEST(a_captured_mailslot_write_that_is_cut_anywhere_is_refused) {
    struct packet packet;
    packet_load(&packet, writes[_i].file);
    for (size_t size = 0; size < packet.size; size++) {
        uint8_t *bytes = malloc(size + (size == 0));
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, packet.bytes, size);
        if (size >= MS_DATAGRAM_HEADER_SIZE) {
            bytes[10] = (uint8_t)((size - MS_DATAGRAM_HEADER_SIZE) >> 8);
            bytes[11] = (uint8_t)(size - MS_DATAGRAM_HEADER_SIZE);
        }
        struct ms_datagram datagram;
        struct ms_mailslot_write write;
        enum ms_reason reason;
        HOLDS(ms_datagram_decode(bytes, size, &datagram, &reason) < 0 ||
              ms_mailslot_write_decode(datagram.data, datagram.size, &write, &reason) <
                  0);
        free(bytes);
    }
}
END_TEST

START_TEST(a_captured_query_is_decoded_and_encoded_to_the_same_bytes) {
    struct packet packet;
    struct ms_name_query query;
    enum ms_reason reason;
    struct ms_netbios_name name = packet_name("NMBDHOST", 0);
    packet_load(&packet, "12-ours-NBNS-query");
    ck_assert_int_eq(ms_name_query_decode(packet.bytes, packet.size, &query, &reason),
                     0);
    ck_assert_uint_eq(query.id, 0x162c);
    ck_assert(query.is_broadcast);
    ck_assert(ms_netbios_name_equals(&query.name, &name));
    uint8_t again[MS_NAME_QUERY_SIZE];
    ck_assert_int_eq(ms_name_query_encode(&query, again, sizeof again),
                     (int)packet.size);
    ck_assert_mem_eq(again, packet.bytes, packet.size);
}
END_TEST

static const struct {
    const char *file;
    uint16_t id;
    const char *name;
    bool is_group;
    size_t count;
} answers[] = {
    {"13-nmbd-NBNS-answer-unique", 0x162c, "NMBDHOST", false, 1},
    {"14-nmbd-NBNS-answer-group", 0xccec, "TESTGRP", true, 0},
};

START_TEST(a_captured_answer_is_decoded_and_encoded_to_the_same_bytes) {
    struct packet packet;
    struct ms_name_answer answer;
    enum ms_reason reason;
    struct ms_netbios_name name = packet_name(answers[_i].name, 0);
    packet_load(&packet, answers[_i].file);
    ck_assert_int_eq(ms_name_answer_decode(packet.bytes, packet.size, &answer, &reason),
                     0);
    ck_assert_uint_eq(answer.id, answers[_i].id);
    ck_assert_uint_eq(answer.error, 0);
    ck_assert_int_eq(answer.is_group, answers[_i].is_group);
    ck_assert_uint_eq(answer.seconds, 3 * 24 * 60 * 60);
    ck_assert(ms_netbios_name_equals(&answer.name, &name));
    ck_assert_uint_eq(answer.count, answers[_i].count);

    uint8_t again[128];
    answer.count = 1;
    answer.addresses[0] = 0x0a4d0001;
    ck_assert_int_eq(ms_name_answer_encode(&answer, again, sizeof again),
                     (int)packet.size);
    ck_assert_mem_eq(again, packet.bytes, packet.size);
}
END_TEST

START_TEST(a_captured_registration_is_neither_query_nor_answer) {
    static const char *const files[] = {"10-nmbd-NBNS-registration-unique",
                                        "11-nmbd-NBNS-registration-group"};
    struct packet packet;
    struct ms_name_query query;
    struct ms_name_answer answer;
    enum ms_reason reason = MS_REASON_COUNT;
    packet_load(&packet, files[_i]);
    ck_assert_int_eq(ms_name_query_decode(packet.bytes, packet.size, &query, &reason),
                     -EBADMSG);
    ck_assert_uint_eq(reason, MS_REASON_OPERATION);
    reason = MS_REASON_COUNT;
    ck_assert_int_eq(ms_name_answer_decode(packet.bytes, packet.size, &answer, &reason),
                     -EBADMSG);
    ck_assert_uint_eq(reason, MS_REASON_OPERATION);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "captures");
    int count = COUNT(writes);
    tcase_add_loop_test(cases, a_captured_mailslot_write_is_decoded, 0, count);
    tcase_add_loop_test(cases, a_padded_capture_is_encoded_to_the_same_bytes, 0, count);
    tcase_add_loop_test(
        cases, a_captured_mailslot_write_with_any_byte_changed_is_decoded_or_refused, 0,
        count);
    tcase_add_loop_test(
        cases, a_captured_mailslot_write_that_is_cut_anywhere_is_refused, 0, count);
    tcase_add_test(cases, a_captured_query_is_decoded_and_encoded_to_the_same_bytes);
    tcase_add_loop_test(cases,
                        a_captured_answer_is_decoded_and_encoded_to_the_same_bytes, 0,
                        COUNT(answers));
    tcase_add_loop_test(cases, a_captured_registration_is_neither_query_nor_answer, 0,
                        2);
    return suite_run(suite);
}
