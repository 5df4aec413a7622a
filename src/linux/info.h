/* SPDX-License-Identifier: MIT */
/* What a slot looks like, for its owner and for others. */
#ifndef MS_LINUX_INFO_H
#define MS_LINUX_INFO_H

#include "linux/region.h"
#include "queue/queue.h"

/* The queue, seen clearly. from_outside: the region, for who is not the owner; NULL for
 * the owner. Returns 0 or -EBADMSG. */
int ms_info_look(const struct ms_queue *queue, const struct ms_region *from_outside,
                 struct ms_status *ret_status);

/* All that there is to tell, of a queue that was seen like this. */
void ms_info_fill(const struct ms_queue *queue, const struct ms_status *status,
                  mailslot_info *info);

#endif
