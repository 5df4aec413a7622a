/* SPDX-License-Identifier: MIT */
/* Naps: sleeping on a bell, but never so long that a lost ring does harm. */
#ifndef MS_LINUX_NAP_H
#define MS_LINUX_NAP_H

#include <stdatomic.h>
#include <stdint.h>

/* A timeout_ms of mailslot.h as a point in time; 0 for no wait. */
int64_t ms_nap_deadline_ns(int64_t timeout_ms);

/*
 * Sleep while *bell == expected, for interval_ns at most; MS_NEVER: until deadline_ns.
 * Returns 0 when it is time to look again, -ETIMEDOUT when deadline_ns is over, -EINTR
 * when a signal handler has run, as ms_futex_wait does.
 */
int ms_nap(_Atomic uint32_t *bell, uint32_t expected, int64_t deadline_ns,
           int64_t interval_ns);

#endif
