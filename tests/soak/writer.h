/* SPDX-License-Identifier: MIT */
/*
 * The writer: opens slots, sends to them one by one and in batches, without waiting,
 * waiting, and for ever, and closes them. lua/writer.lua is its counterpart.
 */
#ifndef SOAK_WRITER_H
#define SOAK_WRITER_H

#include <stdbool.h>
#include <stdint.h>

/* Until the soak is over. */
void write_to_slots(uint32_t me, bool is_stranger);

#endif
