/* SPDX-License-Identifier: MIT */
/*
 * What the NATS server keeps for this machine: two consumers for each exported slot,
 * one for the host and one for its domain. Each hands out one message at a time, and
 * the next when that one is acknowledged, which is when it is in the slot. So what
 * comes for a slot comes in order, a full slot holds up no other, and after whatever
 * was killed there is one message that may come again, which the journal knows.
 */
#ifndef MS_GATEWAY_NATS_RECEIVER_H
#define MS_GATEWAY_NATS_RECEIVER_H

#include "gateway/nats_link.h"

struct ms_gateway;
struct ms_nats_consumer;
struct ms_nats_notes;

struct ms_nats_receiver {
    struct ms_gateway *gateway;
    struct ms_nats_link *link;
    struct ms_nats_notes *notes;
    struct ms_nats_consumer *consumers;
    uint64_t last_number;
    uint64_t connection; /* counts them; 0: none now */
    uint64_t last_connection;
    bool is_closing;
};

/* The names of consumers are those of the exported slots; what the folder of the state
 * knows of others is removed there and on the server. */
void ms_nats_receiver_reload(struct ms_nats_receiver *receiver);

/* What the link tells. The message is the receiver's. */
void ms_nats_receiver_up(struct ms_nats_receiver *receiver);
void ms_nats_receiver_down(struct ms_nats_receiver *receiver);
void ms_nats_receiver_message(struct ms_nats_receiver *receiver, natsMsg *msg);

/* Then the loop must run until it has nothing left. */
void ms_nats_receiver_close(struct ms_nats_receiver *receiver);

#endif
