/* SPDX-License-Identifier: MIT */
/*
 * A region in plain memory, for the tests of the queue: no file, no other process.
 * ring_check looks at its bytes on its own, without the code that is tested.
 */
#ifndef MS_TEST_RING_H
#define MS_TEST_RING_H

#include "queue/queue.h"
#include "queue/record.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

/* The owner's, so of each message that tells no origin. */
#define RING_UID 2
#define RING_GID 3

struct ring {
    struct ms_header *header;
    struct ms_queue queue; /* as a writer sees it */
    struct ms_reader reader;
};

static inline void ring_init(struct ring *ring, uint64_t capacity,
                             uint32_t max_message_size) {
    size_t size = MS_RING_OFFSET + capacity;
    ring->header = aligned_alloc(64, size);
    HOLDS(ring->header);
    memset(ring->header, 0, size);
    ms_queue_init(ring->header, capacity, max_message_size);
    ring->header->uid = RING_UID;
    ring->header->gid = RING_GID;
    HOLDS(ms_queue_check(ring->header, MS_HEADER_SIZE + capacity) == 0);
    ms_queue_attach(&ring->queue, ring->header, capacity);
    ms_reader_init(&ring->reader, ring->header, capacity);
}

static inline void ring_fini(struct ring *ring) {
    free(ring->header);
}

/* As if so many bytes had gone through before. */
static inline void ring_move(struct ring *ring, uint64_t position) {
    atomic_store(&ring->header->tail, position | (ring->header->tail & 1));
    atomic_store(&ring->header->head, position | ring->reader.head_index);
    ring->reader.head = ring->reader.cursor = ring->reader.tail = position;
    ring->queue.head = position;
}

/* What a message of that seed and size contains. */
static inline unsigned char *ring_data(uint64_t seed, uint32_t size) {
    unsigned char *data = malloc(size + 1u);
    HOLDS(data);
    for (size_t i = 0; i < size; i++) {
        data[i] = (unsigned char)(seed * 31 + i * 7 + (i >> 8));
    }
    return data;
}

static inline int ring_send_from(struct ring *ring, uint64_t seed, uint32_t size,
                                 const struct ms_origin *origin) {
    struct ms_claim claim;
    uint64_t wanted = 0;
    uint64_t origin_size = origin ? origin->size : 0;
    int r = ms_queue_claim(&ring->queue, size + origin_size, &claim, &wanted);
    if (r < 0) {
        return r;
    }
    unsigned char *data = ring_data(seed, size);
    struct ms_envelope envelope = {
        .time_ns = (int64_t)seed, .pid = 1, .origin = origin};
    ms_queue_push(&ring->queue, &claim, &envelope, data, size);
    free(data);
    return 0;
}

static inline int ring_send(struct ring *ring, uint64_t seed, uint32_t size) {
    return ring_send_from(ring, seed, size, NULL);
}

/* Show the next message, which must be that one. */
static inline mailslot_message ring_show_any(struct ring *ring, uint64_t seed,
                                             uint32_t size) {
    mailslot_message message;
    HOLDS(ms_reader_show(&ring->reader, &message) == 0);
    HOLDS(message.size == size);
    HOLDS(message.time_ns == (int64_t)seed);
    HOLDS(message.pid == 1);
    unsigned char *data = ring_data(seed, size);
    HOLDS(memcmp(message.data, data, size) == 0);
    free(data);
    return message;
}

/* One that tells no origin. */
static inline void ring_show(struct ring *ring, uint64_t seed, uint32_t size) {
    mailslot_message message = ring_show_any(ring, seed, size);
    HOLDS(message.uid == RING_UID);
    HOLDS(message.gid == RING_GID);
    HOLDS(!message.host);
}

static inline void ring_read(struct ring *ring, uint64_t seed, uint32_t size) {
    ring_show(ring, seed, size);
    ms_reader_release(&ring->reader);
}

static inline void ring_expect(const struct ring *ring, uint64_t count, uint64_t bytes,
                               uint32_t next_size) {
    struct ms_status status;
    HOLDS(ms_queue_status(&ring->queue, NULL, NULL, &status) == 0);
    HOLDS(status.count == count);
    HOLDS(status.bytes == bytes);
    HOLDS(status.next_size == next_size);
}

/* I3 and I5: walk over the records; returns messages, payload bytes, and how many
 * messages tell another machine. */
static inline struct ms_status ring_walk(const struct ms_header *header, uint64_t head,
                                         uint64_t tail, uint64_t taken) {
    const unsigned char *memory = (const unsigned char *)header + MS_RING_OFFSET;
    struct ms_status found = {.next_size = MAILSLOT_NO_MESSAGE};
    bool is_after_padding = false;
    for (uint64_t at = head; at != tail;) {
        uint64_t offset = at % header->capacity;
        uint32_t words[6]; /* size, kind, time, sequence */
        memcpy(words, memory + offset, sizeof(uint64_t));
        if (words[1] == 0x5044) {
            HOLDS(offset + 8 + words[0] == header->capacity);
            HOLDS(!is_after_padding);
            is_after_padding = true;
            at += 8 + (uint64_t)words[0];
            HOLDS(at < tail);
            continue;
        }
        uint64_t origin = words[1] >> 16;
        HOLDS((words[1] & 0xffff) == 0x4d53 && origin % 8 == 0 && origin <= 272);
        uint64_t extent = (24 + (uint64_t)words[0] + 7) / 8 * 8 + origin;
        HOLDS(offset + extent <= header->capacity);
        memcpy(words, memory + offset, sizeof words);
        HOLDS(words[4] == (uint32_t)(taken + found.count + 1));
        found.next_size = found.count ? found.next_size : words[0];
        found.count++;
        found.bytes += words[0];
        found.brought += origin > 8;
        is_after_padding = false;
        at += extent;
        HOLDS(at <= tail);
    }
    return found;
}

/* The invariants of layout.h that can be seen in memory: I1 to I5. */
static inline void ring_check(const struct ring *ring) {
    struct ms_header *header = ring->header;
    uint64_t capacity = header->capacity;
    uint64_t one = 1;
    HOLDS(capacity >= 4096 && capacity <= UINT64_C(1) << 40); /* I1 */
    HOLDS((capacity & (capacity - 1)) == 0);
    uint64_t tail = atomic_load(&header->tail);
    uint64_t head = atomic_load(&header->head);
    HOLDS((tail & 6) == 0); /* I2 */
    HOLDS((head & 6) == 0);
    HOLDS((tail & ~one) - (head & ~one) <= capacity);
    const struct ms_totals *sent = &header->sent[tail & 1];
    const struct ms_totals *taken = &header->taken[head & 1];
    struct ms_status found =
        ring_walk(header, head & ~one, tail & ~one, atomic_load(&taken->count));
    HOLDS(atomic_load(&sent->count) - atomic_load(&taken->count) ==
          found.count); /* I4 */
    HOLDS(atomic_load(&sent->bytes) - atomic_load(&taken->bytes) == found.bytes);
    uint64_t brought = atomic_load(&header->brought[tail & 1]);
    HOLDS(brought >= found.brought);
    HOLDS(atomic_load(&sent->count) - brought >= found.count - found.brought);
    ring_expect(ring, found.count, found.bytes, found.next_size);
}

#endif
