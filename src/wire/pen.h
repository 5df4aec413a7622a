/* SPDX-License-Identifier: MIT */
/*
 * Writing bytes into a buffer, front to back, the counterpart of the cursor: what does
 * not fit is not written, marks the pen as full, and so does all after it.
 */
#ifndef MS_WIRE_PEN_H
#define MS_WIRE_PEN_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ms_pen {
    uint8_t *bytes;
    size_t capacity;
    size_t size; /* written, never beyond capacity */
    bool is_full;
};

static inline struct ms_pen ms_pen_at(void *buffer, size_t capacity) {
    return (struct ms_pen){.bytes = buffer, .capacity = capacity};
}

static inline void ms_pen_put(struct ms_pen *pen, const void *data, size_t size) {
    if (pen->is_full || size > pen->capacity - pen->size) {
        pen->is_full = true;
    } else if (size > 0) {
        memcpy(pen->bytes + pen->size, data, size);
        pen->size += size;
    }
}

static inline void ms_pen_u8(struct ms_pen *pen, uint8_t value) {
    ms_pen_put(pen, &value, 1);
}

static inline void ms_pen_be16(struct ms_pen *pen, uint16_t value) {
    const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    ms_pen_put(pen, bytes, sizeof bytes);
}

static inline void ms_pen_le16(struct ms_pen *pen, uint16_t value) {
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};
    ms_pen_put(pen, bytes, sizeof bytes);
}

static inline void ms_pen_be32(struct ms_pen *pen, uint32_t value) {
    ms_pen_be16(pen, (uint16_t)(value >> 16));
    ms_pen_be16(pen, (uint16_t)value);
}

static inline void ms_pen_zeros(struct ms_pen *pen, size_t count) {
    for (; count > 0 && !pen->is_full; count--) {
        ms_pen_u8(pen, 0);
    }
}

/* What an encoder returns: how much was written, or that it did not fit. */
static inline int ms_pen_end(const struct ms_pen *pen) {
    return pen->is_full ? -ENOBUFS : (int)pen->size;
}

#endif
