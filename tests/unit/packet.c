/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <stdio.h>

/* Lines of an offset and up to 16 bytes. */
void packet_load(struct packet *packet, const char *name) {
    char path[1024];
    char line[256];
    snprintf(path, sizeof path, "%s/%s.hex", CAPTURES, name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    packet->size = 0;
    while (fgets(line, sizeof line, file)) {
        char *rest;
        ck_assert_uint_eq(strtoul(line, &rest, 16), packet->size);
        while (*rest == ' ') {
            ck_assert_uint_lt(packet->size, sizeof packet->bytes);
            packet->bytes[packet->size++] = (uint8_t)strtoul(rest, &rest, 16);
        }
    }
    fclose(file);
    ck_assert_uint_gt(packet->size, 0);
}

struct ms_netbios_name packet_name(const char *text, uint8_t suffix) {
    struct ms_netbios_name name;
    ck_assert_int_eq(ms_netbios_name_init(text, strlen(text), suffix, &name), 0);
    return name;
}

struct ms_identity packet_identity(void) {
    return (struct ms_identity){.host = packet_name("BOX", 0),
                                .domain = packet_name("WORK", 0)};
}

void packet_make(struct packet *packet) {
    uint8_t smb[MS_DATAGRAM_DATA_MAX];
    struct ms_mailslot_write write = {
        .slot = "jobs", .slot_size = 4, .data = (const uint8_t *)"hello", .size = 5};
    int size = ms_mailslot_write_encode(&write, smb, sizeof smb);
    ck_assert_int_eq(size, 84 + 5);
    struct ms_datagram datagram = {.type = MS_DATAGRAM_UNIQUE,
                                   .id = 0x1234,
                                   .claimed_address = 0x0a4d0002,
                                   .claimed_port = 138,
                                   .source = packet_name("PEER", 0),
                                   .destination = packet_name("BOX", 0),
                                   .data = smb,
                                   .size = (size_t)size};
    size = ms_datagram_encode(&datagram, packet->bytes, sizeof packet->bytes);
    ck_assert_int_eq(size, PACKET_SMB + 84 + 5);
    packet->size = (size_t)size;
}

void packet_put_name(struct packet *packet, size_t offset, const char *text,
                     uint8_t suffix) {
    struct ms_netbios_name name = packet_name(text, suffix);
    struct ms_pen pen = ms_pen_at(packet->bytes + offset, MS_NETBIOS_WIRE_SIZE);
    ms_netbios_name_encode(&name, &pen);
    ck_assert_int_eq(ms_pen_end(&pen), MS_NETBIOS_WIRE_SIZE);
}

int packet_receive(const struct packet *packet, struct ms_datagram *ret_datagram,
                   struct ms_mailslot_write *ret_write, enum ms_reason *ret_reason) {
    struct ms_identity identity = packet_identity();
    int r = ms_datagram_decode(packet->bytes, packet->size, ret_datagram, ret_reason);
    if (r == 0) {
        r = ms_datagram_check(ret_datagram, &identity, ret_reason);
    }
    if (r == 0) {
        r = ms_mailslot_write_decode(ret_datagram->data, ret_datagram->size, ret_write,
                                     ret_reason);
    }
    return r;
}

void packet_accepted(const struct packet *packet) {
    struct ms_datagram datagram;
    struct ms_mailslot_write write;
    enum ms_reason reason = MS_REASON_COUNT;
    int r = packet_receive(packet, &datagram, &write, &reason);
    ck_assert_msg(r == 0, "refused: %s", ms_reason_text(reason));
    ck_assert_uint_eq(reason, MS_REASON_COUNT);
    ck_assert_uint_eq(write.slot_size, 4);
    ck_assert_mem_eq(write.slot, "jobs", 4);
    ck_assert_uint_eq(write.size, 5);
    ck_assert_mem_eq(write.data, "hello", 5);
}

void packet_refused(const struct packet *packet, enum ms_reason expected) {
    struct ms_datagram datagram;
    struct ms_mailslot_write write;
    enum ms_reason reason = MS_REASON_COUNT;
    ck_assert_int_eq(packet_receive(packet, &datagram, &write, &reason), -EBADMSG);
    ck_assert_str_eq(ms_reason_text(reason), ms_reason_text(expected));
}
