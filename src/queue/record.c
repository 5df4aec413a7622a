/* SPDX-License-Identifier: MIT */
/* Checking a record: its bytes may have been written by anybody. */
#include "queue/record.h"

#include <errno.h>

/* Step over padding: to the end of the ring exactly, never all of it, never past tail.
 */
static int skip_padding(const struct ms_queue *queue, uint64_t control,
                        uint64_t *position, uint64_t tail) {
    uint64_t padding = (uint32_t)control + MS_PADDING_SIZE;
    uint64_t to_end = queue->capacity - ms_offset(queue, *position);
    if (padding != to_end || padding == queue->capacity ||
        tail - *position <= padding) {
        return -EBADMSG;
    }
    *position += padding;
    return 0;
}

static int load_control(const void *context, uint64_t offset, uint64_t *ret_control) {
    const struct ms_queue *queue = context;
    const struct ms_record *record = ms_record_at(queue, offset);
    *ret_control = atomic_load_explicit(&record->control, memory_order_relaxed);
    return 0;
}

static bool is_origin_size(uint64_t size) {
    return size <= MS_ORIGIN_SIZE_MAX && size % 8 == 0;
}

/* Inline, so that reading a message is not slowed down by how others look at it. */
static inline int outline(const struct ms_queue *queue, ms_queue_fetch *fetch,
                          const void *context, uint64_t position, uint64_t tail,
                          struct ms_record_view *ret_view) {
    if (!ms_is_aligned(position) || !ms_is_aligned(tail) || tail == position ||
        tail - position > queue->capacity) {
        return -EBADMSG;
    }
    uint64_t control;
    int r = fetch(context, ms_offset(queue, position), &control);
    if (r == 0 && control >> 32 == MS_KIND_PADDING) {
        r = skip_padding(queue, control, &position, tail);
        if (r == 0) {
            r = fetch(context, ms_offset(queue, position), &control);
        }
    }
    if (r < 0) {
        return r;
    }
    uint64_t origin_size = control >> 48;
    uint64_t extent = ms_record_extent((uint32_t)control) + origin_size;
    if ((control >> 32 & UINT16_MAX) != MS_KIND_MESSAGE || extent > tail - position ||
        extent > queue->capacity - ms_offset(queue, position) ||
        !is_origin_size(origin_size)) {
        return -EBADMSG;
    }
    *ret_view = (struct ms_record_view){.record = ms_record_at(queue, position),
                                        .end = position + extent,
                                        .size = (uint32_t)control,
                                        .origin_size = (uint16_t)origin_size};
    return 0;
}

inline int ms_record_load(const struct ms_queue *queue, uint64_t position,
                          uint64_t tail, struct ms_record_view *ret_view) {
    return outline(queue, load_control, queue, position, tail, ret_view);
}

int ms_record_measure(const struct ms_queue *queue, ms_queue_fetch *fetch,
                      const void *context, uint64_t position, uint64_t tail,
                      uint32_t *ret_size) {
    struct ms_record_view view = {0};
    int r = fetch ? outline(queue, fetch, context, position, tail, &view)
                  : ms_record_load(queue, position, tail, &view);
    *ret_size = view.size;
    return r;
}
