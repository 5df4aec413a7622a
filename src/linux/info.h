/* SPDX-License-Identifier: MIT */
/* What a slot looks like, for its owner and for others. */
#ifndef MS_LINUX_INFO_H
#define MS_LINUX_INFO_H

#include "linux/region.h"
#include "queue/queue.h"

/* from_outside: the region, for who is not the owner; NULL for the owner. Returns 0 or
 * -EBADMSG. */
int ms_info_fill(const struct ms_queue *queue, const struct ms_region *from_outside,
                 mailslot_info *info);

#endif
