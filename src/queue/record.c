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

int ms_record_load(const struct ms_queue *queue, uint64_t position, uint64_t tail,
                   struct ms_record_view *ret_view) {
    if (!ms_is_aligned(position) || !ms_is_aligned(tail) || tail == position ||
        tail - position > queue->capacity) {
        return -EBADMSG;
    }
    const struct ms_record *record = ms_record_at(queue, position);
    uint64_t control = atomic_load_explicit(&record->control, memory_order_relaxed);
    if (control >> 32 == MS_KIND_PADDING) {
        int r = skip_padding(queue, control, &position, tail);
        if (r < 0) {
            return r;
        }
        record = ms_record_at(queue, position);
        control = atomic_load_explicit(&record->control, memory_order_relaxed);
    }
    uint64_t extent = ms_record_extent((uint32_t)control);
    if (control >> 32 != MS_KIND_MESSAGE || extent > tail - position ||
        extent > queue->capacity - ms_offset(queue, position)) {
        return -EBADMSG;
    }
    *ret_view = (struct ms_record_view){
        .record = record, .end = position + extent, .size = (uint32_t)control};
    return 0;
}
