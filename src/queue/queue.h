/* SPDX-License-Identifier: MIT */
/*
 * The queue in a region: many writers, one reader. Memory in, memory out: no system
 * call, no clock, no allocation. layout.h says what lies where.
 */
#ifndef MS_QUEUE_QUEUE_H
#define MS_QUEUE_QUEUE_H

#include "queue/layout.h"

#include <stdbool.h>

/* A process's view of a region. What controls bounds is a private copy. */
struct ms_queue {
    struct ms_header *header;
    unsigned char *ring; /* NULL: not mapped */
    uint64_t capacity;   /* bytes */
    uint64_t size_limit; /* bytes of the largest message */
    uint64_t head;       /* as a writer has last loaded it */
};

/* The owner's place in its queue. Private memory: nobody else can move it. */
struct ms_reader {
    struct ms_queue queue;
    uint64_t head;       /* first record not yet released */
    uint64_t head_index; /* which totals are valid */
    uint64_t cursor;     /* first record not yet shown; head <= cursor <= tail */
    uint64_t tail;       /* as last loaded */
    uint64_t count;      /* messages released */
    uint64_t bytes;      /* and their payload */
    uint64_t shown;      /* messages between head and cursor */
    uint64_t shown_bytes;
    uint32_t uid; /* the owner's: whose a message without an origin is */
    uint32_t gid;
    struct ms_origin origin; /* of the message shown last that had one */
    bool is_unfenced; /* writers that are about to sleep do its barriers (bell.h) */
};

/* Where a message will go. */
struct ms_claim {
    uint64_t start;   /* the tail */
    uint64_t padding; /* bytes before the record */
    uint64_t end;     /* the tail afterwards */
};

struct ms_envelope {
    int64_t time_ns;
    uint32_t pid;
    const struct ms_origin *origin; /* NULL: the owner's user and group, this machine */
};

/* What is queued, at one instant. */
struct ms_status {
    uint64_t count;
    uint64_t bytes;
    uint64_t received;
    uint64_t brought;   /* of those received, how many told another machine */
    uint32_t next_size; /* or MAILSLOT_NO_MESSAGE */
};

/* The capacity for that bound, of MS_CAPACITY_MAX at most, so that a message of
 * max_message_size always fits an empty queue wherever its tail is. */
uint64_t ms_queue_capacity(uint64_t max_bytes, uint32_t max_message_size);

/* Initialise the header of a region of zeros: empty, open, nobody's. */
void ms_queue_init(struct ms_header *header, uint64_t capacity,
                   uint32_t max_message_size);

/* Check a header of a file of file_size bytes that another process wrote (I1).
 * Returns 0 or -EBADMSG. */
int ms_queue_check(const struct ms_header *header, uint64_t file_size);

/* The padding before the largest message has a size of 32 bits, too, and the size of no
 * message is MAILSLOT_NO_MESSAGE. */
#define MS_ROOM_MAX (UINT32_MAX - UINT64_C(63))

/* What fits an empty queue wherever its tail is, whoever sends it: bytes of a message
 * and the host that it tells. */
static inline uint64_t ms_queue_room(uint64_t capacity) {
    uint64_t room = capacity / 2 - MS_RECORD_SIZE - MS_IDENTITY_SIZE;
    return room < MS_ROOM_MAX ? room : MS_ROOM_MAX;
}

/* Attach to a mapped region of that capacity, initialised or checked. */
void ms_queue_attach(struct ms_queue *queue, struct ms_header *header,
                     uint64_t capacity);

/* Holding write_lock: find a place for size bytes, those of an origin included. Returns
 * 0, -EAGAIN with *ret_wanted free bytes that it needs, or -EBADMSG. */
int ms_queue_claim(struct ms_queue *queue, uint64_t size, struct ms_claim *ret_claim,
                   uint64_t *ret_wanted);

/* Holding write_lock, with memory reserved up to claim->end: write and publish. */
void ms_queue_push(const struct ms_queue *queue, const struct ms_claim *claim,
                   const struct ms_envelope *envelope, const void *data, uint32_t size);

/* Loads the control word of a record at an offset of the ring, for ms_queue_status.
 * Returns 0 or a negative errno. */
typedef int ms_queue_fetch(const void *context, uint64_t offset, uint64_t *ret_control);

/* Bytes of the ring that it takes to tell an origin with that host; NULL: this machine.
 */
uint64_t ms_origin_size(const char *host);

/* Tell a host of MAILSLOT_HOST_MAX bytes at most; NULL: this machine. What the origin
 * tells of user and group stays. */
void ms_origin_set_host(struct ms_origin *origin, const char *host, bool is_verified);

static inline uint16_t ms_origin_host_size(const struct ms_origin *origin) {
    return origin->size - MS_IDENTITY_SIZE;
}

/* Whether the owner has that user and group, so that its messages need no origin. */
bool ms_queue_is_owners(const struct ms_header *header, uint32_t uid, uint32_t gid);

/* The same in two steps, for who fetches the payload itself: write all but the payload,
 * and return where it goes; then publish. What is not published never was. */
void *ms_queue_prepare(const struct ms_queue *queue, const struct ms_claim *claim,
                       const struct ms_envelope *envelope, uint32_t size);
void ms_queue_publish(const struct ms_queue *queue, const struct ms_claim *claim,
                      uint32_t size, bool is_brought);

/* For who has no ring mapped: the first word of the padding, and the record as it lies
 * in the ring, of MS_RECORD_SIZE + size bytes. It has no origin. */
uint64_t ms_queue_padding(const struct ms_claim *claim);
void ms_queue_compose(const struct ms_queue *queue, const struct ms_envelope *envelope,
                      const void *data, uint32_t size, void *memory);

/* What is queued, for anybody, at any time. fetch: NULL for the owner; others must not
 * touch the ring, because its memory may be given back meanwhile (layout I6). Returns
 * 0; -EAGAIN when the queue changes too fast to be seen, which holding write_lock makes
 * unlikely; or -EBADMSG. */
int ms_queue_status(const struct ms_queue *queue, ms_queue_fetch *fetch,
                    const void *context, struct ms_status *ret_status);

/* Start reading at the beginning of an initialised region. */
void ms_reader_init(struct ms_reader *reader, struct ms_header *header,
                    uint64_t capacity);

/* Whether there is a message beyond those shown. */
bool ms_reader_has_message(struct ms_reader *reader);

/* There is one: returns how many bytes of the ring have been filled since it was seen.
 */
uint64_t ms_reader_look_again(struct ms_reader *reader);

/* Whether nothing is queued, shown or not. */
bool ms_reader_is_empty(struct ms_reader *reader);

/* Show the next message. Returns 0, -EAGAIN or -EBADMSG. */
int ms_reader_show(struct ms_reader *reader, mailslot_message *ret_message);

/* Release what was shown: one store of the head. */
void ms_reader_release(struct ms_reader *reader);

/* Forget what was shown. */
void ms_reader_forget(struct ms_reader *reader);

/* Free bytes now, for ms_space_ring. */
uint64_t ms_reader_free(struct ms_reader *reader);

/* Holding write_lock, with nothing queued: go on at the start of the ring. */
void ms_reader_rewind(struct ms_reader *reader);

#endif
