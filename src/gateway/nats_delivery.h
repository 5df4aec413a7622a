/* SPDX-License-Identifier: MIT */
/* A message that the NATS server has handed out, on its way into its slot, once. */
#ifndef MS_GATEWAY_NATS_DELIVERY_H
#define MS_GATEWAY_NATS_DELIVERY_H

#include "gateway/nats_consumer.h"

/* Whether the message that an earlier life was about to put into the consumer's slot
 * got there: find out now if it is not known yet. 0, or -EAGAIN: the slot cannot be
 * asked now. */
int ms_delivery_settle(struct ms_nats_consumer *consumer);

/* The consumer holds another message now. */
void ms_delivery_start(struct ms_nats_consumer *consumer);

/* The held message may be wanted now. */
void ms_delivery_try(struct ms_nats_consumer *consumer);

/* The receiver's part: try again later; ask for the next one. */
void ms_nats_receiver_hold(struct ms_nats_consumer *consumer, uint64_t delay_ms);
void ms_nats_receiver_next(struct ms_nats_consumer *consumer);

#endif
