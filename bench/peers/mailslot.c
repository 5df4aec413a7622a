/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <errno.h>
#include <mailslot.h>
#include <string.h>

#define BATCH_MAX 256
#define SMALL_BYTES ((size_t)1 << 18)

static void check(int r, const char *what) {
    if (r < 0) {
        fail("mailslot: %s: %s", what, mailslot_error_text(r));
    }
}

static void *create(const char *name, size_t size, bool is_plain) {
    (void)size;
    (void)is_plain;
    mailslot *slot;
    check(mailslot_create(name, NULL, &slot), "create");
    return slot;
}

/* In the memory that the bare rings have. */
static void *create_small(const char *name, size_t size, bool is_plain) {
    (void)is_plain;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot;
    options.max_bytes = 16 * size > SMALL_BYTES ? 16 * size : SMALL_BYTES;
    check(mailslot_create(name, &options, &slot), "create");
    return slot;
}

static void close_reader(void *end) {
    mailslot_close(end);
}

static void *open_writer(const char *name, size_t size) {
    (void)size;
    mailslot_writer *writer;
    check(mailslot_open(name, &writer), "open");
    return writer;
}

static void close_writer(void *end) {
    mailslot_writer_close(end);
}

static bool send_message(void *end, const void *data, size_t size, bool may_wait) {
    int r = mailslot_writer_send(end, data, size, may_wait ? MAILSLOT_FOREVER : 0);
    if (r == -EAGAIN || r == -ENOSPC) {
        return false;
    }
    check(r, "send");
    return true;
}

static void send_once(const char *name, const void *data, size_t size) {
    check(mailslot_send(name, data, size, MAILSLOT_FOREVER), "send");
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    size_t size;
    check(mailslot_read(end, buffer, capacity, MAILSLOT_FOREVER, &size), "read");
    return size;
}

static int descriptor(void *end) {
    int fd;
    check(mailslot_get_fd(end, &fd), "get_fd");
    return fd;
}

static void send_batch(void *end, const void *messages, size_t size, size_t count) {
    mailslot_buffer buffers[BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        buffers[i] = (mailslot_buffer){(const char *)messages + i * size, size};
    }
    check(mailslot_writer_send_all(end, buffers, count, MAILSLOT_FOREVER, NULL),
          "send_all");
}

static size_t receive_batch(void *end, void *messages, size_t size, size_t count) {
    mailslot_message message;
    size_t taken = 0;
    int r = mailslot_peek(end, MAILSLOT_FOREVER, &message);
    while (r == 0) {
        if (message.size != size) {
            fail("mailslot: a message of %zu bytes", message.size);
        }
        memcpy((char *)messages + taken * size, message.data, size);
        r = ++taken < count ? mailslot_peek(end, 0, &message) : -EAGAIN;
    }
    if (r != -EAGAIN) {
        check(r, "peek");
    }
    check(mailslot_consume(end), "consume");
    return taken;
}

static void remove_channel(const char *name) {
    (void)name; /* the next create does */
}

const struct peer peer_mailslot = {
    .name = "mailslot",
    .create = create,
    .close_reader = close_reader,
    .open = open_writer,
    .close_writer = close_writer,
    .send = send_message,
    .send_once = send_once,
    .receive = receive,
    .descriptor = descriptor,
    .send_batch = send_batch,
    .receive_batch = receive_batch,
    .remove = remove_channel,
};

/* Ours with a bound: its writers wait for the reader, as most other peers' do. */
const struct peer peer_mailslot_small = {
    .name = "mailslot-small",
    .create = create_small,
    .close_reader = close_reader,
    .open = open_writer,
    .close_writer = close_writer,
    .send = send_message,
    .send_once = send_once,
    .receive = receive,
    .descriptor = descriptor,
    .send_batch = send_batch,
    .receive_batch = receive_batch,
    .remove = remove_channel,
};
