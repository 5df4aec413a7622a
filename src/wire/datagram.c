/* SPDX-License-Identifier: MIT */
/* NetBIOS datagrams: header and names. */
#include "wire/datagram.h"

#define FLAG_MORE 0x01
#define FLAG_FIRST 0x02 /* and B node, which is 0 */

int ms_datagram_encode(const struct ms_datagram *datagram, void *buffer,
                       size_t capacity) {
    if (datagram->size > MS_DATAGRAM_DATA_MAX) {
        return -EMSGSIZE;
    }
    struct ms_pen pen = ms_pen_at(buffer, capacity);
    ms_pen_u8(&pen, (uint8_t)datagram->type);
    ms_pen_u8(&pen, FLAG_FIRST);
    ms_pen_be16(&pen, datagram->id);
    ms_pen_be32(&pen, datagram->claimed_address);
    ms_pen_be16(&pen, datagram->claimed_port);
    ms_pen_be16(&pen, (uint16_t)((size_t)2 * MS_NETBIOS_WIRE_SIZE + datagram->size));
    ms_pen_be16(&pen, 0);
    ms_netbios_name_encode(&datagram->source, &pen);
    ms_netbios_name_encode(&datagram->destination, &pen);
    ms_pen_put(&pen, datagram->data, datagram->size);
    return ms_pen_end(&pen);
}

static bool carries_message(uint8_t type) {
    return type >= MS_DATAGRAM_UNIQUE && type <= MS_DATAGRAM_BROADCAST;
}

static int decode_header(struct ms_cursor *cursor, struct ms_datagram *datagram,
                         enum ms_reason *ret_reason) {
    uint8_t type = ms_cursor_u8(cursor);
    uint8_t flags = ms_cursor_u8(cursor);
    datagram->id = ms_cursor_be16(cursor);
    datagram->claimed_address = ms_cursor_be32(cursor);
    datagram->claimed_port = ms_cursor_be16(cursor);
    uint16_t length = ms_cursor_be16(cursor);
    uint16_t offset = ms_cursor_be16(cursor);
    if (cursor->is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if (!carries_message(type)) {
        return ms_refuse(MS_REASON_TYPE, ret_reason);
    }
    if (!(flags & FLAG_FIRST) || flags & FLAG_MORE || offset != 0) {
        return ms_refuse(MS_REASON_FRAGMENT, ret_reason);
    }
    if (length != ms_cursor_left(cursor)) {
        return ms_refuse(MS_REASON_LENGTH, ret_reason);
    }
    datagram->type = (enum ms_datagram_type)type;
    return 0;
}

int ms_datagram_decode(const void *packet, size_t size,
                       struct ms_datagram *ret_datagram, enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(packet, size);
    struct ms_datagram datagram;
    int r = decode_header(&cursor, &datagram, ret_reason);
    if (r == 0) {
        r = ms_netbios_name_decode(&cursor, &datagram.source, ret_reason);
    }
    if (r == 0) {
        r = ms_netbios_name_decode(&cursor, &datagram.destination, ret_reason);
    }
    if (r < 0) {
        return r;
    }
    datagram.size = ms_cursor_left(&cursor);
    if (datagram.size > MS_DATAGRAM_DATA_MAX) {
        return ms_refuse(MS_REASON_OVERSIZE, ret_reason);
    }
    datagram.data = ms_cursor_take(&cursor, datagram.size);
    *ret_datagram = datagram;
    return 0;
}

static bool is_for(const struct ms_datagram *datagram,
                   const struct ms_identity *identity) {
    return ms_netbios_name_equals(&datagram->destination, &identity->host) ||
           ms_netbios_name_equals(&datagram->destination, &identity->domain) ||
           (datagram->type == MS_DATAGRAM_BROADCAST &&
            ms_netbios_name_is_wildcard(&datagram->destination));
}

int ms_datagram_check(const struct ms_datagram *datagram,
                      const struct ms_identity *identity, enum ms_reason *ret_reason) {
    if (!is_for(datagram, identity)) {
        return ms_refuse(MS_REASON_NOT_OURS, ret_reason);
    }
    if (ms_netbios_name_equals(&datagram->source, &identity->host)) {
        return ms_refuse(MS_REASON_ECHO, ret_reason);
    }
    return 0;
}
