/* SPDX-License-Identifier: MIT */
/* Sleeping on a word of shared memory. */
#ifndef MS_OS_FUTEX_H
#define MS_OS_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * Sleep while *word == expected, until deadline_ns (absolute, CLOCK_MONOTONIC; or
 * MS_NEVER). Returns 0 when woken or when the word differs, possibly for no reason,
 * -ETIMEDOUT, or -EINTR when a signal handler has run; with MS_NEVER not after one with
 * SA_RESTART.
 */
int ms_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);

/* Wake up to count sleepers of any process. */
void ms_futex_wake(_Atomic uint32_t *word, int count);

#endif
