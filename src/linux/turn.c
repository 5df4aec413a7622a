/* SPDX-License-Identifier: MIT */
/* Turns: who writes into the ring holds write_lock of a living slot, for a moment. */
#include "linux/turn.h"

#include "linux/nap.h"
#include "linux/region.h"
#include "os/clock.h"
#include "os/futex.h"
#include "queue/bell.h"
#include "queue/lock.h"
#include "queue/step.h"

#include <errno.h>

/* How long to wait for a turn, at least: a writer may have been stopped in its turn. */
#define TURN_WAIT_NS INT64_C(1000000000)

/* The owner's death rings no bell: who waits looks for it at intervals. */
#define LOOK_AGAIN_NS INT64_C(100000000)

/*
 * Another writer has its turn. A turn takes less than TURN_WAIT_NS by far; a longer one
 * is that of a writer that was stopped in it. Then look now and then, because a wait
 * for a lock notices neither signals nor the death of the slot.
 */
static int wait_for_turn(struct ms_header *header, int64_t deadline_ns) {
    pthread_mutex_t *lock = &header->write_lock;
    int r = ms_lock_wait(lock, ms_clock_now_ns() + TURN_WAIT_NS);
    while (r == -ETIMEDOUT || r == -EBUSY) {
        if (!ms_region_is_alive(header)) {
            return -EPIPE;
        }
        uint32_t bell = atomic_load(&header->space_bell);
        r = ms_nap(&header->space_bell, bell, deadline_ns, LOOK_AGAIN_NS);
        if (r < 0) {
            return r;
        }
        r = ms_lock_try(lock);
    }
    return r;
}

int ms_turn_begin(struct ms_header *header, int64_t deadline_ns) {
    int r = ms_lock_try(&header->write_lock);
    if (r == -EBUSY) {
        bool is_alive = ms_region_is_alive(header);
        r = is_alive ? wait_for_turn(header, deadline_ns) : -EPIPE;
    }
    if (r < 0) {
        return r;
    }
    MS_STEP("turn.begun");
    if (!ms_region_is_alive(header)) {
        ms_lock_release(&header->write_lock);
        return -EPIPE;
    }
    return 0;
}

void ms_turn_end(struct ms_header *header, bool has_sent) {
    MS_STEP("turn.ending");
    ms_lock_release(&header->write_lock);
    MS_STEP("turn.ended");
    if (has_sent && ms_bell_ring(header)) {
        MS_STEP("turn.ringing");
        ms_futex_wake(&header->bell, 1);
    }
}
