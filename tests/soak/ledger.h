/* SPDX-License-Identifier: MIT */
/*
 * The ledger: memory that all processes of a soak share, in C and in Lua, and that
 * outlives each of them. What they note is there even if they are killed the next
 * instant.
 *
 * A *stream* is what one writer sends to one life of a slot, message number 0, 1, 2 and
 * so on. A *life* of a slot is the time from one create to the close or the death of
 * its owner.
 */
#ifndef SOAK_LEDGER_H
#define SOAK_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SLOTS 5
#define WRITERS 8
#define PROCESSES (SLOTS + WRITERS)
#define STREAMS (1u << 17)
#define LIVES (1u << 20)
#define ERRORS 134
#define NOBODY (-1)

enum wrong { LOST, DOUBLED, OUT_OF_ORDER, DAMAGED, OTHERWISE, WRONGS };

enum ending {
    ALIVE,
    ENDED_IN_ORDER, /* all was read */
    DIED            /* what was not read has died with the slot */
};

struct stream {
    _Atomic uint64_t number; /* which stream has this place now; 0: none */
    _Atomic uint32_t slot;
    _Atomic uint32_t life;
    _Atomic uint32_t writer;
    _Atomic uint32_t writer_life;
    _Atomic uint32_t about;    /* messages that may have been sent, */
    _Atomic uint32_t accepted; /* that the writer was told are sent, */
    _Atomic uint32_t read;     /* that the life's owner has read, */
    _Atomic uint32_t strays;   /* and that a later owner has */
    _Atomic uint32_t gap;      /* the last that were missing, from here */
    _Atomic uint32_t gap_end;  /* to before here */
    _Atomic uint32_t end_birth;
    _Atomic bool is_loose; /* each message opens the slot by its name */
    _Atomic bool is_ended;
    _Atomic bool is_missed; /* its loss has been reported */
};

struct slot_state {
    _Atomic uint32_t life; /* the last that has begun */
    _Atomic uint32_t births;
    _Atomic uint32_t max_bytes;
    _Atomic uint32_t mode;
    _Atomic bool is_closing; /* its owner wants to leave in order */
};

struct writer_state {
    _Atomic uint32_t life; /* one more for each time it was killed */
    _Atomic int sending_to;
};

struct ledger {
    _Atomic uint64_t next_stream;
    _Atomic uint32_t next_life;
    _Atomic uint64_t sent, read; /* so far, roughly: for the progress line */
    _Atomic uint64_t refusals[ERRORS];
    _Atomic uint64_t wrong[WRONGS];
    _Atomic bool is_over;
    struct slot_state slots[SLOTS];
    struct writer_state writers[WRITERS];
    _Atomic uint8_t endings[LIVES];
    struct stream streams[STREAMS];
};

extern struct ledger *ledger;

/* A descriptor of a new ledger, which is mapped; children inherit both. -1: failed. */
int ledger_create(void);

/* In a program that inherits only the descriptor. */
bool ledger_attach(int fd);

const char *slot_name(uint32_t slot);

/* Other users can send to it. */
bool is_open_to_others(uint32_t slot);

struct stream *stream_of(uint64_t number);

/* Count what is wrong and say so on standard error. */
void report(enum wrong kind, const char *what, uint64_t number, uint32_t index,
            uint32_t next);

bool is_anything_wrong(void);

/* Count a negative errno of a call that may fail so. */
void note_refusal(int r);

#endif
