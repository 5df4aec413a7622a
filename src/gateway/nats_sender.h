/* SPDX-License-Identifier: MIT */
/*
 * Messages on their way to the NATS server. Each is published again and again until the
 * server has said that it keeps it, always under the same id, so that it is kept once.
 * Of each slot that is sent to one message is on its way at a time: so they come in
 * order, and a receiver may take a number that is not higher for a repetition. Slots do
 * not wait for each other.
 */
#ifndef MS_GATEWAY_NATS_SENDER_H
#define MS_GATEWAY_NATS_SENDER_H

#include "gateway/nats_link.h"

struct ms_gateway;
struct ms_nats_lane;
struct ms_nats_notes;

struct ms_nats_sender {
    struct ms_gateway *gateway;
    struct ms_nats_link *link;
    struct ms_nats_notes *notes;
    struct ms_nats_lane *lanes;
    uv_timer_t timer;
    char uuid[33]; /* of this life: numbers begin again in the next */
    uint64_t last_number;
    size_t bytes;
    bool is_up;
    bool is_held; /* the outbox waits */
};

/* Its link and the rest are set by the caller. 0 or a negative errno. */
int ms_nats_sender_open(struct ms_nats_sender *sender);

/* Take a message for a subject, a copy of it. -EAGAIN: too much is on its way. */
int ms_nats_sender_put(struct ms_nats_sender *sender, const char *subject,
                       const void *data, size_t size);

/* What the link tells. */
void ms_nats_sender_up(struct ms_nats_sender *sender);
void ms_nats_sender_down(struct ms_nats_sender *sender);
void ms_nats_sender_answer(struct ms_nats_sender *sender,
                           const struct ms_nats_event *answer);

void ms_nats_sender_close(struct ms_nats_sender *sender);
void ms_nats_sender_destroy(struct ms_nats_sender *sender);

#endif
