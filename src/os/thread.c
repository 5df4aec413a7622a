/* SPDX-License-Identifier: MIT */
/* Threads, and locks between the threads of one process. */
#include "os/thread.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

static void *run(void *context) {
    const struct ms_thread *thread = context;
    thread->run(thread->context);
    return NULL;
}

/* Signals are the program's: a thread starts with the mask of who starts it. */
int ms_thread_start(struct ms_thread *thread, void (*main)(void *context),
                    void *context) {
    sigset_t all;
    sigset_t before;
    thread->run = main;
    thread->context = context;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&thread->thread, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r == 0 ? 0 : -ENOMEM;
}

void ms_thread_join(struct ms_thread *thread) {
    pthread_join(thread->thread, NULL);
}

void ms_mutex_lock(struct ms_mutex *mutex) {
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_mutex_lock(&mutex->mutex);
    mutex->cancel_state = before;
}

void ms_mutex_unlock(struct ms_mutex *mutex) {
    int before = mutex->cancel_state;
    pthread_mutex_unlock(&mutex->mutex);
    pthread_setcancelstate(before, NULL);
}
