/* SPDX-License-Identifier: MIT */
/* A consumer of the NATS server: who may be asked for the messages of one slot. */
#ifndef MS_GATEWAY_NATS_CONSUMER_H
#define MS_GATEWAY_NATS_CONSUMER_H

#include "gateway/nats_journal.h"
#include "gateway/nats_link.h"
#include "gateway/nats_receiver.h"
#include "mailslot.h"
#include "wire/subject.h"

#define MS_CONSUMER_NAME_MAX 200

enum ms_consumer_state {
    MS_CONSUMER_OFF,       /* waits for a connection, or for its timer */
    MS_CONSUMER_PREPARING, /* the server is being asked for it, on another thread */
    MS_CONSUMER_PULLING,   /* the next message will come */
    MS_CONSUMER_HOLDING,   /* it is here, and the slot does not take it yet */
};

struct ms_nats_consumer {
    struct ms_nats_consumer *next;
    struct ms_nats_receiver *receiver;
    uint64_t number; /* its messages come to inbox.NUMBER */
    char name[MS_CONSUMER_NAME_MAX + 1];
    char slot[MAILSLOT_NAME_MAX + 1];
    char filter[MS_SUBJECT_MAX + 1]; /* the subject, with a `*` for who sends */
    bool is_wanted;                  /* else it is to be removed */
    enum ms_consumer_state state;
    uint64_t connection; /* on which it was prepared */
    uv_timer_t timer;
    struct ms_journal *journal;
    uint64_t pull_ms; /* how long the next request is to be kept */

    natsMsg *held;
    struct ms_journal_place place; /* of the held message, in the stream */
    uint32_t delay_ms;
    uint64_t touched_ms;     /* when the server heard of it last */
    uint64_t absent_ms;      /* since when nobody owns the slot; 0: somebody does */
    uint64_t seen_absent_ms; /* when that was seen last */

    uv_work_t work;
    bool is_removing; /* what the work is, and its results: */
    natsStatus status;
    char text[MS_NATS_TEXT_SIZE];
};

/* The names for a slot of a host or domain. 0, or -EINVAL: it has none, or too long. */
int ms_consumer_name(struct ms_nats_consumer *consumer, const char *host,
                     enum ms_subject_kind kind, const char *target, const char *slot);

/* Ask the server to have it, or not to have it any more; `done` is called on the loop.
 * 0 or a negative errno. */
int ms_consumer_prepare(struct ms_nats_consumer *consumer, uv_after_work_cb done);

/* The server knows it now, on this connection: the first requests are short ones. */
void ms_consumer_begin(struct ms_nats_consumer *consumer);

/* Ask for the next message. Returns after how many milliseconds to ask again, unless
 * the server says before that the request has expired. */
uint64_t ms_consumer_pull(struct ms_nats_consumer *consumer);

/* Acknowledge the held message; say that it is still held. */
void ms_consumer_acknowledge(struct ms_nats_consumer *consumer);
void ms_consumer_touch(struct ms_nats_consumer *consumer);

#endif
