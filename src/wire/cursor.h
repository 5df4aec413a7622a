/* SPDX-License-Identifier: MIT */
/*
 * Reading bytes from elsewhere, front to back. Each read is checked against what is
 * left. One that does not fit gives 0 (or NULL), marks the cursor as cut, and so do all
 * after it: a decoder may read several fields and look at is_cut once, before it uses
 * any.
 */
#ifndef MS_WIRE_CURSOR_H
#define MS_WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ms_cursor {
    const uint8_t *bytes;
    size_t size;
    size_t offset; /* never beyond size */
    bool is_cut;
};

static inline struct ms_cursor ms_cursor_at(const void *bytes, size_t size) {
    return (struct ms_cursor){.bytes = bytes, .size = size};
}

static inline size_t ms_cursor_left(const struct ms_cursor *cursor) {
    return cursor->size - cursor->offset;
}

static inline const uint8_t *ms_cursor_take(struct ms_cursor *cursor, size_t size) {
    if (cursor->is_cut || size > ms_cursor_left(cursor)) {
        cursor->is_cut = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->bytes + cursor->offset;
    cursor->offset += size;
    return bytes;
}

static inline void ms_cursor_skip(struct ms_cursor *cursor, size_t size) {
    (void)ms_cursor_take(cursor, size);
}

static inline uint8_t ms_cursor_u8(struct ms_cursor *cursor) {
    const uint8_t *bytes = ms_cursor_take(cursor, 1);
    return bytes ? bytes[0] : 0;
}

static inline uint16_t ms_cursor_be16(struct ms_cursor *cursor) {
    const uint8_t *bytes = ms_cursor_take(cursor, 2);
    return (uint16_t)(bytes ? bytes[0] << 8 | bytes[1] : 0);
}

static inline uint16_t ms_cursor_le16(struct ms_cursor *cursor) {
    const uint8_t *bytes = ms_cursor_take(cursor, 2);
    return (uint16_t)(bytes ? bytes[1] << 8 | bytes[0] : 0);
}

static inline uint32_t ms_cursor_be32(struct ms_cursor *cursor) {
    const uint8_t *bytes = ms_cursor_take(cursor, 4);
    return bytes ? (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                       (uint32_t)bytes[2] << 8 | bytes[3]
                 : 0;
}

#endif
