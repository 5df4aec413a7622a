/* SPDX-License-Identifier: MIT */
/*
 * The message: a head that says which it is, and bytes that follow from the head. Some
 * messages are empty; which, follows from the stream and the number.
 */
#ifndef SOAK_MESSAGE_H
#define SOAK_MESSAGE_H

#include "ledger.h"

#include <stddef.h>

/* More than the middle one of the slots' sizes accepts. */
#define LARGEST_MESSAGE (160u << 10)
#define SMALL_MESSAGE 256u

struct head {
    uint64_t number;
    uint32_t index;
    uint32_t size; /* of the message */
};

bool is_empty_message(const struct stream *stream, uint32_t index);

/* Returns the size of the message at `bytes`: small, or now and then up to limit. */
uint32_t compose(unsigned char *bytes, uint64_t number, uint32_t index, uint32_t limit);

/* Whether these are the bytes that their head promises. */
bool parse(const void *bytes, size_t size, struct head *ret_head);

#endif
