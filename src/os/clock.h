/* SPDX-License-Identifier: MIT */
/* Clocks. */
#ifndef MS_OS_CLOCK_H
#define MS_OS_CLOCK_H

#include <stdint.h>

/* No deadline: later than any clock. */
#define MS_NEVER INT64_MAX

/* CLOCK_MONOTONIC, nanoseconds. */
int64_t ms_clock_now_ns(void);

/* The same as of the last tick (some 4 ms), which costs next to nothing. */
int64_t ms_clock_tick_ns(void);

/* Nanoseconds since 1970, as of the last tick (some 4 ms): a stamp costs next to
 * nothing. */
int64_t ms_clock_stamp_ns(void);

#endif
