/* SPDX-License-Identifier: MIT */
/* The queue under way: writers, the owner and a spectator, each on its own thread. */
#ifndef MS_TEST_TRAFFIC_H
#define MS_TEST_TRAFFIC_H

#include "os/lock.h"
#include "ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#define WRITERS 4
#define MESSAGES 50000 /* of each writer */
#define SIZE_MAX_SENT 600
#define CAPACITY 16384

static struct ring ring;
static _Atomic bool has_ended;

/* A message: whose, which, and then bytes that follow from both. */
struct note {
    uint32_t writer;
    uint32_t index;
};

static uint32_t note_size(struct note note) {
    return (uint32_t)sizeof note + note.index * 7919 % (SIZE_MAX_SENT - sizeof note);
}

static uint64_t note_seed(struct note note) {
    return note.writer * UINT64_C(1000003) + note.index;
}

static void note_write(struct note note, unsigned char *data) {
    memcpy(data, &note, sizeof note);
    for (size_t i = sizeof note; i < note_size(note); i++) {
        data[i] = (unsigned char)(note_seed(note) + i);
    }
}

static bool note_is_whole(struct note note, const mailslot_message *message) {
    unsigned char expected[SIZE_MAX_SENT];
    note_write(note, expected);
    return message->size == note_size(note) &&
           memcmp(message->data, expected, message->size) == 0;
}

/* Every other writer tells another machine, and of the rest one another user. */
static bool is_brought(struct note note) {
    return note.writer % 2 == 0;
}

static const struct ms_origin *origin_of(struct note note) {
    static const struct ms_origin brought = {5, 6, "\0beta", 16};
    static const struct ms_origin other = {.uid = 7, .gid = 8, .size = 8};
    return is_brought(note) ? &brought : note.writer == 1 ? &other : NULL;
}

static bool has_sender(struct note note, const mailslot_message *message) {
    const struct ms_origin *origin = origin_of(note);
    return message->uid == (origin ? origin->uid : RING_UID) &&
           message->gid == (origin ? origin->gid : RING_GID) &&
           is_brought(note) == (message->host != NULL);
}

/* One turn, with a lock that ThreadSanitizer sees; whether the message went in. */
static bool try_send(struct note note, const unsigned char *data) {
    const struct ms_origin *origin = origin_of(note);
    struct ms_envelope envelope = {.time_ns = 1, .origin = origin};
    uint32_t size = note_size(note);
    int r = ms_lock_try(&ring.header->write_lock);
    if (r < 0) {
        HOLDS(r == -EBUSY);
        return false;
    }
    struct ms_claim claim;
    uint64_t wanted;
    r = ms_queue_claim(&ring.queue, size + (origin ? origin->size : 0u), &claim,
                       &wanted);
    if (r == 0) {
        ms_queue_push(&ring.queue, &claim, &envelope, data, size);
    }
    ms_lock_release(&ring.header->write_lock);
    HOLDS(r == 0 || r == -EAGAIN);
    return r == 0;
}

static void *write_all(void *context) {
    struct note note = {.writer = *(uint32_t *)context};
    for (; note.index < MESSAGES; note.index++) {
        unsigned char data[SIZE_MAX_SENT];
        note_write(note, data);
        while (!try_send(note, data)) {
            sched_yield();
        }
    }
    return context;
}

/* Show what is there, a few at a time, and release it; sometimes rewind. */
static void read_some(uint32_t next_index[WRITERS], uint64_t round) {
    mailslot_message message;
    for (uint64_t i = 0; i <= round % 5; i++) {
        int r = ms_reader_show(&ring.reader, &message);
        if (r == -EAGAIN) {
            sched_yield();
            break;
        }
        HOLDS(r == 0);
        struct note note;
        HOLDS(message.size >= sizeof note);
        memcpy(&note, message.data, sizeof note);
        HOLDS(note.writer < WRITERS);
        HOLDS(note.index == next_index[note.writer]);
        HOLDS(note_is_whole(note, &message));
        HOLDS(has_sender(note, &message));
        next_index[note.writer]++;
    }
    ms_reader_release(&ring.reader);
}

/* Now and then, as the owner does when memory is to be saved. */
static void rewind_if_empty(uint64_t round) {
    ms_lock *lock = &ring.header->write_lock;
    if (round % 64 == 0 && ms_reader_is_empty(&ring.reader) && ms_lock_try(lock) == 0) {
        if (ms_reader_is_empty(&ring.reader)) {
            ms_reader_rewind(&ring.reader);
        }
        ms_lock_release(lock);
    }
}

static void traffic_run(void *(*spectate)(void *)) {
    ring_init(&ring, CAPACITY, 0);
    pthread_t threads[WRITERS + 1];
    uint32_t writers[WRITERS];
    uint32_t next_index[WRITERS] = {0};
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = i;
        HOLDS(pthread_create(&threads[i], NULL, write_all, &writers[i]) == 0);
    }
    HOLDS(pthread_create(&threads[WRITERS], NULL, spectate, NULL) == 0);
    for (uint64_t round = 0; ring.reader.count < WRITERS * MESSAGES; round++) {
        read_some(next_index, round);
        rewind_if_empty(round);
    }
    atomic_store(&has_ended, true);
    for (int i = 0; i <= WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    ring_check(&ring);
    ring_expect(&ring, 0, 0, MAILSLOT_NO_MESSAGE);
    HOLDS(ring.header->brought[ring.header->tail & 1] == WRITERS / 2 * MESSAGES);
    HOLDS(ring.reader.head / CAPACITY > 100); /* laps */
    ring_fini(&ring);
}

#endif
