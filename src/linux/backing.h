/* SPDX-License-Identifier: MIT */
/*
 * The memory behind the ring. Writers make sure of memory before they touch it, so
 * that a full file system is an error and not a SIGBUS; the owner gives back what
 * it has read, so that a slot is as large as what is queued. That costs as much as to
 * read it; so of a backlog, what was read waits until the rest was, too.
 *
 * Both hold write_lock: memory that was read is the next lap's to write, and once
 * a writer has reserved it there the owner must leave it alone (layout I6).
 */
#ifndef MS_LINUX_BACKING_H
#define MS_LINUX_BACKING_H

#include "queue/queue.h"

/* So long after the last message a slot counts as busy. */
#define MS_BUSY_NS INT64_C(100000000)

/* While messages keep coming, this much of the start of the ring keeps its memory: new
 * memory costs more than what is written to it. It has to be more than what a writer
 * fills before it gives the owner a moment (pace.c), with the message that is too much.
 */
#define MS_BUSY_WINDOW (UINT64_C(3) << 20)

/* The owner's account of it. */
struct ms_backing {
    uint64_t lap;  /* where the present lap, or the one before, began */
    uint64_t kept; /* bytes from the start of the ring that have memory for good */
    uint64_t given_back; /* what lies below this position was given back, or is kept */
    uint64_t looked; /* where the head was when it last looked whether that is due */
    uint64_t peak; /* bytes of the ring that were queued, at most, since it was empty */
    int64_t rewound_ns; /* when it last went back to the start of the ring */
};

/* Holding write_lock: see to memory up to position end. Returns 0; -ENOSPC or
 * -ENOMEM, with nothing changed; or -EBADMSG. */
int ms_backing_reserve(const struct ms_queue *queue, int fd, uint64_t end);

/* The owner, after releasing messages: give memory back and go back to the start of
 * the ring where that is due. Cheap when it is not; never waits. */
void ms_backing_settle(struct ms_backing *backing, struct ms_reader *reader, int fd);

/* The owner, with nothing to read: give back all that is left to give, until there is.
 */
void ms_backing_tidy(struct ms_backing *backing, struct ms_reader *reader, int fd);

/* Whether there may be more memory than an idle slot keeps: MS_HOT_WINDOW. */
bool ms_backing_is_warm(const struct ms_backing *backing,
                        const struct ms_reader *reader);

/* The owner, with nothing to do: if that is so for MS_BUSY_NS, give that back. */
void ms_backing_cool(struct ms_backing *backing, struct ms_reader *reader, int fd);

#endif
