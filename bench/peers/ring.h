/* SPDX-License-Identifier: MIT */
/*
 * What the two bare rings share: they show what a ring in shared memory can do at most,
 * and are no way for users, because they know no owner, no envelope, no bounds and no
 * other user. Made as fast as we can:
 *
 * - Positions only grow; a record is a length and its payload, aligned to 8 bytes.
 * - Each side keeps what it last saw of the other's position, and looks again only when
 *   it must. The reader publishes its own after an eighth of the ring, or when it finds
 *   the ring empty.
 * - A reader that finds several messages after a pause makes the next one longer, up to
 *   some 8 us, else shorter: right behind its writer it would be in its way.
 * - Who finds nothing to do spins a little, as long as that has helped lately, and then
 *   sleeps on a futex; the other side makes a system call only then. The fence that
 *   this needs is the sleeper's alone: membarrier makes it for both.
 * - A writer that finds the ring full sleeps until a quarter of it is free.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>

#define RING_PADDING UINT64_MAX

struct ring {
    uint64_t capacity; /* a power of two */

    _Alignas(128) pthread_mutex_t lock; /* writers, where there are several */
    uint64_t head_seen;                 /* by them */

    _Alignas(128) _Atomic uint64_t tail;

    _Alignas(128) _Atomic uint64_t head;

    _Alignas(128) _Atomic uint32_t reader_sleeps;

    _Alignas(128) _Atomic uint32_t writers_sleep;

    _Alignas(128) unsigned char bytes[];
};

/* One process's end. */
struct ring_end {
    struct ring *ring;
    unsigned char *bytes;
    uint64_t mask;
    uint64_t seen;      /* of the other side's position */
    uint64_t position;  /* the reader's own */
    uint64_t published; /* and what of it others know */
    unsigned int spins; /* before it sleeps */
    unsigned int lag;   /* pauses of a reader before it looks again */
};

/* A shared mapping of a new ring or of an existing one. */
struct ring_end *ring_create(const char *name, size_t size);
struct ring_end *ring_open(const char *name);
void ring_close(void *end);
void ring_remove(const char *name);

/* The reader's side, the same for both. */
size_t ring_receive(void *end, void *buffer, size_t capacity);

/* A writer's side, for one at a time: put a message if it fits, as far as *head_seen
 * tells, which is looked up when it must be. */
bool ring_put(struct ring_end *end, uint64_t *head_seen, const void *data, size_t size);

/* After it: wake the reader if it sleeps. */
void ring_wake_reader(struct ring *ring);

/* It did not fit: say so, and then try once more. */
bool ring_put_or_ask(struct ring_end *end, uint64_t *head_seen, const void *data,
                     size_t size);

/* It did not fit even then: wait for a quarter of the ring. */
void ring_await_space(struct ring_end *end);

#endif
