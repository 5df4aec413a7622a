/* SPDX-License-Identifier: MIT */
/* The memory behind the ring. */
#include "linux/backing.h"

#include "os/clock.h"
#include "os/file.h"
#include "os/lock.h"
#include "os/memory.h"
#include "queue/step.h"

#include <errno.h>

#define PAGE UINT64_C(4096)

/* Reserved ahead, so that a system call serves many messages. */
#define RESERVE_CHUNK (UINT64_C(64) << 10)

/* Reserved or given back in one system call, so that a signal or another writer
 * does not wait long. */
#define STEP_BYTES (UINT64_C(1) << 20)

/* Of a backlog, so much that was read may wait to be given back until there is nothing
 * to read; or this part of the ring, or of what is free in the file system. */
#define WAITING_BYTES (UINT64_C(64) << 20)
#define WAITING_PART 8

/* Where less than that waits, it goes with the last message: whoever reads as many as
 * there are may never find nothing. */
#define WAITING_LITTLE (UINT64_C(4) << 20)

/* Given back by a call that has read something, where more of it was due. */
#define STEPS_MAX 2

/* A ring that is no larger keeps its memory for good. */
#define SMALL_RING (UINT64_C(1) << 20)

/* An empty queue goes back to the start of the ring from here on: soon enough for
 * a slot in steady use never to leave the window that keeps its memory. */
#define REWIND_BYTES (MS_HOT_WINDOW / 2)

static uint64_t round_up(uint64_t bytes, uint64_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Where the ring lies in the file. */
static uint64_t file_offset(uint64_t capacity, uint64_t position) {
    return MS_HEADER_SIZE + (position & (capacity - 1));
}

/* Bytes from position to limit, as far as one system call takes them. */
static uint64_t step_size(uint64_t capacity, uint64_t position, uint64_t limit) {
    uint64_t to_end = capacity - (position & (capacity - 1));
    return smaller(smaller(limit - position, to_end), STEP_BYTES);
}

/* Give back what of [start, end) does not lie in the window. */
static void give_back_range(uint64_t capacity, int fd, uint64_t start, uint64_t end,
                            uint64_t window) {
    while (start < end) {
        uint64_t at = start & (capacity - 1);
        uint64_t size = step_size(capacity, start, end);
        if (at < window) {
            size = smaller(size, window - at);
        } else {
            ms_file_give_back(fd, file_offset(capacity, start), size);
            MS_STEP("give_back.given_back");
        }
        start += size;
    }
}

/* A reservation came no further than end. Beyond the head's lap the start of the ring
 * had its memory before, and the owner may count on keeping it when it rewinds. */
static void undo_reserve(const struct ms_queue *queue, int fd, uint64_t start,
                         uint64_t end) {
    uint64_t capacity = queue->capacity;
    uint64_t next_lap = round_up(atomic_load(&queue->header->head) | 1, capacity);
    uint64_t middle = smaller(larger(next_lap, start), end);
    give_back_range(capacity, fd, start, middle, MS_HOT_WINDOW);
    give_back_range(capacity, fd, middle, end, MS_BUSY_WINDOW);
}

/* Relaxed, here and below: a writer that dies before it has noted what it reserved
 * leaves this behind. */
static void announce(struct ms_header *header, uint64_t end) {
    if (end > atomic_load_explicit(&header->reserving, memory_order_relaxed)) {
        atomic_store_explicit(&header->reserving, end, memory_order_relaxed);
    }
    MS_STEP("reserve.announced");
}

/* Either all of [start, end) or nothing. */
static int reserve_range(const struct ms_queue *queue, int fd, uint64_t start,
                         uint64_t end) {
    uint64_t capacity = queue->capacity;
    announce(queue->header, end);
    for (uint64_t at = start; at < end;) {
        uint64_t size = step_size(capacity, at, end);
        int r = ms_file_reserve(fd, file_offset(capacity, at), size);
        if (r < 0) {
            undo_reserve(queue, fd, start, at);
            return r;
        }
        MS_STEP("reserve.reserved");
        if (queue->ring) {
            ms_memory_populate(queue->ring + (at & (capacity - 1)), size);
        }
        at += size;
    }
    return 0;
}

/* How far to reserve at best: a chunk ahead, but no page that holds what is queued,
 * because it would be given back if the next one cannot be had. */
static uint64_t generous_end(const struct ms_queue *queue, uint64_t end) {
    uint64_t head = atomic_load(&queue->header->head);
    uint64_t limit = (head + queue->capacity) / PAGE * PAGE;
    return smaller(round_up(end, RESERVE_CHUNK), limit);
}

static int reserve_more(const struct ms_queue *queue, int fd, uint64_t reserved,
                        uint64_t end) {
    struct ms_header *header = queue->header;
    uint64_t least = round_up(end, PAGE);
    if (least - reserved > queue->capacity + PAGE || reserved % PAGE) {
        return -EBADMSG;
    }
    uint64_t want = generous_end(queue, end);
    int r = -ENOSPC;
    if (want > least) {
        r = reserve_range(queue, fd, reserved, want);
    }
    if (r < 0) {
        want = least;
        r = reserve_range(queue, fd, reserved, want);
    }
    if (r < 0) {
        return r;
    }
    bool is_complete = queue->capacity <= SMALL_RING && want >= queue->capacity;
    header->reserved = is_complete ? UINT64_MAX : want;
    MS_STEP("reserve.noted");
    return 0;
}

inline int ms_backing_reserve(const struct ms_queue *queue, int fd, uint64_t end) {
    uint64_t reserved = queue->header->reserved;
    return end <= reserved ? 0 : reserve_more(queue, fd, reserved, end);
}

/* From lap on. */
static uint64_t bytes_from(uint64_t lap, uint64_t position) {
    return position > lap ? position - lap : 0;
}

/* How far from the start of the present lap, or the one before, there may be memory. */
static uint64_t bytes_touched(const struct ms_backing *backing,
                              const struct ms_reader *reader) {
    return bytes_from(
        backing->lap,
        atomic_load_explicit(&reader->queue.header->reserving, memory_order_relaxed));
}

/* Holding write_lock, with nothing queued. */
static void rewind_ring(struct ms_backing *backing, struct ms_reader *reader, int fd,
                        uint64_t window) {
    struct ms_header *header = reader->queue.header;
    uint64_t capacity = reader->queue.capacity;
    uint64_t lap = reader->head & ~(capacity - 1);
    uint64_t reserved = bytes_from(lap, header->reserved);
    bool is_same_lap = lap == backing->lap;
    /* Of an earlier lap all of the window may be there, but only this is sure to. */
    uint64_t sure = is_same_lap ? backing->kept : MS_HOT_WINDOW;
    backing->kept = smaller(larger(reserved, sure), window);
    uint64_t touched = larger(bytes_touched(backing, reader), sure);
    if (backing->kept < capacity && (!is_same_lap || touched > backing->kept)) {
        ms_file_give_back(fd, MS_HEADER_SIZE + backing->kept, capacity - backing->kept);
        MS_STEP("rewind.given_back");
    }
    ms_reader_rewind(reader);
    backing->lap = reader->head;
    backing->given_back = reader->head;
    backing->looked = reader->head;
    backing->peak = 0;
    header->reserved = reader->head + backing->kept;
    atomic_store_explicit(&header->reserving, header->reserved, memory_order_relaxed);
    MS_STEP("rewind.noted");
}

/* Holding write_lock: one step of what was read. Writers of the next lap may have
 * reserved some of it again already. */
static void give_back_step(struct ms_backing *backing, const struct ms_reader *reader,
                           int fd) {
    uint64_t capacity = reader->queue.capacity;
    uint64_t reserved = round_up(reader->queue.header->reserved, PAGE);
    uint64_t start = backing->given_back;
    uint64_t end = start + STEP_BYTES;
    if (reserved > start + capacity) {
        start = smaller(reserved - capacity, end);
    }
    give_back_range(capacity, fd, start, end, MS_BUSY_WINDOW);
    backing->given_back = end;
}

static void try_rewind(struct ms_backing *backing, struct ms_reader *reader, int fd,
                       uint64_t window) {
    ms_lock *lock = &reader->queue.header->write_lock;
    if (ms_reader_is_empty(reader) && ms_lock_try(lock) == 0) {
        if (ms_reader_is_empty(reader)) {
            rewind_ring(backing, reader, fd, smaller(window, reader->queue.capacity));
            backing->rewound_ns = ms_clock_tick_ns();
        }
        ms_lock_release(lock);
    }
}

static uint64_t waiting_bytes(const struct ms_backing *backing,
                              const struct ms_reader *reader) {
    return reader->head - backing->given_back;
}

/* Returns false when it is another's turn. */
static bool give_back(struct ms_backing *backing, const struct ms_reader *reader,
                      int fd) {
    ms_lock *lock = &reader->queue.header->write_lock;
    if (ms_lock_try(lock) < 0) {
        return false;
    }
    give_back_step(backing, reader, fd);
    ms_lock_release(lock);
    return true;
}

/* So much may wait: no more than the slot has had queued at most since it was empty. */
static uint64_t may_wait(struct ms_backing *backing, struct ms_reader *reader, int fd) {
    uint64_t queued = reader->queue.capacity - ms_reader_free(reader);
    uint64_t before = queued + (reader->head - backing->looked);
    uint64_t part = smaller(reader->queue.capacity, ms_file_space(fd)) / WAITING_PART;
    backing->peak = larger(backing->peak, before);
    return larger(smaller(smaller(part, WAITING_BYTES), backing->peak - queued),
                  STEP_BYTES);
}

static void give_back_what_is_due(struct ms_backing *backing, struct ms_reader *reader,
                                  int fd) {
    uint64_t most = may_wait(backing, reader, fd);
    for (int i = 0; i < STEPS_MAX && waiting_bytes(backing, reader) > most; i++) {
        if (!give_back(backing, reader, fd)) {
            return;
        }
    }
    backing->looked = reader->head;
}

static void tidy(struct ms_backing *backing, struct ms_reader *reader, int fd,
                 uint64_t window) {
    while (waiting_bytes(backing, reader) >= STEP_BYTES && ms_reader_is_empty(reader) &&
           give_back(backing, reader, fd)) {
        MS_STEP("tidy.stepped");
    }
    if (waiting_bytes(backing, reader) < STEP_BYTES) {
        try_rewind(backing, reader, fd, window);
    }
}

static void settle(struct ms_backing *backing, struct ms_reader *reader, int fd) {
    if (reader->head - backing->looked >= STEP_BYTES) {
        give_back_what_is_due(backing, reader, fd);
    }
    if (reader->head - backing->lap >= REWIND_BYTES &&
        waiting_bytes(backing, reader) < WAITING_LITTLE) {
        tidy(backing, reader, fd, MS_BUSY_WINDOW);
    }
}

inline void ms_backing_settle(struct ms_backing *backing, struct ms_reader *reader,
                              int fd) {
    /* What it was seen to hold last it holds, until it was read. */
    bool may_be_empty = reader->cursor == reader->tail;
    bool is_due = reader->head - backing->looked >= STEP_BYTES ||
                  (may_be_empty && reader->head - backing->lap >= REWIND_BYTES);
    if (is_due && reader->queue.capacity > SMALL_RING) {
        settle(backing, reader, fd);
    }
}

void ms_backing_tidy(struct ms_backing *backing, struct ms_reader *reader, int fd) {
    if (reader->head - backing->lap >= REWIND_BYTES &&
        reader->queue.capacity > SMALL_RING) {
        tidy(backing, reader, fd, MS_BUSY_WINDOW);
    }
}

bool ms_backing_is_warm(const struct ms_backing *backing,
                        const struct ms_reader *reader) {
    return reader->queue.capacity > SMALL_RING &&
           bytes_touched(backing, reader) > MS_HOT_WINDOW;
}

void ms_backing_cool(struct ms_backing *backing, struct ms_reader *reader, int fd) {
    if (ms_backing_is_warm(backing, reader) &&
        ms_clock_tick_ns() - backing->rewound_ns >= MS_BUSY_NS) {
        tidy(backing, reader, fd, MS_HOT_WINDOW);
    }
}
