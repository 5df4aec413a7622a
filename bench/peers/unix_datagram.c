/* SPDX-License-Identifier: MIT */
/* AF_UNIX datagrams. */
#include "peer.h"
#include "peers/unix.h"

#include <errno.h>
#include <sys/socket.h>

#define BATCH_MAX 64

static void *create(const char *name, size_t size, bool is_plain) {
    (void)size;
    return unix_bind(SOCK_DGRAM, name, is_plain);
}

static void *open_writer(const char *name, size_t size) {
    return unix_connect(SOCK_DGRAM, name, size);
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    ssize_t size = recv(*(int *)end, buffer, capacity, 0);
    expect(size >= 0, "recv");
    return (size_t)size;
}

static void fill_headers(struct mmsghdr *headers, struct iovec *parts,
                         const char *messages, size_t size, size_t count) {
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){(char *)messages + i * size, size};
        headers[i] =
            (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
}

static void send_batch(void *end, const void *messages, size_t size, size_t count) {
    struct mmsghdr headers[BATCH_MAX];
    struct iovec parts[BATCH_MAX];
    const char *next = messages;
    while (count) {
        size_t some = count < BATCH_MAX ? count : BATCH_MAX;
        fill_headers(headers, parts, next, size, some);
        int sent = sendmmsg(*(int *)end, headers, (unsigned int)some, 0);
        expect(sent > 0, "sendmmsg");
        next += (size_t)sent * size;
        count -= (size_t)sent;
    }
}

static size_t receive_batch(void *end, void *messages, size_t size, size_t count) {
    struct mmsghdr headers[BATCH_MAX];
    struct iovec parts[BATCH_MAX];
    size_t some = count < BATCH_MAX ? count : BATCH_MAX;
    fill_headers(headers, parts, messages, size, some);
    int got = recvmmsg(*(int *)end, headers, (unsigned int)some, MSG_WAITFORONE, NULL);
    expect(got > 0, "recvmmsg");
    return (size_t)got;
}

const struct peer peer_unix_datagram = {
    .name = "unix-datagram",
    .size_max = UNIX_SIZE_MAX,
    .create = create,
    .close_reader = unix_close,
    .open = open_writer,
    .close_writer = unix_close,
    .send = unix_send,
    .receive = receive,
    .descriptor = unix_descriptor,
    .send_batch = send_batch,
    .receive_batch = receive_batch,
    .remove = unix_remove,
};
