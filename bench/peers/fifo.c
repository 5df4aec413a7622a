/* SPDX-License-Identifier: MIT */
/* A named pipe. It knows no messages: all have one size here, which spares it what it
 * would cost to tell where one ends. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* As much as anybody may have. */
#define PIPE_BYTES (1 << 20)

struct fifo {
    int fd;
    size_t size;
};

static struct fifo *open_fifo(const char *name, size_t size, int flags) {
    struct fifo *end = allocate(sizeof *end);
    *end = (struct fifo){.fd = open(peer_path(name, ".fifo"), flags | O_CLOEXEC),
                         .size = size};
    expect(end->fd >= 0, "open");
    return end;
}

/* Open for both, so that it does not end when a writer does. */
static void *create(const char *name, size_t size, bool is_plain) {
    unlink(peer_path(name, ".fifo"));
    expect(mkfifo(peer_path(name, ".fifo"), 0600) == 0, "mkfifo");
    struct fifo *end = open_fifo(name, size, O_RDWR);
    if (!is_plain) {
        fcntl(end->fd, F_SETPIPE_SZ, PIPE_BYTES);
    }
    return end;
}

static void *open_writer(const char *name, size_t size) {
    return open_fifo(name, size, O_WRONLY);
}

static void close_end(void *end) {
    close(((struct fifo *)end)->fd);
    free(end);
}

static bool send_message(void *end, const void *data, size_t size, bool may_wait) {
    int fd = ((struct fifo *)end)->fd;
    struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
    if (!may_wait && poll(&pollfd, 1, 0) == 0) {
        return false;
    }
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)data + done, size - done);
        expect(n > 0, "write");
        done += (size_t)n;
    }
    return true;
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    const struct fifo *fifo = end;
    if (fifo->size > capacity) {
        fail("fifo: a message of %zu bytes", fifo->size);
    }
    for (size_t done = 0; done < fifo->size;) {
        ssize_t n = read(fifo->fd, (char *)buffer + done, fifo->size - done);
        expect(n > 0, "read");
        done += (size_t)n;
    }
    return fifo->size;
}

static int descriptor(void *end) {
    return ((struct fifo *)end)->fd;
}

static void send_batch(void *end, const void *messages, size_t size, size_t count) {
    send_message(end, messages, size * count, true);
}

/* Whole messages: the rest of the last one is waited for. */
static size_t receive_batch(void *end, void *messages, size_t size, size_t count) {
    int fd = ((struct fifo *)end)->fd;
    size_t done = 0;
    do {
        ssize_t n = read(fd, (char *)messages + done, size * count - done);
        expect(n > 0, "read");
        done += (size_t)n;
    } while (done % size);
    return done / size;
}

static void remove_channel(const char *name) {
    unlink(peer_path(name, ".fifo"));
}

const struct peer peer_fifo = {
    .name = "fifo",
    .shared_max = PIPE_BUF,
    .create = create,
    .close_reader = close_end,
    .open = open_writer,
    .close_writer = close_end,
    .send = send_message,
    .receive = receive,
    .descriptor = descriptor,
    .send_batch = send_batch,
    .receive_batch = receive_batch,
    .remove = remove_channel,
};
