/* SPDX-License-Identifier: MIT */
/*
 * The account: what writers and owners do is written into a ledger that they share.
 *
 * A writer opens a slot with a new handle, notes how far it is about to send before
 * each call, and how far it has been told to have sent after it. An owner notes what it
 * has read of each handle, and takes only the next message of it: anything else is a
 * loss, a double or a wrong order.
 */
#ifndef SOAK_ACCOUNT_H
#define SOAK_ACCOUNT_H

#include "mailslot.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SLOTS 3
#define WRITERS 6
#define HANDLES (1u << 20)
#define SIZE_MAX_SENT (128u << 10)
#define NOBODY (-1)

struct handle {
    _Atomic uint64_t number; /* which handle has this place of the table now */
    _Atomic uint32_t slot;
    _Atomic uint32_t incarnation;
    _Atomic uint32_t about;
    _Atomic uint32_t accepted;
    _Atomic uint32_t read;
};

struct ledger {
    _Atomic uint64_t next_handle;
    _Atomic uint64_t accepted, read, died, errors, kills, lives, wrong;
    _Atomic bool is_over;
    struct {
        _Atomic uint32_t incarnation; /* 0: none that is known */
        _Atomic uint32_t last;
        _Atomic bool is_closing;
    } slots[SLOTS];
    _Atomic int sending_to[WRITERS];
    struct handle handles[HANDLES];
};

extern struct ledger *ledger;

const char *slot_name(uint32_t slot);

/* Something is wrong, on standard error. */
void report(const char *what, uint64_t number, uint32_t index, uint32_t next);

struct handle *new_handle(uint32_t slot, uint64_t *ret_number);

/* Returns the size of message number index of a handle, at `bytes`. */
uint32_t compose(unsigned char *bytes, uint64_t number, uint32_t index,
                 uint32_t size_limit);

/* Note a message as read. */
void check_message(const mailslot_message *found);

/* All that was accepted has been read; a writer that was killed may have sent more. */
void check_all_read(uint32_t slot, uint32_t incarnation);

/* What a killed owner had not read has died with it. */
void count_dead(uint32_t slot);

#endif
