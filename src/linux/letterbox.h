/* SPDX-License-Identifier: MIT */
/*
 * The letterbox: other users' way into a slot.
 *
 * A thread of the owner takes letters out of the socket and puts them into the ring, as
 * one more writer; so an owner that does not read blocks nobody. The reading calls do
 * the same when nothing is queued, so that what was sent before is seen.
 *
 * Each user has a share of the ring. Beyond it its letters wait in their sockets, in
 * memory that the system charges to the sender, and its sends get EAGAIN when those are
 * full. The number of connections is bounded; a new one takes the place of the one that
 * was silent longest, which notices when it sends, and connects again.
 */
#ifndef MS_LINUX_LETTERBOX_H
#define MS_LINUX_LETTERBOX_H

#include "linux/region.h"
#include "mailslot.h"

struct ms_letterbox;

/* Open the letterbox of a published slot. The region must stay until it is closed.
 * path: the slot's. Errors: as mailslot_create; nothing is left behind. */
int ms_letterbox_open(const struct ms_region *region, const char *path,
                      const mailslot_options *options,
                      struct ms_letterbox **ret_letterbox);

/* What still waits in sockets is gone. The name of the socket goes with the slot's. */
void ms_letterbox_close(struct ms_letterbox *letterbox);

/* Put into the ring what was sent before this call, as far as there is room: all of it;
 * or, for who has found the ring empty, something of it if there is any. What comes
 * meanwhile makes neither of them longer. */
void ms_letterbox_collect(struct ms_letterbox *letterbox);
void ms_letterbox_fetch(struct ms_letterbox *letterbox);

/* The owner was shown a message, forgets or has released those that it was shown. */
void ms_letterbox_show(struct ms_letterbox *letterbox, const mailslot_message *message);
void ms_letterbox_forget(struct ms_letterbox *letterbox);
void ms_letterbox_release(struct ms_letterbox *letterbox);

#endif
