/* SPDX-License-Identifier: MIT */
/* The invariants of queue/layout.h, seen from outside. */
#ifndef MAILSLOT_CRASH_INVARIANTS_H
#define MAILSLOT_CRASH_INVARIANTS_H

#include <stdint.h>

/* The file of a living slot at rest: I1 to I6 and I8 hold, its locks for a moment are
 * free, and so many messages are queued. */
void invariants_check(const char *path, uint64_t count);

#endif
