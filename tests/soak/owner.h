/* SPDX-License-Identifier: MIT */
/*
 * The owner: creates a slot, reads for a while, leaves, and creates it again.
 *
 * When it leaves in order it waits until nobody sends to it, reads what is left, and
 * then must have read all that its writers were told is sent.
 */
#ifndef SOAK_OWNER_H
#define SOAK_OWNER_H

#include <stdint.h>

/* A fault of the reader ("lose", "double"), to see that it is found, or NULL. */
extern const char *plant;

/* Until the soak is over. */
void own(uint32_t slot);

#endif
