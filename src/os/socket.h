/* SPDX-License-Identifier: MIT */
/*
 * Sockets between users of one machine: AF_UNIX, one packet a message, with the
 * kernel's word on who sent it. None of these calls waits but ms_socket_wait; all
 * descriptors are close-on-exec. All return 0 or a negative errno.
 */
#ifndef MS_OS_SOCKET_H
#define MS_OS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_SOCKET_ANY_GROUP UINT32_MAX

/* A process, as the kernel knows it. */
struct ms_peer {
    uint32_t pid; /* 0: in a pid namespace that is not visible here */
    uint32_t uid;
    uint32_t gid;
};

/* A packet, as it waits in a socket. */
struct ms_packet {
    size_t size;
    struct ms_peer sender;
    int fd;           /* a descriptor that came with it, the caller's to close, or -1 */
    bool is_stripped; /* there was more with it than could be taken */
};

/* Listen at a path where nothing is, for those whom mode (and group, unless it is
 * MS_SOCKET_ANY_GROUP) let write to the file. -EADDRINUSE: there is something. */
int ms_socket_listen(const char *path, uint32_t mode, uint32_t group, int *ret_fd);

/* Connect to a socket that lies at the path and belongs to that user. -EBADMSG: what
 * lies there does not; -ECONNREFUSED: nobody listens; -EAGAIN: too many want to. */
int ms_socket_connect(const char *path, uint32_t uid, int *ret_fd);

/* -EAGAIN: nobody wants to connect. */
int ms_socket_accept(int fd, int *ret_fd);

/* Who is at the other end. */
int ms_socket_peer(int fd, struct ms_peer *ret_peer);

/* Bound what may wait unread of what this end sends; the system has limits of its own.
 */
void ms_socket_set_buffer(int fd, uint64_t bytes);

/* Send a packet of head and data, in this process's effective name, with a descriptor
 * unless it is -1. -EAGAIN: no room; -EMSGSIZE: larger than the system allows; -EPIPE:
 * the other end has gone. */
int ms_socket_send(int fd, const void *head, size_t head_size, const void *data,
                   size_t size, int passed_fd);

/* Look at the next packet and copy up to head_size bytes of it; it stays. -EAGAIN:
 * there is none; -EPIPE: there will be none any more. */
int ms_socket_peek(int fd, void *head, size_t head_size, struct ms_packet *ret_packet);

/* Bytes of all packets that are there now. */
uint64_t ms_socket_held(int fd);

/* Take the next packet: exactly head and data, of at least a byte. -EBADMSG: it has
 * another size; -EPIPE: there will be none any more. */
int ms_socket_take(int fd, void *head, size_t head_size, void *data, size_t size);

/* The other end can send no more; what it sent stays. */
void ms_socket_refuse(int fd);

/* Neither end can send, whoever else has the descriptor. Returns -1. */
int ms_socket_close(int fd);

/* What to wait for. */
enum ms_direction { MS_INCOMING, MS_BOTH };

/* Wait until the socket can be read from, or either read from or written to, or until
 * the process of that descriptor (or -1) ends: then -EPIPE. -ETIMEDOUT, -EINTR. */
int ms_socket_wait(int fd, enum ms_direction direction, int process,
                   int64_t deadline_ns);

#endif
