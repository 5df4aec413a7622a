/* SPDX-License-Identifier: MIT */
/* Records in the ring: where they lie, and how one is checked before it is used. */
#ifndef MS_QUEUE_RECORD_H
#define MS_QUEUE_RECORD_H

#include "queue/queue.h"

/* The checked outline of the next message. */
struct ms_record_view {
    struct ms_record *record;
    uint64_t end; /* position after it */
    uint32_t size;
    uint16_t origin_size; /* 0, or a multiple of 8 up to MS_ORIGIN_SIZE_MAX */
};

/* Bit 0 of a head or tail word is not part of the position. */
static inline uint64_t ms_position(uint64_t word) {
    return word & ~UINT64_C(1);
}

static inline bool ms_is_aligned(uint64_t position) {
    return position % 8 == 0;
}

static inline uint64_t ms_offset(const struct ms_queue *queue, uint64_t position) {
    return position & (queue->capacity - 1);
}

/* Bytes of the ring that a message of size bytes takes. */
static inline uint64_t ms_record_extent(uint64_t size) {
    return (MS_RECORD_SIZE + size + 7) & ~UINT64_C(7);
}

static inline struct ms_record *ms_record_at(const struct ms_queue *queue,
                                             uint64_t position) {
    return (struct ms_record *)(queue->ring + ms_offset(queue, position));
}

/* Where a message of size bytes tells its origin. */
static inline char *ms_record_origin(struct ms_record *record, uint32_t size) {
    return (char *)record + ms_record_extent(size);
}

/* Relaxed: the tail publishes the record. Atomic, so that a reader's load is one load.
 */
static inline void ms_record_set_control(struct ms_record *record, enum ms_kind kind,
                                         uint32_t size, uint16_t origin_size) {
    uint64_t control = (uint64_t)origin_size << 48 | (uint64_t)kind << 32 | size;
    atomic_store_explicit(&record->control, control, memory_order_relaxed);
}

/*
 * Find the next message at or after position, below tail (layout I3).
 * Reads nothing outside of the ring, whatever the bytes are. Returns 0 or -EBADMSG.
 */
int ms_record_load(const struct ms_queue *queue, uint64_t position, uint64_t tail,
                   struct ms_record_view *ret_view);

/* As ms_record_load, but only the size, through fetch. */
int ms_record_measure(const struct ms_queue *queue, ms_queue_fetch *fetch,
                      const void *context, uint64_t position, uint64_t tail,
                      uint32_t *ret_size);

#endif
