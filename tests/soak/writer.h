/* SPDX-License-Identifier: MIT */
/*
 * The writer: opens slots, sends to them one by one and in batches, and closes them.
 *
 * Half of the writers are another user, if that is possible, with one slot to send to.
 */
#ifndef SOAK_WRITER_H
#define SOAK_WRITER_H

#include <stdint.h>

/* Until the soak is over. */
void write_to_slots(uint32_t me);

#endif
