/* SPDX-License-Identifier: MIT */
/* Token buckets: how much may come in how much time. Pure: the caller has the clock. */
#ifndef MS_GATEWAY_LIMIT_H
#define MS_GATEWAY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros is a full bucket. */
struct ms_bucket {
    double missing; /* tokens, as of time_ns */
    int64_t time_ns;
};

/* Take a token from a bucket of `burst` tokens, which gets `rate` of them a second.
 * False: there is none. */
bool ms_bucket_take(struct ms_bucket *bucket, double rate, double burst,
                    int64_t now_ns);

/* A bucket for each of the senders that were heard of last; when more come than there
 * is room for, the one silent for longest is forgotten. All zeros is empty. */
#define MS_SENDERS_COUNT 256
struct ms_senders {
    struct ms_sender {
        uint64_t id; /* 0: unused */
        struct ms_bucket bucket;
    } senders[MS_SENDERS_COUNT];
};

/* The bucket of the sender with that id, which is not 0. */
struct ms_bucket *ms_senders_find(struct ms_senders *senders, uint64_t id);

#endif
