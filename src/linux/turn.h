/* SPDX-License-Identifier: MIT */
/* Turns: who writes into the ring holds write_lock of a living slot, for a moment. */
#ifndef MS_LINUX_TURN_H
#define MS_LINUX_TURN_H

#include "queue/layout.h"

#include <stdbool.h>

/* Take write_lock of a living slot. Waits a second for it at least, in case a writer
 * was stopped in its turn. Returns 0, -EPIPE, -ETIMEDOUT, -EINTR or -EBADMSG. */
int ms_turn_begin(struct ms_header *header, int64_t deadline_ns);

/* Let go of it, and wake the owner if it sleeps and there is something new. */
void ms_turn_end(struct ms_header *header, bool has_sent);

#endif
