/* SPDX-License-Identifier: MIT */
/*
 * Spinning: looking again and again for a moment before going to sleep. To sleep and to
 * be woken takes some 50 microseconds, so that much is worth spending on what may come
 * by itself; but only while it does come. Who has spun in vain before it sleeps, if for
 * few microseconds only, is woken later: 10 instead of 7 microseconds on a machine with
 * two virtual processors.
 */
#ifndef MS_LINUX_SPIN_H
#define MS_LINUX_SPIN_H

#include "os/cpu.h"
#include "os/process.h"

#include <stdbool.h>
#include <stdint.h>

/* How long to spin at most: as long as it takes to be woken; and at least. */
#define MS_SPIN_MAX_NS INT64_C(50000)
#define MS_SPIN_MIN_NS INT64_C(4000)

/* Who does not spin tries it once in so many waits, to see when it begins to pay. */
#define MS_SPIN_TRY 256

/* Looks between two looks at the clock. */
#define MS_SPIN_LOOKS 4

#define MS_SPIN_PAUSES 24

struct ms_spin {
    int64_t max_ns;    /* 0: never spin, because nobody else runs meanwhile */
    int64_t budget_ns; /* 0: sleep at once */
    uint32_t waits;
};

static inline void ms_spin_init(struct ms_spin *spin) {
    spin->max_ns = ms_process_processors() > 1 ? MS_SPIN_MAX_NS : 0;
    spin->budget_ns = spin->max_ns;
    spin->waits = 0;
}

/* Before each wait: how long to spin. */
static inline int64_t ms_spin_begin(struct ms_spin *spin) {
    bool is_try = ++spin->waits % MS_SPIN_TRY == 0;
    return is_try ? spin->max_ns : spin->budget_ns;
}

/* Tell how long the wait was in the end, spinning and sleeping. */
static inline void ms_spin_learn(struct ms_spin *spin, int64_t waited_ns) {
    int64_t budget_ns = spin->budget_ns;
    if (waited_ns > MS_SPIN_MAX_NS) {
        spin->budget_ns = budget_ns < 2 * MS_SPIN_MIN_NS ? 0 : budget_ns / 2;
    } else {
        budget_ns = budget_ns ? 2 * budget_ns : MS_SPIN_MIN_NS;
        spin->budget_ns = budget_ns < spin->max_ns ? budget_ns : spin->max_ns;
    }
}

/* Between two looks: some 0.5 us. Whoever looks again at once takes the cache line away
 * from who is about to write to it, for each message. */
static inline void ms_spin_pause(void) {
    for (int i = 0; i < MS_SPIN_PAUSES; i++) {
        ms_cpu_pause();
    }
}

#endif
