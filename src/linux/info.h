/* SPDX-License-Identifier: MIT */
/* What a slot looks like, for its owner and for others. */
#ifndef MS_LINUX_INFO_H
#define MS_LINUX_INFO_H

#include "queue/queue.h"

/* Returns 0 or -EBADMSG. */
int ms_info_fill(const struct ms_queue *queue, mailslot_info *info);

#endif
