/* SPDX-License-Identifier: MIT */
/* AF_UNIX SOCK_SEQPACKET: each writer has a connection. */
#include "peer.h"
#include "peers/unix.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 128

struct reader {
    int listener;
    int count;
    struct pollfd fds[CONNECTIONS_MAX + 1]; /* the listener first */
    int next;                               /* to be looked at, 1 or more */
};

static void *create(const char *name, size_t size, bool is_plain) {
    (void)size;
    int *listener = unix_bind(SOCK_SEQPACKET, name, is_plain);
    expect(listen(*listener, CONNECTIONS_MAX) == 0, "listen");
    struct reader *reader = allocate(sizeof *reader);
    reader->listener = *listener;
    free(listener);
    reader->fds[0] = (struct pollfd){.fd = reader->listener, .events = POLLIN};
    reader->count = 0;
    reader->next = 1;
    return reader;
}

static void close_reader(void *end) {
    struct reader *reader = end;
    for (int i = 0; i <= reader->count; i++) {
        close(reader->fds[i].fd);
    }
    free(reader);
}

static void *open_writer(const char *name, size_t size) {
    return unix_connect(SOCK_SEQPACKET, name, size);
}

static void accept_one(struct reader *reader) {
    int fd = accept4(reader->listener, NULL, NULL, SOCK_CLOEXEC);
    expect(fd >= 0 && reader->count < CONNECTIONS_MAX, "accept");
    reader->fds[++reader->count] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void drop(struct reader *reader, int i) {
    close(reader->fds[i].fd);
    reader->fds[i] = reader->fds[reader->count--];
}

static void await_any(struct reader *reader) {
    expect(poll(reader->fds, (nfds_t)reader->count + 1, -1) > 0, "poll");
    if (reader->fds[0].revents) {
        accept_one(reader);
    }
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    struct reader *reader = end;
    for (;;) {
        for (int i = 0; i < reader->count; i++) {
            reader->next = reader->next >= reader->count ? 1 : reader->next + 1;
            ssize_t size =
                recv(reader->fds[reader->next].fd, buffer, capacity, MSG_DONTWAIT);
            if (size > 0) {
                return (size_t)size;
            }
            if (size == 0) {
                drop(reader, reader->next);
            } else {
                expect(errno == EAGAIN, "recv");
            }
        }
        await_any(reader);
    }
}

const struct peer peer_unix_seqpacket = {
    .name = "unix-seqpacket",
    .size_max = UNIX_SIZE_MAX,
    .create = create,
    .close_reader = close_reader,
    .open = open_writer,
    .close_writer = unix_close,
    .send = unix_send,
    .receive = receive,
    .remove = unix_remove,
};
