/* SPDX-License-Identifier: MIT */
/*
 * The connection to the NATS server, which comes and goes.
 *
 * libnats has threads of its own, and its calls may wait. So a thread here makes those
 * calls: it connects, again and again until it can, and publishes what the loop hands
 * over. What happens comes to the loop as events. Each connection begins with nothing:
 * what was not answered before it went is for the loop to hand over again.
 */
#ifndef MS_GATEWAY_NATS_LINK_H
#define MS_GATEWAY_NATS_LINK_H

#include "gateway/config.h"

#include <nats/nats.h>
#include <uv.h>

#define MS_NATS_TEXT_SIZE 256
#define MS_NATS_NAME_SIZE (3 * MS_CONFIG_TEXT_MAX + 1)

enum ms_nats_event_kind {
    MS_NATS_UP,      /* connected, and the stream is there if it can be */
    MS_NATS_DOWN,    /* no more, or not yet; text says why */
    MS_NATS_TROUBLE, /* the server refused something; text */
    MS_NATS_ANSWER,  /* to a published message: number, status, code, text */
    MS_NATS_MESSAGE, /* has come to the inbox; the receiver destroys msg */
};

struct ms_nats_event {
    struct ms_nats_event *next;
    enum ms_nats_event_kind kind;
    uint64_t number;
    natsStatus status;
    jsErrCode code;
    natsMsg *msg;
    char text[MS_NATS_TEXT_SIZE];
};

struct ms_nats_post; /* a message on its way to the thread */

struct ms_nats_link {
    struct ms_nats_config config; /* as it was when this was opened */
    natsOptions *options;
    size_t server; /* of those in config.url, the one to connect to */
    char inbox[MS_NATS_NAME_SIZE + 32]; /* what comes to inbox.TOKEN is heard */
    void (*hear)(void *context, struct ms_nats_event *event);
    void *context;
    uv_thread_t thread;
    bool is_running;
    natsSubscription *subscription; /* the thread's alone */
    uv_async_t ready;
    uv_mutex_t mutex; /* for all that follows */
    uv_cond_t changed;
    bool is_closing;
    bool is_over; /* nobody hears any more */
    bool is_up;
    bool is_lost; /* the connection has closed */
    int borrowers;
    natsConnection *connection;
    jsCtx *jetstream;
    struct ms_nats_post *first_post;
    struct ms_nats_post **last_post;
    struct ms_nats_event *first_event;
    struct ms_nats_event **last_event;
};

/* Begin to connect. 0 or a negative errno, with a line in the log. hear is called on
 * the loop. The name is this machine's as a token of subjects. */
int ms_nats_link_open(struct ms_nats_link *link, uv_loop_t *loop,
                      const struct ms_nats_config *config, const char *name,
                      void (*hear)(void *context, struct ms_nats_event *event),
                      void *context);

/* Hand over a message, which is the link's from now on. With a number that is not 0 it
 * goes into the stream, and is answered; otherwise it is only sent. While there is no
 * connection it goes nowhere. */
void ms_nats_link_post(struct ms_nats_link *link, natsMsg *msg, uint64_t number);

/* On other threads than the loop: use the connection for calls that wait. NULL: there
 * is none. What was borrowed must be returned. */
jsCtx *ms_nats_link_borrow(struct ms_nats_link *link);
void ms_nats_link_return(struct ms_nats_link *link);

/* Let go: what was posted is still sent, if that takes no longer than a second. Then
 * the loop must run until it has nothing left. */
void ms_nats_link_close(struct ms_nats_link *link);
void ms_nats_link_destroy(struct ms_nats_link *link);

#endif
