/* SPDX-License-Identifier: MIT */
/* The ring buffer of libqb, with its semaphore. It has no way to wait for space. */
#include "peer.h"

#include <errno.h>
#include <qb/qbrb.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define RING_BYTES ((size_t)1 << 20)

static void *open_ring(const char *name, uint32_t flags) {
    qb_ringbuffer_t *ring =
        qb_rb_open(name, RING_BYTES, flags | QB_RB_FLAG_SHARED_PROCESS, 0);
    expect(ring != NULL, "qb_rb_open");
    return ring;
}

static void *create(const char *name, size_t size, bool is_plain) {
    (void)size;
    (void)is_plain;
    return open_ring(name, QB_RB_FLAG_CREATE);
}

static void *open_writer(const char *name, size_t size) {
    (void)size;
    return open_ring(name, 0);
}

static void close_end(void *end) {
    qb_rb_close(end);
}

static bool send_message(void *end, const void *data, size_t size, bool may_wait) {
    ssize_t sent;
    while ((sent = qb_rb_chunk_write(end, data, size)) == -EAGAIN) {
        if (!may_wait) {
            return false;
        }
        sched_yield();
    }
    if (sent != (ssize_t)size) {
        fail("qb_rb_chunk_write: %zd", sent);
    }
    return true;
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    ssize_t size = qb_rb_chunk_read(end, buffer, capacity, -1);
    if (size < 0) {
        fail("qb_rb_chunk_read: %zd", size);
    }
    return (size_t)size;
}

static void remove_channel(const char *name) {
    static const char *const parts[] = {"header", "data"};
    for (int i = 0; i < 2; i++) {
        char path[200];
        snprintf(path, sizeof path, "/dev/shm/qb-%s-%s", name, parts[i]);
        unlink(path);
    }
}

const struct peer peer_libqb = {
    .name = "libqb",
    .is_for_one = true,
    .create = create,
    .close_reader = close_end,
    .open = open_writer,
    .close_writer = close_end,
    .send = send_message,
    .receive = receive,
    .remove = remove_channel,
};
