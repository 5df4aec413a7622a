/* SPDX-License-Identifier: MIT */
#include "gateway/watch.h"

#include <errno.h>
#include <stdbool.h>

static void run(void *context) {
    struct ms_watch *watch = context;
    for (;;) {
        uv_sem_wait(&watch->turn);
        int r;
        do {
            r = watch->is_closing ? -ECANCELED
                                  : mailslot_wait(watch->slot, MAILSLOT_FOREVER);
        } while (r == -EINTR);
        if (r == -ECANCELED) {
            return;
        }
        uv_async_send(&watch->ready); /* errors as well: reading tells them */
    }
}

static void on_ready(uv_async_t *ready) {
    struct ms_watch *watch = ready->data;
    if (!watch->is_closing) {
        watch->call(watch->context);
    }
}

int ms_watch_open(struct ms_watch *watch, uv_loop_t *loop, mailslot *slot,
                  void (*call)(void *context), void *context) {
    *watch = (struct ms_watch){.slot = slot, .call = call, .context = context};
    int r = uv_sem_init(&watch->turn, 0);
    if (r < 0) {
        return r;
    }
    r = uv_async_init(loop, &watch->ready, on_ready);
    if (r < 0) {
        uv_sem_destroy(&watch->turn);
        return r;
    }
    watch->ready.data = watch;
    r = uv_thread_create(&watch->thread, run, watch);
    if (r < 0) {
        uv_close((uv_handle_t *)&watch->ready, NULL);
        uv_sem_destroy(&watch->turn);
    }
    return r;
}

void ms_watch_next(struct ms_watch *watch) {
    uv_sem_post(&watch->turn);
}

void ms_watch_close(struct ms_watch *watch) {
    watch->is_closing = true;
    mailslot_cancel(watch->slot);
    uv_sem_post(&watch->turn);
    uv_thread_join(&watch->thread);
    uv_sem_destroy(&watch->turn);
    uv_close((uv_handle_t *)&watch->ready, NULL);
}
