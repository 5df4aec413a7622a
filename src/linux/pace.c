/* SPDX-License-Identifier: MIT */
/* Pace: a writer leaves the owner a moment to catch up. */
#include "linux/pace.h"

#include "linux/spin.h"
#include "os/clock.h"
#include "os/lock.h"
#include "os/process.h"
#include "queue/bell.h"
#include "queue/record.h"

/* So far from the start of the ring a writer thinks of it; and again after as much. */
#define STEP_BYTES (UINT64_C(2) << 20)
#define STEPS_MAX 7

/* About what 2 MiB of new memory take, of writer and owner together; and how long the
 * owner shows its speed, from which it is seen whether it will be there by then. It may
 * have to be woken first, or read from pages that it has not touched before. */
#define GIVE_WAY_NS INT64_C(4000000)
#define TRIAL_NS INT64_C(1000000)

static uint64_t tail_of(const struct ms_queue *queue) {
    /* Relaxed: write_lock orders it, or it is only compared. */
    return ms_position(
        atomic_load_explicit(&queue->header->tail, memory_order_relaxed));
}

static uint64_t head_of(const struct ms_queue *queue) {
    return ms_position(
        atomic_load_explicit(&queue->header->head, memory_order_relaxed));
}

/* A thread that owns the slot does not read while it waits for itself. */
static bool is_own(const struct ms_header *header) {
    return ms_lock_holder(&header->owner_lock) == ms_process_thread();
}

/* So far from the start of the ring: a look at the owner, which is in another cache. */
static bool look(struct ms_pace *pace, const struct ms_queue *queue, uint64_t tail) {
    const struct ms_header *header = queue->header;
    uint64_t head = head_of(queue);
    bool is_asleep =
        atomic_load_explicit(&header->bell, memory_order_relaxed) != MS_BELL_SILENT;
    bool is_reading = head != pace->head && !is_asleep;
    bool is_time = tail >= pace->next;
    pace->head = head;
    if (is_time) {
        pace->next = tail + pace->steps * STEP_BYTES + STEP_BYTES;
    }
    /* An owner that has read everything needs no more than the lock. */
    bool is_due = is_reading && tail != pace->given && (is_time || head == tail);
    return is_due && !pace->is_alone && !is_own(header);
}

inline bool ms_pace_is_due(struct ms_pace *pace, const struct ms_queue *queue,
                           uint64_t size) {
    uint64_t tail = tail_of(queue);
    bool is_new = tail + size > queue->header->reserved;
    if (tail < pace->next && !is_new) {
        return false;
    }
    uint64_t first = tail - ms_offset(queue, tail) + STEP_BYTES;
    if (tail < first) {
        pace->next = first;
        return false;
    }
    return look(pace, queue, tail);
}

/* Whether an owner that has read `done` bytes in that time will have read as many more
 * as are left before it is over. */
static bool is_hopeful(uint64_t done, uint64_t left, int64_t spent_ns) {
    return spent_ns < TRIAL_NS ||
           (spent_ns < GIVE_WAY_NS &&
            left * (uint64_t)spent_ns <= done * (uint64_t)(GIVE_WAY_NS - spent_ns));
}

void ms_pace_give_way(struct ms_pace *pace, const struct ms_queue *queue) {
    uint64_t tail = tail_of(queue);
    uint64_t head = head_of(queue);
    int64_t start_ns = ms_clock_now_ns();
    pace->given = tail;
    while (tail_of(queue) == tail) {
        uint64_t now = head_of(queue);
        if (!is_hopeful(now - head, tail - now, ms_clock_now_ns() - start_ns)) {
            pace->steps = pace->steps < STEPS_MAX ? 2 * pace->steps + 1 : STEPS_MAX;
            return;
        }
        ms_spin_pause();
    }
    pace->steps = 0;
}
