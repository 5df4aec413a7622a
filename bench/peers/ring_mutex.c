/* SPDX-License-Identifier: MIT */
/* A bare ring in shared memory whose writers take turns under a robust mutex. */
#include "peer.h"
#include "peers/ring.h"

#include <errno.h>

static void *create(const char *name, size_t size, bool is_plain) {
    (void)is_plain;
    return ring_create(name, size);
}

static void *open_writer(const char *name, size_t size) {
    (void)size;
    return ring_open(name);
}

static void lock(struct ring *ring) {
    int r = pthread_mutex_lock(&ring->lock);
    if (r == EOWNERDEAD) {
        r = pthread_mutex_consistent(&ring->lock);
    }
    if (r) {
        fail("pthread_mutex_lock: error %d", r);
    }
}

static bool send_message(void *memory, const void *data, size_t size, bool may_wait) {
    struct ring_end *end = memory;
    struct ring *ring = end->ring;
    for (;;) {
        lock(ring);
        bool is_in = ring_put(end, &ring->head_seen, data, size) ||
                     (may_wait && ring_put_or_ask(end, &ring->head_seen, data, size));
        pthread_mutex_unlock(&ring->lock);
        if (is_in) {
            ring_wake_reader(ring);
            return true;
        }
        if (!may_wait) {
            return false;
        }
        ring_await_space(end);
    }
}

const struct peer peer_ring_mutex = {
    .name = "ring-mutex",
    .is_floor = true,
    .create = create,
    .close_reader = ring_close,
    .open = open_writer,
    .close_writer = ring_close,
    .send = send_message,
    .receive = ring_receive,
    .remove = ring_remove,
};
