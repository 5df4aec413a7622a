/* SPDX-License-Identifier: MIT */
/* Durations and their percentiles. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include "bench.h"

struct samples {
    int64_t *all_ns;
    uint64_t count;
    uint64_t capacity;
};

void samples_init(struct samples *samples, uint64_t capacity);

static inline void samples_add(struct samples *samples, int64_t duration_ns) {
    if (samples->count < samples->capacity) {
        samples->all_ns[samples->count++] = duration_ns;
    }
}

/* p50_ns, p99_ns and p99.9_ns; frees the samples. */
void samples_report(struct samples *samples);

#endif
