/* SPDX-License-Identifier: MIT */
/* The queue seen by everybody: its shape, its writers, its figures. */
#include "queue/queue.h"

#include "queue/copy.h"
#include "queue/record.h"
#include "queue/step.h"

#include <errno.h>
#include <string.h>

/* How often to look again when the queue changes meanwhile. */
#define STATUS_TRIES 1000

#define LINE_SIZE UINT64_C(64)
#define FETCH_AHEAD (2 * LINE_SIZE)
#define FETCH_MAX (16 * LINE_SIZE)

/* One end of the queue, as found. */
struct end {
    uint64_t word;
    uint64_t count;
    uint64_t bytes;
    uint64_t brought;
};

uint64_t ms_queue_capacity(uint64_t max_bytes, uint32_t max_message_size) {
    uint64_t record_size = ms_record_extent(max_message_size) + MS_IDENTITY_SIZE;
    uint64_t least = max_bytes > 2 * record_size ? max_bytes : 2 * record_size;
    uint64_t capacity = MS_CAPACITY_MIN;
    while (capacity < least) {
        capacity *= 2;
    }
    return capacity;
}

void ms_queue_init(struct ms_header *header, uint64_t capacity,
                   uint32_t max_message_size) {
    header->magic = MS_MAGIC;
    header->version = MS_VERSION;
    header->record_size = MS_RECORD_SIZE;
    header->capacity = capacity;
    header->max_message_size = max_message_size;
}

int ms_queue_check(const struct ms_header *header, uint64_t file_size) {
    uint64_t capacity = header->capacity;
    bool is_valid = header->magic == MS_MAGIC && header->version == MS_VERSION &&
                    header->record_size == MS_RECORD_SIZE &&
                    capacity >= MS_CAPACITY_MIN && capacity <= MS_CAPACITY_MAX &&
                    (capacity & (capacity - 1)) == 0 &&
                    file_size == MS_HEADER_SIZE + capacity;
    return is_valid ? 0 : -EBADMSG;
}

void ms_queue_attach(struct ms_queue *queue, struct ms_header *header,
                     uint64_t capacity) {
    uint64_t size_limit = ms_queue_room(capacity);
    uint32_t max_message_size = header->max_message_size;
    if (max_message_size && max_message_size < size_limit) {
        size_limit = max_message_size;
    }
    *queue = (struct ms_queue){
        .header = header,
        .ring = (unsigned char *)header + MS_RING_OFFSET,
        .capacity = capacity,
        .size_limit = size_limit,
        .head = ms_position(atomic_load(&header->head)),
    };
}

/* Whether `size` more bytes are free, with a head that was true once. It only grows, so
 * its cache line is fetched only when the old one does not do. */
static bool has_room(const struct ms_queue *queue, uint64_t tail, uint64_t size) {
    uint64_t used = tail - queue->head;
    return used <= queue->capacity && size <= queue->capacity - used;
}

inline int ms_queue_claim(struct ms_queue *queue, uint64_t size,
                          struct ms_claim *ret_claim, uint64_t *ret_wanted) {
    /* Relaxed: write_lock orders it. */
    uint64_t tail =
        ms_position(atomic_load_explicit(&queue->header->tail, memory_order_relaxed));
    uint64_t record_size = ms_record_extent(size);
    uint64_t to_end = queue->capacity - ms_offset(queue, tail);
    uint64_t padding = record_size > to_end ? to_end : 0;
    if (!has_room(queue, tail, padding + record_size)) {
        /* seq_cst: see bell.h; acquire would do to know that the reader is done with
         * the bytes below head. */
        queue->head = ms_position(atomic_load(&queue->header->head));
        if (!ms_is_aligned(queue->head) || tail - queue->head > queue->capacity) {
            return -EBADMSG;
        }
    }
    if (!ms_is_aligned(tail)) {
        return -EBADMSG;
    }
    if (!has_room(queue, tail, padding + record_size)) {
        *ret_wanted = padding + record_size;
        return -EAGAIN;
    }
    *ret_claim = (struct ms_claim){
        .start = tail, .padding = padding, .end = tail + padding + record_size};
    return 0;
}

static inline void fill_record(const struct ms_queue *queue, struct ms_record *record,
                               const struct ms_envelope *envelope, uint32_t size) {
    const struct ms_header *header = queue->header;
    const struct ms_origin *origin = envelope->origin;
    uint64_t tail = atomic_load_explicit(&header->tail, memory_order_relaxed);
    ms_record_set_control(record, MS_KIND_MESSAGE, size, origin ? origin->size : 0);
    record->time_ns = envelope->time_ns;
    record->sequence = (uint32_t)atomic_load_explicit(&header->sent[tail & 1].count,
                                                      memory_order_relaxed) +
                       1;
    record->pid = envelope->pid;
    if (origin) {
        memcpy(ms_record_origin(record, size), origin, origin->size);
    }
}

inline void *ms_queue_prepare(const struct ms_queue *queue,
                              const struct ms_claim *claim,
                              const struct ms_envelope *envelope, uint32_t size) {
    if (claim->padding) {
        struct ms_record *padding = ms_record_at(queue, claim->start);
        atomic_store_explicit(&padding->control, ms_queue_padding(claim),
                              memory_order_relaxed);
        MS_STEP("push.padded");
    }
    struct ms_record *record = ms_record_at(queue, claim->start + claim->padding);
    fill_record(queue, record, envelope, size);
    MS_STEP("push.addressed");
    return record + 1;
}

uint64_t ms_queue_padding(const struct ms_claim *claim) {
    return (uint64_t)MS_KIND_PADDING << 32 | (claim->padding - MS_PADDING_SIZE);
}

void ms_queue_compose(const struct ms_queue *queue, const struct ms_envelope *envelope,
                      const void *data, uint32_t size, void *memory) {
    struct ms_record *record = memory;
    fill_record(queue, record, envelope, size);
    if (size) {
        memcpy(record + 1, data, size);
    }
}

uint64_t ms_origin_size(const char *host) {
    uint64_t host_size = host ? (1 + strlen(host) + 1 + 7) & ~UINT64_C(7) : 0;
    return MS_IDENTITY_SIZE + host_size;
}

void ms_origin_set_host(struct ms_origin *origin, const char *host, bool is_verified) {
    *origin = (struct ms_origin){
        .uid = origin->uid, .gid = origin->gid, .size = (uint16_t)ms_origin_size(host)};
    if (host) {
        origin->host[0] = is_verified ? MS_ORIGIN_VERIFIED : 0;
        memcpy(origin->host + 1, host, strlen(host));
    }
}

bool ms_queue_is_owners(const struct ms_header *header, uint32_t uid, uint32_t gid) {
    return header->uid == uid && header->gid == gid;
}

/* Have a cache line come for writing. The compiler's own way would fetch it for reading
 * only, unless it may leave the first processors of this kind behind. */
static inline void fetch_line(const unsigned char *at) {
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*at));
#else
    __builtin_prefetch(at, 1);
#endif
}

/* The lines of the next message, if it is as large as this one, are in the owner's
 * cache or another writer's. Let them come while this turn ends: letting go of the lock
 * would wait for each. */
static inline void fetch_ahead(const struct ms_queue *queue,
                               const struct ms_claim *claim) {
    uint64_t position = claim->end + FETCH_AHEAD;
    uint64_t size = claim->end - claim->start;
    uint64_t most = size < FETCH_MAX ? size : FETCH_MAX;
    for (uint64_t i = 0; i <= most; i += LINE_SIZE) {
        fetch_line(queue->ring + ms_offset(queue, position + i));
    }
}

/* Totals and position become true together: one store of the tail (layout I4). */
inline void ms_queue_publish(const struct ms_queue *queue, const struct ms_claim *claim,
                             uint32_t size, bool is_brought) {
    struct ms_header *header = queue->header;
    uint64_t tail = atomic_load_explicit(&header->tail, memory_order_relaxed);
    const struct ms_totals *now = &header->sent[tail & 1];
    struct ms_totals *next = &header->sent[(tail & 1) ^ 1];
    /* Relaxed: write_lock orders the loads. Release, with load_end's loads: who sees
     * one of these totals early also sees that the tail has moved meanwhile. */
    uint64_t count = atomic_load_explicit(&now->count, memory_order_relaxed);
    uint64_t bytes = atomic_load_explicit(&now->bytes, memory_order_relaxed);
    uint64_t brought =
        atomic_load_explicit(&header->brought[tail & 1], memory_order_relaxed);
    atomic_store_explicit(&next->count, count + 1, memory_order_release);
    MS_STEP("push.counted");
    atomic_store_explicit(&next->bytes, bytes + size, memory_order_release);
    atomic_store_explicit(&header->brought[(tail & 1) ^ 1], brought + is_brought,
                          memory_order_release);
    MS_STEP("push.totalled");
    /* Release, for ms_reader_has_message's load. That it comes before
     * ms_bell_is_armed's load is seen to by letting go of write_lock, which is between
     * them (bell.h). */
    atomic_store_explicit(&header->tail, claim->end | ((tail & 1) ^ 1),
                          memory_order_release);
    MS_STEP("push.published");
}

inline void ms_queue_push(const struct ms_queue *queue, const struct ms_claim *claim,
                          const struct ms_envelope *envelope, const void *data,
                          uint32_t size) {
    void *payload = ms_queue_prepare(queue, claim, envelope, size);
    if (size) {
        ms_copy(payload, data, size);
    }
    MS_STEP("push.copied");
    const struct ms_origin *origin = envelope->origin;
    ms_queue_publish(queue, claim, size, origin && ms_origin_host_size(origin));
    fetch_ahead(queue, claim);
}

/* One end of the queue, with the totals that belong to it; brought: NULL for the head,
 * which has none. Bounded, because a process that misbehaves could move the end for
 * ever. */
static int load_end(const _Atomic uint64_t *word, const struct ms_totals totals[2],
                    const _Atomic uint64_t *brought, struct end *ret_end) {
    for (int i = 0; i < STATUS_TRIES; i++) {
        struct end end = {.word = atomic_load(word)};
        end.count = atomic_load(&totals[end.word & 1].count);
        end.bytes = atomic_load(&totals[end.word & 1].bytes);
        end.brought = brought ? atomic_load(&brought[end.word & 1]) : 0;
        if (atomic_load(word) == end.word) {
            *ret_end = end;
            return 0;
        }
    }
    return -EAGAIN;
}

/* While head stays where it is, what was found of the tail was true at the same time.
 */
static int try_status(const struct ms_queue *queue, ms_queue_fetch *fetch,
                      const void *context, struct ms_status *ret_status) {
    const struct ms_header *header = queue->header;
    struct end head = {0};
    struct end tail = {0};
    int r = load_end(&header->head, header->taken, NULL, &head);
    if (r == 0) {
        r = load_end(&header->tail, header->sent, header->brought, &tail);
    }
    if (r < 0) {
        return r;
    }
    struct ms_status status = {.count = tail.count - head.count,
                               .bytes = tail.bytes - head.bytes,
                               .received = tail.count,
                               .brought = tail.brought,
                               .next_size = MAILSLOT_NO_MESSAGE};
    if (status.count) {
        /* If head moves, what lies there may be overwritten, and this counts nothing.
         */
        MS_STEP("status.found");
        r = ms_record_measure(queue, fetch, context, ms_position(head.word),
                              ms_position(tail.word), &status.next_size);
    }
    if (atomic_load(&header->head) != head.word) {
        return -EAGAIN;
    }
    if (r == 0) {
        *ret_status = status;
    }
    return r;
}

int ms_queue_status(const struct ms_queue *queue, ms_queue_fetch *fetch,
                    const void *context, struct ms_status *ret_status) {
    int r = -EAGAIN;
    for (int i = 0; i < STATUS_TRIES && r == -EAGAIN; i++) {
        r = try_status(queue, fetch, context, ret_status);
    }
    return r;
}
