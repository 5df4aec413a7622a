/* SPDX-License-Identifier: MIT */
/*
 * A lock in a region: a robust mutex that processes share. When its holder dies the
 * kernel frees it, and the next one takes it as if nothing had happened: what the
 * lock protects is whole at every instruction (layout.h).
 */
#ifndef MS_QUEUE_LOCK_H
#define MS_QUEUE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Returns 0 or -ENOMEM. */
int ms_lock_init(pthread_mutex_t *lock);

/* Returns 0, -EBUSY, or -EBADMSG when its memory is damaged. */
int ms_lock_try(pthread_mutex_t *lock);

/* deadline_ns: absolute, CLOCK_MONOTONIC. Returns 0, -ETIMEDOUT or -EBADMSG. */
int ms_lock_wait(pthread_mutex_t *lock, int64_t deadline_ns);

/* Returns whether it was this thread's to release. */
bool ms_lock_release(pthread_mutex_t *lock);

/* Whether a living thread holds the lock: one load. */
bool ms_lock_is_held(const pthread_mutex_t *lock);

#endif
