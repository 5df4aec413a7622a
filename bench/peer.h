/* SPDX-License-Identifier: MIT */
/*
 * A peer: one way to pass messages between processes, with one reader and some writers.
 * Each file of peers/ has one. Functions that fail end the process (bench.h: fail).
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

struct peer {
    const char *name;
    size_t size_max;   /* bytes of the largest message; 0: as large as one likes */
    size_t shared_max; /* the same when there are several writers */
    bool is_floor;     /* not a way for users, but a limit */
    bool is_for_one;   /* has one writer only */

    /* The reader's end of a new channel for messages of so many bytes. What can be set
     * without privileges is set for speed; with `is_plain`, nothing is. */
    void *(*create)(const char *name, size_t size, bool is_plain);
    void (*close_reader)(void *end);

    /* A writer's end. */
    void *(*open)(const char *name, size_t size);
    void (*close_writer)(void *end);

    /* Send one message. Full: wait, or return false if may_wait is. */
    bool (*send)(void *end, const void *data, size_t size, bool may_wait);

    /* Wait for one message; returns its size. */
    size_t (*receive)(void *end, void *buffer, size_t capacity);

    /* What can be read from while there is a message, for event loops; NULL: nothing.
     */
    int (*descriptor)(void *end);

    /* Several at once, one after another in memory; NULL: it has no such call.
     * receive_batch waits for the first and takes what is there, up to count. */
    void (*send_batch)(void *end, const void *messages, size_t size, size_t count);
    size_t (*receive_batch)(void *end, void *messages, size_t size, size_t count);

    /* Open, send and close in one call; NULL: it has no such call. */
    void (*send_once)(const char *name, const void *data, size_t size);

    /* Remove what may be left of a channel whose processes have gone. */
    void (*remove)(const char *name);
};

/* Of all peers that were built, the first is ours; NULL is the last. */
extern const struct peer *const peers[];

/* The path of a file for a channel, in a folder of this run. Static memory, one each
 * call of four. */
const char *peer_path(const char *name, const char *suffix);

#ifdef __cplusplus
}
#endif

#endif
