/* SPDX-License-Identifier: MIT */
/* Faults of a reader, planted to see that the account finds them. */
#ifndef SOAK_FAULT_H
#define SOAK_FAULT_H

#include "reading.h"

/* "lose", "double", "reorder", "damage", or NULL for none. */
void plant_fault(const char *fault);

void take_with_fault(struct reading *reading, const void *bytes, size_t size);

#endif
