/* SPDX-License-Identifier: MIT */
/*
 * Readiness: a descriptor for event loops that can be read from while the owner has
 * messages to read, and at no other time.
 *
 * It is a pipe, the slot's cord. The owner's reading calls clear it as soon as nothing
 * is left, and arm the bell; the writer that takes that pulls the cord, and so wakes
 * the owner's loop as directly as a sleeping owner (queue/bell.h). While messages wait,
 * nobody makes a system call. A thread pulls for writers that cannot, and looks now and
 * then whether one was killed before it could.
 */
#ifndef MS_LINUX_READINESS_H
#define MS_LINUX_READINESS_H

#include "queue/queue.h"

struct ms_readiness;

/* Open the descriptor of a slot. Its region must stay until it is closed. Returns 0,
 * -EMFILE, -ENFILE or -ENOMEM. */
int ms_readiness_open(struct ms_reader *reader, struct ms_readiness **ret_readiness);
void ms_readiness_close(struct ms_readiness *readiness);

int ms_readiness_descriptor(const struct ms_readiness *readiness);

/* The owner, at the end of each call that may have changed what is left to read: make
 * the descriptor say whether there is a message. is_in_vain: the call was to read, and
 * found nothing; maybe because the descriptor was readable for nothing. */
void ms_readiness_settle(struct ms_readiness *readiness, struct ms_reader *reader,
                         bool is_in_vain);

/* The owner, before it sleeps on the bell itself. After it settle is due. */
void ms_readiness_pause(struct ms_readiness *readiness);

#endif
