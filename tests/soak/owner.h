/* SPDX-License-Identifier: MIT */
/*
 * The owner: creates a slot, reads for a while in all ways that there are, leaves, and
 * creates it again. lua/owner.lua is its counterpart.
 */
#ifndef SOAK_OWNER_H
#define SOAK_OWNER_H

#include <stdint.h>

/* Until the soak is over. fault: NULL, or one to plant, to see that it is found. */
void own(uint32_t slot, const char *fault);

#endif
