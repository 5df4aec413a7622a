/* SPDX-License-Identifier: MIT */
/* Naps: sleeping on a bell, but never so long that a lost ring does harm. */
#include "linux/nap.h"

#include "mailslot.h"
#include "os/clock.h"
#include "os/futex.h"

#include <errno.h>
#include <stdbool.h>

int64_t ms_nap_deadline_ns(int64_t timeout_ms) {
    if (timeout_ms == 0) {
        return 0;
    }
    if (timeout_ms == MAILSLOT_FOREVER) {
        return MS_NEVER;
    }
    return ms_clock_now_ns() + timeout_ms * 1000000;
}

int ms_nap(_Atomic uint32_t *bell, uint32_t expected, int64_t deadline_ns,
           int64_t interval_ns) {
    int64_t now_ns = ms_clock_now_ns();
    if (now_ns >= deadline_ns) {
        return -ETIMEDOUT;
    }
    bool is_last = deadline_ns - now_ns <= interval_ns;
    int r = ms_futex_wait(bell, expected, is_last ? deadline_ns : now_ns + interval_ns);
    return r == -ETIMEDOUT ? 0 : r;
}
