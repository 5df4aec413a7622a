/* SPDX-License-Identifier: MIT */
/*
 * Places where memory is short, and streams to send through them.
 *
 * A stream is what two writers send through one slot. Who sent a message and how many
 * the same writer sent before decide about its size and each of its bytes, so whatever
 * is lost, doubled, out of order or damaged shows.
 */
#ifndef MAILSLOT_CRASH_PLACES_H
#define MAILSLOT_CRASH_PLACES_H

#include "support.h"

#include <sys/stat.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* What a slot of any size uses at most when nothing is queued: its header, and what it
 * keeps of the ring; that is less when it has been idle for a while. */
#define DRAINED_BYTES ((int64_t)(4 * KIB + 3 * MIB))
#define IDLE_BYTES ((int64_t)(4 * KIB + 256 * KIB))

/* Whether this process may mount file systems of its own; says why not. */
bool place_is_mountable(void);

/* Mount a memory file system where this test's slots lie, with such options. */
void place_mount(const char *options);
void place_unmount(void);

/* Bytes that it can still take. */
uint64_t place_free(void);

/* A new file that begins with that text, of size bytes if that is not 0. */
void file_write(const char *path, const char *text, off_t size);

/* What must not change about a file, and whether it has not. */
struct stat file_look(const char *path);
bool file_is_same(const struct stat *a, const struct stat *b);

/* Every call gives this error at once, and the file that has the name stays as it is.
 * Also for children. */
void require_refused(const char *name, int error);

#define STREAM_WRITERS 2

struct stream {
    const char *name;
    uint32_t count;       /* messages of each writer */
    uint32_t size_max;    /* bytes; every message of large_every is up to that, */
    uint32_t large_every; /* the others are up to a 32nd of it */
    uint64_t ahead;       /* writers pause while more than that is queued; 0: never */
    int64_t timeout_ms;   /* of the sends; with 0 they are refused and try again */

    /* What the stream tells. */
    _Atomic uint32_t running;  /* writers that have not sent everything */
    _Atomic uint64_t refusals; /* sends that were refused */
    _Atomic uint32_t waits;    /* times that a writer began to wait for space */
    uint64_t taken;            /* messages that were read */
    uint64_t taken_bytes;      /* and what they took of the ring */

    pid_t writers[STREAM_WRITERS];
    uint32_t next[STREAM_WRITERS]; /* which message of that writer comes next */
    char *expected;
};

/* Start the writers of a stream, which is shared memory. */
void stream_start(struct stream *stream);

/* Whether its writers are still at it; none may have died. */
bool stream_is_running(const struct stream *stream);

/* Read one message, which must be the right one. */
void stream_take(struct stream *stream, mailslot *slot);

/* Read what is left; everything must have come and the writers must have ended. */
void stream_finish(struct stream *stream, mailslot *slot);

/* Bytes of the ring that the queued messages take, but for rounding and padding. */
uint64_t queued_bytes(mailslot *slot);

#endif
