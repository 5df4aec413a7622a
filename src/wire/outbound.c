/* SPDX-License-Identifier: MIT */
/* The envelope of messages on their way to the gateway. */
#include "wire/outbound.h"

#include "wire/cursor.h"
#include "wire/pen.h"

#include <string.h>

#define MAGIC "MSob"
#define MAGIC_SIZE 4
#define VERSION 1

int ms_outbound_encode_head(const char *destination, void *buffer, size_t capacity) {
    size_t size = strlen(destination);
    if (size == 0) {
        return -EINVAL;
    }
    if (size > MS_OUTBOUND_DESTINATION_MAX) {
        return -ENAMETOOLONG;
    }
    struct ms_pen pen = ms_pen_at(buffer, capacity);
    ms_pen_put(&pen, MAGIC, MAGIC_SIZE);
    ms_pen_u8(&pen, VERSION);
    ms_pen_u8(&pen, 0);
    ms_pen_le16(&pen, (uint16_t)size);
    ms_pen_put(&pen, destination, size);
    return ms_pen_end(&pen);
}

static int check_fixed(struct ms_cursor *cursor, size_t *ret_destination_size,
                       enum ms_reason *ret_reason) {
    const uint8_t *magic = ms_cursor_take(cursor, MAGIC_SIZE);
    uint8_t version = ms_cursor_u8(cursor);
    uint8_t zero = ms_cursor_u8(cursor);
    uint16_t size = ms_cursor_le16(cursor);
    if (magic && memcmp(magic, MAGIC, MAGIC_SIZE) != 0) {
        return ms_refuse(MS_REASON_MAGIC, ret_reason);
    }
    if (cursor->is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if (version != VERSION || zero != 0) {
        return ms_refuse(MS_REASON_VERSION, ret_reason);
    }
    if (size == 0 || size > MS_OUTBOUND_DESTINATION_MAX) {
        return ms_refuse(MS_REASON_DESTINATION, ret_reason);
    }
    *ret_destination_size = size;
    return 0;
}

int ms_outbound_decode(const void *message, size_t size,
                       struct ms_outbound *ret_outbound, enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(message, size);
    struct ms_outbound outbound;
    int r = check_fixed(&cursor, &outbound.destination_size, ret_reason);
    if (r < 0) {
        return r;
    }
    const uint8_t *destination = ms_cursor_take(&cursor, outbound.destination_size);
    if (!destination) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if (memchr(destination, 0, outbound.destination_size)) {
        return ms_refuse(MS_REASON_DESTINATION, ret_reason);
    }
    outbound.destination = (const char *)destination;
    outbound.payload_size = ms_cursor_left(&cursor);
    outbound.payload = ms_cursor_take(&cursor, outbound.payload_size);
    *ret_outbound = outbound;
    return 0;
}
