/* SPDX-License-Identifier: MIT */
/* ZeroMQ: PUSH and PULL over a Unix socket. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

struct end {
    void *context;
    void *socket;
};

static struct end *open_socket(int type, const char *name,
                               int (*join)(void *socket, const char *address)) {
    struct end *end = allocate(sizeof *end);
    char address[256];
    snprintf(address, sizeof address, "ipc://%s", peer_path(name, ".zeromq"));
    end->context = zmq_ctx_new();
    end->socket = zmq_socket(end->context, type);
    expect(end->socket && join(end->socket, address) == 0, "zmq_socket");
    return end;
}

static void *create(const char *name, size_t size, bool is_plain) {
    (void)size;
    (void)is_plain;
    return open_socket(ZMQ_PULL, name, zmq_bind);
}

static void *open_writer(const char *name, size_t size) {
    (void)size;
    return open_socket(ZMQ_PUSH, name, zmq_connect);
}

/* Waits until what was sent is on its way. */
static void close_end(void *memory) {
    struct end *end = memory;
    zmq_close(end->socket);
    zmq_ctx_term(end->context);
    free(end);
}

static bool send_message(void *memory, const void *data, size_t size, bool may_wait) {
    struct end *end = memory;
    int sent = zmq_send(end->socket, data, size, may_wait ? 0 : ZMQ_DONTWAIT);
    if (sent < 0 && errno == EAGAIN && !may_wait) {
        return false;
    }
    expect(sent == (int)size, "zmq_send");
    return true;
}

static size_t receive(void *memory, void *buffer, size_t capacity) {
    struct end *end = memory;
    int size = zmq_recv(end->socket, buffer, capacity, 0);
    expect(size >= 0, "zmq_recv");
    return (size_t)size;
}

static void remove_channel(const char *name) {
    unlink(peer_path(name, ".zeromq"));
}

const struct peer peer_zeromq = {
    .name = "zeromq",
    .create = create,
    .close_reader = close_end,
    .open = open_writer,
    .close_writer = close_end,
    .send = send_message,
    .receive = receive,
    .remove = remove_channel,
};
