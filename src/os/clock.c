/* SPDX-License-Identifier: MIT */
/* Clocks. */
#include "os/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t ms_clock_now_ns(void) {
    return read_ns(CLOCK_MONOTONIC);
}

int64_t ms_clock_tick_ns(void) {
    return read_ns(CLOCK_MONOTONIC_COARSE);
}

int64_t ms_clock_stamp_ns(void) {
    return read_ns(CLOCK_REALTIME_COARSE);
}
