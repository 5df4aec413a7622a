/* SPDX-License-Identifier: MIT */
/*
 * Bells: how a sleeper says that it sleeps, and how the other side learns that it
 * must be woken. The sleeping itself (a futex) is the caller's.
 *
 * The owner sleeps for messages, writers sleep for space. In both cases the
 * sleeper stores its wish and then looks once more; the other side changes the
 * queue and then looks for a wish. With a full barrier between store and load on
 * either side at least one sees the other: the sleeper finds the queue changed, or
 * the other finds the wish (Dekker). With anything weaker both can miss, because a
 * store may be delayed past a later load.
 *
 * The owner sleeps on the word of write_lock, which it watches (os/lock.h), because
 * then the kernel wakes it when a writer dies before it could; and it arms the bell,
 * for writers that live. n is another each time.
 *
 *   owner   bell = ARMED + n, watch, if write_lock was held: bell = BESIDE + n,
 *           load tail, sleep while write_lock is as watched, unwatch, bell = 0
 *   writer  store tail, load bell, free write_lock, load bell, if it is one of these
 *           or this was the first time since the owner watched it free: wake one;
 *           and if it was, and the bell ARMED + n before: exchange that for 0
 *
 * Watching and freeing change the same word, so one of them is first: then the owner
 * sees the tail, or the writer finds the lock watched. A word that was watched free
 * does not come back, whoever takes and frees the lock, until the owner watches it
 * anew: once it was freed, the owner will not begin to sleep on it any more, or does
 * already and is woken. Who has woken it silences the bell, for this sleep and no
 * other, and later writers need not. Who has not come to that, because it was stopped,
 * has left it armed, and the next one wakes in its place. A word that was watched held
 * does come back, in the next turn of the same writer; so nobody silences the bell of a
 * sleep beside it.
 *
 *   writer  load space_bell, store space_wanted, BARRIER, load head,
 *           sleep while space_bell is as loaded
 *   owner   store head, BARRIER, load space_wanted, if that much is free: exchange it
 *           for 0, add 1 to space_bell, wake all
 *
 * Where the barriers are: the sleepers' accesses are seq_cst. A writer that has
 * published frees write_lock, which is one. The owner releases messages far more often
 * than a writer sleeps, so that one has the owner's processor make the barrier for it
 * (os/barrier.h); where the system has no such thing, the owner's store is seq_cst
 * (ms_reader.is_unfenced).
 *
 * An owner with a descriptor for event loops (linux/readiness.c) does not sleep on a
 * word but in its loop. Then it arms the bell with a value of its own each time, and
 * whoever exchanges that for 0 pulls the cord: makes the descriptor readable. A writer
 * does so only if there is something that the owner has not seen. As the value is
 * another each time, it cannot take the bell for what was seen meanwhile. The owner can
 * take the bell back; so it knows whether the cord has been pulled or will be. A writer
 * that cannot pull it adds 1 to `calls` and wakes the owner's thread, which sleeps on
 * that word and pulls in its place.
 *
 *   owner   seen = tail, bell = CORD + n, BARRIER, load tail, wait in the loop
 *   writer  store tail, BARRIER, load bell, if it is CORD + n and tail is not seen:
 *           exchange it for 0, pull
 *
 * A writer reads space_bell before it states its wish: whoever takes the wish away
 * afterwards changes space_bell later still, so the writer does not sleep on. An owner
 * that dies wakes no writer, and a writer that dies pulls no cord; this is why writers
 * and the owner's thread look again at intervals (linux/writer.c, linux/readiness.c).
 */
#ifndef MS_QUEUE_BELL_H
#define MS_QUEUE_BELL_H

#include "queue/layout.h"
#include "queue/record.h"
#include "queue/step.h"

#include <stdbool.h>

/* What there is to do: wake the owner from its sleep, or pull the cord. The value of a
 * bell that is armed is one of these and any higher bits. */
enum ms_bell { MS_BELL_SILENT, MS_BELL_ARMED, MS_BELL_CORD, MS_BELL_BESIDE };
#define MS_BELL_KIND 3

static inline void ms_bell_arm(struct ms_header *header, uint32_t value) {
    atomic_store(&header->bell, value);
}

/* For the owner's sleep. Release: who sees it finds the lock watched for this sleep, or
 * not at all. That it is seen when the lock is found watched is up to ms_lock_watch,
 * which comes after it. */
static inline void ms_bell_arm_sleeper(struct ms_header *header, uint32_t value) {
    atomic_store_explicit(&header->bell, value, memory_order_release);
}

/* Relaxed: a bell that rings although nobody sleeps costs a system call, nothing more.
 */
static inline void ms_bell_disarm(struct ms_header *header) {
    atomic_store_explicit(&header->bell, MS_BELL_SILENT, memory_order_relaxed);
}

/* Whether it is still armed as it was. */
static inline bool ms_bell_has(const struct ms_header *header, uint32_t value) {
    return atomic_load(&header->bell) == value;
}

/* Not as a writer does: whether it was still armed as it was, and is no more. */
static inline bool ms_bell_take_back(struct ms_header *header, uint32_t value) {
    return atomic_compare_exchange_strong(&header->bell, &value, MS_BELL_SILENT);
}

/* Whether the owner, when it armed the bell, did not know of what is queued now. */
static inline bool ms_bell_has_news(const struct ms_header *header) {
    return ms_position(atomic_load(&header->tail)) != atomic_load(&header->seen);
}

/* Before write_lock is freed, and after. */
static inline uint32_t ms_bell_look(const struct ms_header *header) {
    return atomic_load(&header->bell);
}

static inline bool ms_bell_is(uint32_t bell, enum ms_bell kind) {
    return (bell & MS_BELL_KIND) == kind;
}

/* Whether the owner sleeps, or is about to. */
static inline bool ms_bell_is_for_sleep(uint32_t bell) {
    return ms_bell_is(bell, MS_BELL_ARMED) || ms_bell_is(bell, MS_BELL_BESIDE);
}

/* After waking the owner, for who was first to free write_lock since it was watched
 * free; bell: as it was before. */
static inline void ms_bell_rung(struct ms_header *header, uint32_t bell) {
    if (ms_bell_is(bell, MS_BELL_ARMED)) {
        ms_bell_take_back(header, bell);
    }
}

/* Whether the cord is to be pulled, by who asks. */
static inline bool ms_bell_take_cord(struct ms_header *header) {
    uint32_t bell = atomic_load(&header->bell);
    do {
        if (!ms_bell_is(bell, MS_BELL_CORD) || !ms_bell_has_news(header)) {
            return false;
        }
        MS_STEP("bell.found");
    } while (!atomic_compare_exchange_strong(&header->bell, &bell, MS_BELL_SILENT));
    return true;
}

/* The thread is to pull the cord; then wake it. */
static inline void ms_bell_call(struct ms_header *header) {
    atomic_fetch_add(&header->calls, 1);
}

/* Holding write_lock: state the wish for that many free bytes; returns what to sleep
 * on. */
static inline uint32_t ms_space_arm(struct ms_header *header, uint64_t wanted) {
    uint32_t bell = atomic_load(&header->space_bell);
    uint64_t others = atomic_load(&header->space_wanted);
    atomic_store(&header->space_wanted, others && others < wanted ? others : wanted);
    MS_STEP("space.armed");
    return bell;
}

/* After moving head: whether a writer waits for space. */
static inline bool ms_space_is_wanted(struct ms_header *header) {
    return atomic_load(&header->space_wanted) != 0;
}

/* After moving head: whether writers must be woken, now that free bytes are free. */
static inline bool ms_space_ring(struct ms_header *header, uint64_t free) {
    uint64_t wanted = atomic_load(&header->space_wanted);
    if (wanted == 0 || wanted > free) {
        return false;
    }
    atomic_exchange(&header->space_wanted, 0);
    MS_STEP("space.taken");
    atomic_fetch_add(&header->space_bell, 1);
    MS_STEP("space.rung");
    return true;
}

#endif
