/* SPDX-License-Identifier: MIT */
/*
 * The writers' part of the account: a writer notes how far it is about to send before
 * each call, and how far it has been told to have sent after it.
 */
#ifndef SOAK_SENDING_H
#define SOAK_SENDING_H

#include "message.h"

#define BATCH 20

struct sending {
    uint32_t writer;
    uint32_t slot;
    uint32_t life;
    uint32_t limit; /* of a message; larger ones are refused */
    struct stream *stream;
    uint64_t number;
    uint32_t sizes[BATCH];
};

/* Choose a slot. False: its owner is leaving. */
bool sending_enter(struct sending *sending, uint32_t writer, bool is_stranger);

/* The slot was opened, or is_loose. False: it may have been another life's. */
bool sending_begin(struct sending *sending, bool is_loose);

/* Message number `ahead` of those to be sent now. Returns its size. */
uint32_t sending_compose(struct sending *sending, uint32_t ahead, unsigned char *bytes,
                         uint32_t limit);

void sending_about(struct sending *sending, uint32_t count);

/* A call returned r, and so many were sent. False: send no more in this stream. */
bool sending_note(struct sending *sending, uint32_t sent, int r);

/* A slot could not be opened. */
void sending_note_closed(int r);

void sending_leave(struct sending *sending);

#endif
