/* SPDX-License-Identifier: MIT */
/*
 * Spinning: looking again and again for a moment before going to sleep. To sleep and to
 * be woken takes some 50 microseconds, so that much is worth spending on what may come
 * by itself; but only while it does come.
 */
#ifndef MS_LINUX_SPIN_H
#define MS_LINUX_SPIN_H

#include "os/cpu.h"
#include "os/process.h"

#include <stdbool.h>

/* How long to spin: as long as it takes to be woken at most; and at least so long that
 * it is seen when it begins to pay. */
#define MS_SPIN_MAX_NS INT64_C(50000)
#define MS_SPIN_MIN_NS INT64_C(1000)

/* Looks between two looks at the clock. */
#define MS_SPIN_LOOKS 4

#define MS_SPIN_PAUSES 24

struct ms_spin {
    int64_t budget_ns; /* 0: never, because nobody else runs meanwhile */
};

static inline void ms_spin_init(struct ms_spin *spin) {
    spin->budget_ns = ms_process_processors() > 1 ? MS_SPIN_MAX_NS : 0;
}

/* Tell how long the wait was in the end, spinning and sleeping. */
static inline void ms_spin_learn(struct ms_spin *spin, int64_t waited_ns) {
    if (waited_ns > MS_SPIN_MAX_NS) {
        spin->budget_ns /= 2;
        if (spin->budget_ns && spin->budget_ns < MS_SPIN_MIN_NS) {
            spin->budget_ns = MS_SPIN_MIN_NS;
        }
    } else if (spin->budget_ns < MS_SPIN_MAX_NS / 2) {
        spin->budget_ns *= 2;
    } else if (spin->budget_ns) {
        spin->budget_ns = MS_SPIN_MAX_NS;
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
