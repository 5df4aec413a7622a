/* SPDX-License-Identifier: MIT */
/* Locks in shared memory that no death leaves held. */
#include "queue/lock.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#ifndef __GLIBC__
#error "ms_lock_is_held knows where glibc keeps a mutex's futex word"
#endif

/* The kernel's robust futex word: the holder's thread id, 0 when it has died. */
#define TID_MASK 0x3fffffffU

int ms_lock_init(pthread_mutex_t *lock) {
    pthread_mutexattr_t attributes;
    int r = pthread_mutexattr_init(&attributes);
    if (r == 0) {
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        r = pthread_mutex_init(lock, &attributes);
        pthread_mutexattr_destroy(&attributes);
    }
    return -r;
}

static int take_over(pthread_mutex_t *lock, int error) {
    switch (error) {
    case 0:
        return 0;
    case EOWNERDEAD:
        pthread_mutex_consistent(lock);
        return 0;
    case EBUSY:
    case ETIMEDOUT:
        return -error;
    default:
        return -EBADMSG;
    }
}

int ms_lock_try(pthread_mutex_t *lock) {
    return take_over(lock, pthread_mutex_trylock(lock));
}

int ms_lock_wait(pthread_mutex_t *lock, int64_t deadline_ns) {
    struct timespec deadline = {.tv_sec = deadline_ns / 1000000000,
                                .tv_nsec = deadline_ns % 1000000000};
    return take_over(lock, pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &deadline));
}

bool ms_lock_release(pthread_mutex_t *lock) {
    return pthread_mutex_unlock(lock) == 0;
}

bool ms_lock_is_held(const pthread_mutex_t *lock) {
    /* Relaxed: the kernel changes the word at death, and nothing is read because of it.
     */
    const int *word = &lock->__data.__lock;
    return ((unsigned)__atomic_load_n(word, __ATOMIC_RELAXED) & TID_MASK) != 0;
}
