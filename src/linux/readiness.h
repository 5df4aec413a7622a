/* SPDX-License-Identifier: MIT */
/*
 * Readiness: a descriptor for event loops that can be read from while the owner has
 * messages to read, and at no other time.
 *
 * A thread sleeps on the slot's bell and sets the descriptor when it rings. The owner's
 * reading calls clear it as soon as nothing is left, and arm the bell again, for which
 * the thread need not be woken: it sleeps on, on the same word (queue/bell.h). So while
 * messages keep coming nobody makes a system call, and one that comes into an empty
 * queue costs one thread's wake more than an owner that sleeps on the bell itself. When
 * it does, in a call that waits, the thread is moved away from the bell meanwhile.
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
 * the descriptor say whether there is a message. */
void ms_readiness_settle(struct ms_readiness *readiness, struct ms_reader *reader);

/* The owner, around its own sleep on the bell. After it settle is due. */
void ms_readiness_pause(struct ms_readiness *readiness);
void ms_readiness_resume(struct ms_readiness *readiness);

#endif
