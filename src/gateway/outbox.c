/* SPDX-License-Identifier: MIT */
#include "gateway/outbox.h"

#include "gateway/filter.h"
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/user.h"
#include "wire/outbound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Messages that are handled before the loop may look at its sockets again. */
#define TURN_COUNT 64

struct ms_outbox {
    struct ms_gateway *gateway;
    mailslot *slot;
    uv_poll_t ready;
    struct ms_road *held_by; /* the road that the first message waits for, or NULL */
    bool is_closed;
};

static enum ms_road_kind choose_road(const struct ms_config *config, const char *host) {
    enum ms_road_kind road = config->nats.is_on ? MS_ROAD_NATS : MS_ROAD_LAN;
    for (size_t i = 0; i < config->route_count; i++) {
        const struct ms_route *route = &config->routes[i];
        if (ms_config_equals(route->destination, host)) {
            return route->road;
        }
        if (strcmp(route->destination, "*") == 0) {
            road = route->road;
        }
    }
    return road;
}

static struct ms_mail mail_of(const struct ms_outbound *outbound,
                              const mailslot_message *message) {
    return (struct ms_mail){
        .host = outbound->host,
        .slot = outbound->slot,
        .data = outbound->data,
        .size = outbound->size,
        .pid = message->pid,
        .uid = message->uid,
        .gid = message->gid,
    };
}

/* A message for this machine's own name is treated as if it came from outside: whoever
 * sent it must not reach more through the gateway than any other machine. */
static void deliver_here(struct ms_outbox *outbox, const struct ms_mail *mail) {
    const char *host = outbox->gateway->config->host;
    struct ms_arrival arrival = {
        .road = "local",
        .from = host,
        .is_verified = true,
        .place = "this machine",
        .sender = UINT64_MAX,
        .to = host,
        .slot = mail->slot,
        .data = mail->data,
        .size = mail->size,
    };
    struct ms_inbox *inbox = outbox->gateway->inbox;
    ms_inbox_count(inbox, &arrival, ms_inbox_deliver(inbox, &arrival));
}

/* NULL: it goes nowhere. */
static struct ms_road *find_road(struct ms_outbox *outbox, const struct ms_mail *mail) {
    const struct ms_config *config = outbox->gateway->config;
    int kind = choose_road(config, mail->host);
    struct ms_filtered message = {
        .is_out = true,
        .from = config->host,
        .to = mail->host,
        .slot = mail->slot,
        .road = outbox->gateway->roads[kind] ? outbox->gateway->roads[kind]->name : "",
        .data = mail->data,
        .size = mail->size,
        .pid = mail->pid,
        .uid = mail->uid,
    };
    char reason[MS_FILTER_REASON_SIZE];
    if (!ms_filter_passes(config, &message, reason, &kind)) {
        ms_drop(MS_DROP_FILTER, "a message of process %u for \\\\%s (%s)",
                (unsigned int)mail->pid, mail->host, reason);
        return NULL;
    }
    struct ms_road *road = outbox->gateway->roads[kind];
    if (!road) {
        ms_drop(MS_DROP_NO_ROAD, "a message for \\\\%s", mail->host);
        return NULL;
    }
    size_t room = (strlen(mail->slot) + 3) / 4 * 4 + mail->size;
    if (room > road->room) {
        ms_drop(MS_DROP_TOO_LONG, "a message of %zu bytes for \\\\%s (%s)", mail->size,
                mail->host, road->name);
        return NULL;
    }
    return road;
}

/* -EAGAIN: the road cannot take it now. */
static int handle(struct ms_outbox *outbox, const mailslot_message *message) {
    struct ms_outbound outbound;
    enum ms_reason reason;
    if (ms_outbound_decode(message->data, message->size, &outbound, &reason) < 0) {
        ms_drop(MS_DROP_OUTBOX_DAMAGED, "a message of process %u",
                (unsigned int)message->pid);
        return 0;
    }
    struct ms_mail mail = mail_of(&outbound, message);
    if (ms_config_equals(mail.host, outbox->gateway->config->host)) {
        deliver_here(outbox, &mail);
        return 0;
    }
    struct ms_road *road = outbox->held_by;
    if (!road) {
        road = find_road(outbox, &mail);
    }
    if (!road) {
        return 0;
    }
    int r = road->send(road, &mail);
    outbox->held_by = r == -EAGAIN ? road : NULL;
    return r;
}

/* Returns 0 when the slot is empty, -EAGAIN when a road is full, 1 for another turn. */
static int take_turn(struct ms_outbox *outbox) {
    for (int i = 0; i < TURN_COUNT; i++) {
        mailslot_message message;
        int r = mailslot_peek(outbox->slot, 0, &message);
        if (r == -EAGAIN) {
            return 0;
        }
        if (r < 0) {
            return r;
        }
        r = handle(outbox, &message);
        if (r == -EAGAIN) {
            mailslot_unpeek(outbox->slot);
            return r;
        }
        mailslot_consume(outbox->slot);
    }
    return 1;
}

/* It is called again as long as there are messages. */
static void on_ready(uv_poll_t *ready, int status, int events) {
    (void)events;
    struct ms_outbox *outbox = ready->data;
    int r = status < 0 ? status : take_turn(outbox);
    if (r == -EAGAIN) {
        uv_poll_stop(ready); /* until the road calls */
    } else if (r < 0) {
        ms_log(MS_ERROR, "the outbox cannot be read any more (%s): ending",
               mailslot_error_text(r));
        uv_stop(outbox->gateway->loop);
    }
}

void ms_outbox_resume(struct ms_outbox *outbox) {
    if (outbox->held_by && !outbox->is_closed) {
        uv_poll_start(&outbox->ready, UV_READABLE, on_ready);
    }
}

static int watch_slot(struct ms_outbox *outbox) {
    int fd;
    int r = mailslot_get_fd(outbox->slot, &fd);
    if (r == 0) {
        r = uv_poll_init(outbox->gateway->loop, &outbox->ready, fd);
    }
    if (r == 0) {
        outbox->ready.data = outbox;
        r = uv_poll_start(&outbox->ready, UV_READABLE, on_ready);
    }
    return r;
}

static void tell_rival(void) {
    uint32_t uid;
    if (mailslot_get_owner(MS_OUTBOUND_SLOT, &uid) == 0) {
        ms_log(MS_ERROR,
               "another gateway serves this machine already, as the user with id %u",
               (unsigned)uid);
    } else {
        ms_log(MS_ERROR, "another gateway serves this machine already");
    }
}

static int create_slot(struct ms_gateway *gateway, mailslot **ret_slot) {
    const struct ms_config *config = gateway->config;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    size_t room = 0;
    for (int i = 0; i < MS_ROAD_COUNT; i++) {
        if (gateway->roads[i] && gateway->roads[i]->room > room) {
            room = gateway->roads[i]->room;
        }
    }
    options.max_message_size = (uint32_t)(MS_OUTBOUND_FIXED_SIZE + room);
    options.max_bytes = config->outbox_max_bytes;
    options.mode = config->outbox_mode;
    if (config->outbox_group[0]) {
        int r = ms_user_find_group(config->outbox_group, &options.gid);
        if (r < 0) {
            ms_log(MS_ERROR, "outbox.group: there is no group '%s'",
                   config->outbox_group);
            return r;
        }
    }
    int r = mailslot_create(MS_OUTBOUND_SLOT, &options, ret_slot);
    if (r == -EEXIST) {
        tell_rival();
    } else if (r < 0) {
        ms_log(MS_ERROR, "cannot create the slot %s: %s", MS_OUTBOUND_SLOT,
               mailslot_error_text(r));
    }
    return r;
}

int ms_outbox_open(struct ms_gateway *gateway, struct ms_outbox **ret_outbox) {
    struct ms_outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox) {
        return -ENOMEM;
    }
    outbox->gateway = gateway;
    int r = create_slot(gateway, &outbox->slot);
    if (r == 0) {
        r = watch_slot(outbox);
    }
    if (r < 0) {
        mailslot_close(outbox->slot);
        free(outbox);
        return r;
    }
    *ret_outbox = outbox;
    return 0;
}

void ms_outbox_close(struct ms_outbox *outbox) {
    if (outbox) {
        outbox->is_closed = true;
        uv_close((uv_handle_t *)&outbox->ready, NULL);
        outbox->slot = mailslot_close(outbox->slot);
    }
}

void ms_outbox_destroy(struct ms_outbox *outbox) {
    free(outbox);
}
