/* SPDX-License-Identifier: MIT */
/* Turns: who writes into the ring holds write_lock of a living slot, for a moment. */
#ifndef MS_LINUX_TURN_H
#define MS_LINUX_TURN_H

#include "queue/layout.h"

#include <stdbool.h>

/* Take write_lock of a living slot. Waits until deadline_ns; and longer, as long as
 * others take their turns, up to a bound, or for a second when none moves on. Returns
 * 0, -EPIPE, -ETIMEDOUT, -EINTR or -ENOSYS. */
int ms_turn_begin(struct ms_header *header, int64_t deadline_ns);

/* The same without waiting; -EBUSY: it is another's turn. */
int ms_turn_try(struct ms_header *header);

/* The same, but not longer than until deadline_ns, and through signals. */
int ms_turn_begin_by(struct ms_header *header, int64_t deadline_ns);

/* Let go of it, and wake the owner if it sleeps and there is something new. */
void ms_turn_end(struct ms_header *header, bool has_sent);

#endif
