/* SPDX-License-Identifier: MIT */
/*
 * Distance: an owner that reads as fast as its writers send stays a little behind them.
 *
 * Right behind them it is in their way: its looks at the tail, and its processor, which
 * fetches ahead what it seems to read next, take the lines away that are about to be
 * written, for each message. So while messages keep coming, an owner that has read
 * everything waits a moment longer than until the first is there, and then reads all
 * that have come, at two to three times the speed.
 *
 * It does so only as long as it pays: what came while it held back has to have come
 * about as fast as before. Who asks and waits for the answer sends nothing meanwhile,
 * so the owner that answers does not hold back, but for a short try now and then.
 */
#ifndef MS_LINUX_DISTANCE_H
#define MS_LINUX_DISTANCE_H

#include <stdbool.h>
#include <stdint.h>

/* To hold back is a matter of pauses (spin.h): some 8 us at most, 18 where the
 * processor's are long. */
#define MS_DISTANCE_PAUSES_MAX 16

/* Who is so far behind is far enough: it holds back no longer than for that. Nor for
 * more than an eighth of the ring, because its writers wait when that is full. */
#define MS_DISTANCE_BYTES (UINT64_C(64) << 10)
#define MS_DISTANCE_SHARE 8

/* Waits that go by without a try after one that was in vain. */
#define MS_DISTANCE_REST 32

/* What comes after more looks than that does not come in a stream. */
#define MS_DISTANCE_LOOKS 2

struct ms_distance {
    uint64_t bytes;  /* that are far enough */
    uint32_t pauses; /* to hold back for; 0: it would be a try */
    uint32_t rest;   /* waits until the next try */
};

static inline void ms_distance_init(struct ms_distance *distance, uint64_t capacity) {
    uint64_t share = capacity / MS_DISTANCE_SHARE;
    *distance = (struct ms_distance){
        .bytes = share < MS_DISTANCE_BYTES ? share : MS_DISTANCE_BYTES};
}

/* What comes is no stream, or none any more. */
static inline void ms_distance_lose(struct ms_distance *distance) {
    if (distance->pauses) {
        distance->pauses = 0;
        distance->rest = MS_DISTANCE_REST;
    }
}

/* After so many looks, some pauses apart, there were so many bytes: returns for how
 * many pauses to hold back. */
static inline uint32_t ms_distance_hold(struct ms_distance *distance, uint32_t looks,
                                        uint64_t bytes) {
    if (looks > MS_DISTANCE_LOOKS) {
        ms_distance_lose(distance);
        return 0;
    }
    if (bytes >= distance->bytes) {
        return 0;
    }
    if (distance->pauses == 0 && distance->rest) {
        distance->rest--;
        return 0;
    }
    if (distance->pauses == 0) {
        distance->pauses = 1;
    }
    return distance->pauses;
}

/* And then so many bytes more had come. Less than half of what was to be expected: it
 * was in vain. */
static inline void ms_distance_learn(struct ms_distance *distance, uint32_t looks,
                                     uint64_t bytes, uint64_t more) {
    if (2 * more * looks < bytes * distance->pauses) {
        ms_distance_lose(distance);
    } else if (bytes + more >= 2 * distance->bytes) {
        distance->pauses = distance->pauses > 1 ? distance->pauses / 2 : 1;
    } else if (bytes + more < distance->bytes &&
               distance->pauses < MS_DISTANCE_PAUSES_MAX) {
        distance->pauses *= 2;
    }
}

#endif
