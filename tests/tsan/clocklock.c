/* SPDX-License-Identifier: MIT */
/*
 * ThreadSanitizer of gcc 12 does not know pthread_mutex_clocklock: it would see locks
 * released that nobody has taken. It knows pthread_mutex_trylock, so under it, and only
 * there, a wait for a lock is this.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <time.h>

static bool has_passed(clockid_t clock, const struct timespec *deadline) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec > deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

int pthread_mutex_clocklock(pthread_mutex_t *lock, clockid_t clock,
                            const struct timespec *deadline) {
    int r = pthread_mutex_trylock(lock);
    while (r == EBUSY) {
        if (has_passed(clock, deadline)) {
            return ETIMEDOUT;
        }
        sched_yield();
        r = pthread_mutex_trylock(lock);
    }
    return r;
}
