/* SPDX-License-Identifier: MIT */
/*
 * Pace: a writer that has got far ahead of an owner that is busy reading gives it a
 * moment to get to the end of the queue. Then the ring starts anew, in memory that is
 * there and in the cache. The moment is as long as new memory would take to come, and
 * over as soon as the owner is seen to be too slow for it; where that was in vain, the
 * next tries come later, up to 16 MiB.
 */
#ifndef MS_LINUX_PACE_H
#define MS_LINUX_PACE_H

#include "queue/queue.h"

struct ms_pace {
    bool is_alone;  /* nobody else runs meanwhile: then it never gives way */
    uint64_t next;  /* position at which to think of it again */
    uint64_t head;  /* where the owner was when that was done last */
    uint64_t given; /* where it gave way last */
    uint32_t steps; /* how far next was put off then */
};

/* In a turn: whether to end it and give way before a message of size bytes is put. */
bool ms_pace_is_due(struct ms_pace *pace, const struct ms_queue *queue, uint64_t size);

/* Between turns: give way. */
void ms_pace_give_way(struct ms_pace *pace, const struct ms_queue *queue);

#endif
