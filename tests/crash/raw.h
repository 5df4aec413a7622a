/* SPDX-License-Identifier: MIT */
/* A client of a letterbox that does not use the library: for children. */
#ifndef MAILSLOT_CRASH_RAW_H
#define MAILSLOT_CRASH_RAW_H

#include <stddef.h>
#include <stdint.h>

/* As linux/letter.h has them. */
#define KIND_PLAIN 0x4d534c50
#define KIND_SEALED 0x4d534c53
#define KIND_ORIGIN 0x4d534c4f

/* What the owner says to a new connection, and later of room. */
struct greeting {
    uint32_t magic;
    int32_t result; /* 0, or that it is none */
    uint64_t size_limit;
    uint64_t buffer_size;
    uint64_t room;
    int64_t created_ns;
    uint64_t accepted;
};

/* Connect to the letterbox of the slot of that name. */
int raw_connect(const char *name);

/* Wait for what the owner says. */
struct greeting raw_hear(int fd);

/* Send a packet, with so many descriptors. */
void raw_send(int fd, const void *data, size_t size, const int *fds, int count);

/* A file of that size in memory, with those seals. */
int raw_file(size_t size, int seals);

/* The owner closes the connection; this end is closed, too. */
void raw_require_shown_out(int fd);

#endif
