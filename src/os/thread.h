/* SPDX-License-Identifier: MIT */
/* Threads, and locks between the threads of one process. */
#ifndef MS_OS_THREAD_H
#define MS_OS_THREAD_H

#include <pthread.h>

struct ms_thread {
    pthread_t thread;
    void (*run)(void *context);
    void *context;
};

/* Start a thread that handles no signals; *thread stays until it is joined. Returns 0
 * or -ENOMEM. */
int ms_thread_start(struct ms_thread *thread, void (*run)(void *context),
                    void *context);
void ms_thread_join(struct ms_thread *thread);

/* Zeroed memory is a mutex. A thread that holds one is not cancelled before it has let
 * go of it. */
struct ms_mutex {
    pthread_mutex_t mutex;
    int cancel_state; /* what its holder's was */
};
void ms_mutex_lock(struct ms_mutex *mutex);
void ms_mutex_unlock(struct ms_mutex *mutex);

#endif
