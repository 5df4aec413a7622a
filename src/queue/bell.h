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
 *   owner   bell = 1, BARRIER, load tail, sleep while bell == 1
 *   writer  store tail, BARRIER, load bell, if it is 1: exchange it for 0, wake one
 *
 *   writer  load space_bell, store space_wanted, BARRIER, load head,
 *           sleep while space_bell is as loaded
 *   owner   store head, BARRIER, load space_wanted, if that much is free: exchange it
 *           for 0, add 1 to space_bell, wake all
 *
 * Where the barriers are: the sleepers' accesses are seq_cst. A writer that has
 * published lets go of write_lock, which is one (os/lock.h). The owner releases
 * messages far more often than a writer sleeps, so that one has the owner's processor
 * make the barrier for it (os/barrier.h); where the system has no such thing, the
 * owner's store is seq_cst (ms_reader.is_unfenced).
 *
 * An owner with a descriptor for event loops has a thread that sleeps on its bell
 * (linux/readiness.c). The bell is then armed by whoever finds nothing to read, mostly
 * the owner while the thread sleeps already. So the word must tell a thread that comes
 * to sleep whether the bell was armed and rung since it looked: 1 and then 0 again is
 * not what it was. Hence a third value, which only the thread stores, in place of 0
 * before it looks at the queue. To writers it is as good as 0.
 *
 *   thread  if bell == 0: bell = 2; load tail, sleep while bell is as it was found
 *
 * A writer reads space_bell before it states its wish: whoever takes the wish away
 * afterwards changes space_bell later still, so the writer does not sleep on. A
 * writer that dies between publishing and waking leaves the owner asleep beside a
 * message; this is why sleepers look again at intervals (linux/slot.c,
 * linux/writer.c).
 */
#ifndef MS_QUEUE_BELL_H
#define MS_QUEUE_BELL_H

#include "queue/layout.h"
#include "queue/step.h"

#include <stdbool.h>

enum ms_bell { MS_BELL_SILENT, MS_BELL_ARMED, MS_BELL_HEARD };

static inline void ms_bell_arm(struct ms_header *header) {
    atomic_store(&header->bell, MS_BELL_ARMED);
}

static inline bool ms_bell_is_armed(const struct ms_header *header) {
    return atomic_load(&header->bell) == MS_BELL_ARMED;
}

/* The owner's thread, before it looks: returns on what value to sleep. */
static inline uint32_t ms_bell_hear(struct ms_header *header) {
    uint32_t bell = MS_BELL_SILENT;
    return atomic_compare_exchange_strong(&header->bell, &bell, MS_BELL_HEARD)
               ? MS_BELL_HEARD
               : bell;
}

/* Whoever is about to sleep on it shall not; then wake who does. */
static inline void ms_bell_silence(struct ms_header *header) {
    atomic_store(&header->bell, MS_BELL_SILENT);
}

/* Relaxed: a bell that rings although nobody sleeps costs a system call, nothing more.
 */
static inline void ms_bell_disarm(struct ms_header *header) {
    atomic_store_explicit(&header->bell, 0, memory_order_relaxed);
}

/* After publishing and letting go of write_lock: whether the owner must be woken. */
static inline bool ms_bell_ring(struct ms_header *header) {
    return atomic_load(&header->bell) == 1 && atomic_exchange(&header->bell, 0) == 1;
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
