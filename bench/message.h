/* SPDX-License-Identifier: MIT */
/*
 * The messages: each says whose it is and which one, so that none can be lost, doubled,
 * cut or overtaken unseen. What lies between the head and the last byte is filler.
 */
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include "bench.h"

#include <string.h>

struct head {
    uint64_t sequence; /* 1 for a writer's first message */
    uint32_t writer;
    uint32_t is_last; /* of this writer */
};

/* What the reader has seen. */
struct account {
    uint64_t count;
    uint64_t sequences[WRITERS_MAX];
    int ended; /* writers whose last message has come */
};

/* How many messages are numbered before the first of them is sent: a copy of bytes that
 * were written a moment ago waits for them, which says nothing about a peer. */
#define STRIDE_MAX 32

static inline size_t message_stride(size_t size) {
    size_t fit = ((size_t)128 << 10) / size;
    return fit > STRIDE_MAX ? STRIDE_MAX : fit;
}

static inline void number_message(void *message, size_t size, struct head head) {
    ((char *)message)[size - 1] = (char)head.sequence;
    memcpy(message, &head, sizeof head);
}

static inline void check_message(struct account *account, const void *message,
                                 size_t size, size_t expected) {
    struct head head;
    memcpy(&head, message, sizeof head);
    if (size != expected || head.writer >= WRITERS_MAX) {
        fail("a message is damaged: %zu bytes", size);
    }
    if (size > sizeof head &&
        ((const char *)message)[size - 1] != (char)head.sequence) {
        fail("a message is cut");
    }
    if (head.sequence != ++account->sequences[head.writer]) {
        fail("a message was lost, doubled or overtaken: number %llu in place of %llu",
             (unsigned long long)head.sequence,
             (unsigned long long)account->sequences[head.writer]);
    }
    account->count++;
    account->ended += head.is_last != 0;
}

#endif
