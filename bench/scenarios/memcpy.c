/* SPDX-License-Identifier: MIT */
/* What it costs to copy a message twice, once in and once out: a floor for all. */
#include "message.h"
#include "scenario.h"

#define ROUNDS 4096
#define RING_BYTES ((size_t)1 << 18)

static bool is_first(const struct peer *peer) {
    return peer == peers[0];
}

static void copy_twice(const struct job *job, int index) {
    (void)index;
    char *from = allocate(job->size);
    char *to = allocate(job->size);
    char *ring = allocate(RING_BYTES + job->size);
    int64_t start_ns = now_ns();
    size_t at = 0;
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(ring + at, from, job->size);
        memcpy(to, ring + at, job->size);
        __asm__ volatile("" : : "r"(to), "r"(ring) : "memory");
        at = (at + job->size) % RING_BYTES;
    }
    report("messages_per_s", ROUNDS * 1e9 / (double)(now_ns() - start_ns));
}

const struct scenario scenario_memcpy = {
    .name = "memcpy",
    .about = "two copies of a message in one process, a floor for all",
    .read = copy_twice,
    .has = is_first,
    .floor = "memcpy",
};
