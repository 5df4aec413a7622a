/* SPDX-License-Identifier: MIT */
/*
 * The nats road: messages become those of a stream of NATS JetStream, which keeps them
 * until each machine that they are for has them. Mailslots become subjects as
 * wire/subject.h says. What is sent to a domain comes back to this machine by itself.
 */
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/nats_notes.h"
#include "gateway/nats_options.h"
#include "gateway/nats_receiver.h"
#include "gateway/nats_sender.h"
#include "wire/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the id of a message takes of the stream's limit for messages, and a bit. */
#define HEADERS_SIZE 96

struct nats {
    struct ms_road road;
    struct ms_gateway *gateway;
    struct ms_nats_link link;
    struct ms_nats_sender sender;
    struct ms_nats_receiver receiver;
    struct ms_nats_notes notes;
};

static void hear(void *context, struct ms_nats_event *event) {
    struct nats *nats = context;
    switch (event->kind) {
    case MS_NATS_UP:
        ms_nats_forget(&nats->notes);
        ms_log(MS_NOTICE, "nats: connected");
        ms_nats_sender_up(&nats->sender);
        ms_nats_receiver_up(&nats->receiver);
        break;
    case MS_NATS_DOWN:
        ms_nats_say(&nats->notes, "not connected: %s", event->text);
        ms_nats_sender_down(&nats->sender);
        ms_nats_receiver_down(&nats->receiver);
        break;
    case MS_NATS_TROUBLE:
        ms_nats_say(&nats->notes, "%s", event->text);
        break;
    case MS_NATS_ANSWER:
        ms_nats_sender_answer(&nats->sender, event);
        break;
    default:
        ms_nats_receiver_message(&nats->receiver, event->msg);
    }
}

/* A name in the list of domains is one, and any other is a host's. */
static bool is_domain(const struct ms_config *config, const char *name) {
    if (ms_config_equals(name, config->domain)) {
        return true;
    }
    for (size_t i = 0; i < config->nats.domains.count; i++) {
        if (ms_config_equals(name, config->nats.domains.texts[i])) {
            return true;
        }
    }
    return false;
}

static int encode(const struct ms_config *config, const struct ms_mail *mail,
                  char *subject) {
    const char *target = strcmp(mail->host, "*") == 0 ? config->domain : mail->host;
    struct ms_subject parts = {.kind = is_domain(config, target) ? MS_SUBJECT_DOMAIN
                                                                 : MS_SUBJECT_HOST};
    snprintf(parts.target, sizeof parts.target, "%s", target);
    snprintf(parts.from, sizeof parts.from, "%s", config->host);
    snprintf(parts.slot, sizeof parts.slot, "%s", mail->slot);
    int r = ms_subject_encode(&parts, subject, MS_SUBJECT_MAX);
    if (r >= 0) {
        subject[r] = '\0';
    }
    return r;
}

static int send_mail(struct ms_road *road, const struct ms_mail *mail) {
    struct nats *nats = (struct nats *)road;
    char subject[MS_SUBJECT_MAX + 1];
    if (encode(nats->gateway->config, mail, subject) < 0) {
        ms_drop(MS_DROP_NOT_CARRIED, "a message for \\\\%s, slot %s", mail->host,
                mail->slot);
        return 0;
    }
    return ms_nats_sender_put(&nats->sender, subject, mail->data, mail->size);
}

static void reload(struct ms_road *road) {
    struct nats *nats = (struct nats *)road;
    ms_nats_receiver_reload(&nats->receiver);
}

static void close_nats(struct ms_road *road) {
    struct nats *nats = (struct nats *)road;
    ms_nats_receiver_close(&nats->receiver);
    ms_nats_sender_close(&nats->sender);
    ms_nats_link_close(&nats->link);
}

static void destroy(struct ms_road *road) {
    struct nats *nats = (struct nats *)road;
    ms_nats_link_destroy(&nats->link);
    ms_nats_sender_destroy(&nats->sender);
    free(nats);
}

/* This machine's name as a token: what is between the dots behind `ms.u.`. */
static int make_token(const struct ms_config *config, char ret_token[MS_SUBJECT_MAX]) {
    struct ms_subject subject = {.kind = MS_SUBJECT_HOST, .from = "x", .slot = "x"};
    char text[MS_SUBJECT_MAX + 1];
    snprintf(subject.target, sizeof subject.target, "%s", config->host);
    int r = ms_subject_encode(&subject, text, sizeof text - 1);
    if (r < 0) {
        ms_log(MS_ERROR, "host: '%s' cannot be a host on the road nats", config->host);
        return r;
    }
    size_t prefix = sizeof "ms.u." - 1;
    snprintf(ret_token, MS_SUBJECT_MAX, "%.*s",
             (int)((size_t)r - prefix - (sizeof ".x.x" - 1)), text + prefix);
    return 0;
}

/* Without it, what comes could come twice. */
static int check_state(const struct ms_config *config) {
    if (access(config->nats.state, R_OK | W_OK | X_OK) < 0) {
        int r = -errno;
        ms_log(MS_ERROR, "nats.state: %s: %s", config->nats.state,
               strerror(-r)); /* NOLINT(concurrency-mt-unsafe) */
        return r;
    }
    return 0;
}

static int open_parts(struct nats *nats, const char *token) {
    int r = ms_nats_link_open(&nats->link, nats->gateway->loop,
                              &nats->gateway->config->nats, token, hear, nats);
    int sender_r = ms_nats_sender_open(&nats->sender);
    if (r == 0) {
        r = sender_r;
    }
    if (r == 0) {
        ms_nats_receiver_reload(&nats->receiver);
    }
    return r;
}

int ms_nats_open(struct ms_gateway *gateway, struct ms_road **ret_road) {
    char token[MS_SUBJECT_MAX];
    int r = make_token(gateway->config, token);
    if (r == 0) {
        r = check_state(gateway->config);
    }
    if (r < 0) {
        return r;
    }
    struct nats *nats = calloc(1, sizeof *nats);
    if (!nats) {
        return -ENOMEM;
    }
    nats->gateway = gateway;
    nats->sender = (struct ms_nats_sender){
        .gateway = gateway, .link = &nats->link, .notes = &nats->notes};
    nats->receiver = (struct ms_nats_receiver){
        .gateway = gateway, .link = &nats->link, .notes = &nats->notes};
    nats->road = (struct ms_road){.name = "nats",
                                  .room = MS_NATS_MESSAGE_MAX - HEADERS_SIZE,
                                  .send = send_mail,
                                  .reload = reload,
                                  .close = close_nats,
                                  .destroy = destroy};
    *ret_road = &nats->road;
    return open_parts(nats, token);
}
