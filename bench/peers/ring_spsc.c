/* SPDX-License-Identifier: MIT */
/* A bare ring in shared memory for one writer: no lock at all. */
#include "peer.h"
#include "peers/ring.h"

static void *create(const char *name, size_t size, bool is_plain) {
    (void)is_plain;
    return ring_create(name, size);
}

static void *open_writer(const char *name, size_t size) {
    (void)size;
    return ring_open(name);
}

static bool send_message(void *memory, const void *data, size_t size, bool may_wait) {
    struct ring_end *end = memory;
    while (!ring_put(end, &end->seen, data, size)) {
        if (!may_wait) {
            return false;
        }
        if (ring_put_or_ask(end, &end->seen, data, size)) {
            break;
        }
        ring_await_space(end);
    }
    ring_wake_reader(end->ring);
    return true;
}

const struct peer peer_ring_spsc = {
    .name = "ring-spsc",
    .is_floor = true,
    .is_for_one = true,
    .create = create,
    .close_reader = ring_close,
    .open = open_writer,
    .close_writer = ring_close,
    .send = send_message,
    .receive = ring_receive,
    .remove = ring_remove,
};
