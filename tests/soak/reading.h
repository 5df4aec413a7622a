/* SPDX-License-Identifier: MIT */
/*
 * The owners' part of the account: an owner notes what it has read of each stream, and
 * takes only the next message of it. One that leaves in order waits until nobody sends
 * to it, reads what is left, and then must have read all that its writers were told is
 * sent.
 */
#ifndef SOAK_READING_H
#define SOAK_READING_H

#include "message.h"

struct reading {
    uint32_t slot;
    uint32_t life;
    uint64_t count;   /* messages read in this life: the owner counts */
    uint64_t empties; /* of no bytes, not yet found to belong to a stream */
};

/* Before a slot is created; chooses max_bytes and mode in slots[slot]. */
void reading_begin(struct reading *reading, uint32_t slot);

/* The next message has the sequence number that the envelope says. */
void reading_check_sequence(const struct reading *reading, uint64_t sequence);

void reading_take(struct reading *reading, const void *bytes, size_t size);

/* From now on writers leave. */
void reading_prepare_end(const struct reading *reading);
bool is_sent_to(uint32_t slot);

/* Before the slot is closed, in order or with messages in it. */
void reading_end(struct reading *reading, enum ending ending);

#endif
