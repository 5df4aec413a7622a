/* SPDX-License-Identifier: MIT */
/*
 * Tells the loop that a slot has messages, by a thread that waits for them. Loop and
 * thread take turns: while one uses the slot the other does not.
 */
#ifndef MS_GATEWAY_WATCH_H
#define MS_GATEWAY_WATCH_H

#include "mailslot.h"

#include <stdatomic.h>
#include <uv.h>

struct ms_watch {
    mailslot *slot;
    uv_thread_t thread;
    uv_sem_t turn; /* the thread's */
    uv_async_t ready;
    atomic_bool is_closing;
    void (*call)(void *context);
    void *context;
};

/* `call` is called on the loop, once for each ms_watch_next. */
int ms_watch_open(struct ms_watch *watch, uv_loop_t *loop, mailslot *slot,
                  void (*call)(void *context), void *context);

/* Call when there is a message, at once if there is one now. Until then the slot must
 * not be used. */
void ms_watch_next(struct ms_watch *watch);

/* The slot is the caller's from now on; the memory is the loop's until it has run. */
void ms_watch_close(struct ms_watch *watch);

#endif
