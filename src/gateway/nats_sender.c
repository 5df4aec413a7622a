/* SPDX-License-Identifier: MIT */
#include "gateway/nats_sender.h"

#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/nats_notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 100
#define FULL_MS 200    /* until a full stream is tried again */
#define REFUSED_MS 500 /* until whatever else was refused is */

struct letter {
    struct letter *next;
    uint64_t number;
    size_t size;
    char data[];
};

/* Messages for one subject: the first is on its way, or waits for its next attempt. */
struct ms_nats_lane {
    struct ms_nats_lane *next;
    struct letter *first;
    struct letter **last;
    uint64_t retry_ms; /* by the loop's clock; 0: it is on its way */
    char subject[];
};

static void on_tick(uv_timer_t *timer);

static size_t weigh(const char *subject, size_t size) {
    return sizeof(struct letter) + sizeof(struct ms_nats_lane) + strlen(subject) + size;
}

static natsStatus make_msg(const struct ms_nats_sender *sender,
                           const struct ms_nats_lane *lane, natsMsg **ret_msg) {
    char id[64];
    const struct letter *letter = lane->first;
    snprintf(id, sizeof id, "%s:%llu", sender->uuid,
             (unsigned long long)letter->number);
    natsStatus status =
        natsMsg_Create(ret_msg, lane->subject, NULL, letter->data, (int)letter->size);
    return status == NATS_OK ? natsMsgHeader_Set(*ret_msg, "Nats-Msg-Id", id) : status;
}

static void retry_later(struct ms_nats_sender *sender, struct ms_nats_lane *lane,
                        uint64_t delay_ms) {
    lane->retry_ms = uv_now(sender->gateway->loop) + delay_ms;
    if (!uv_is_active((uv_handle_t *)&sender->timer)) {
        uv_timer_start(&sender->timer, on_tick, TICK_MS, TICK_MS);
    }
}

static void publish(struct ms_nats_sender *sender, struct ms_nats_lane *lane) {
    natsMsg *msg = NULL;
    if (!sender->is_up) {
        return;
    }
    if (make_msg(sender, lane, &msg) != NATS_OK) {
        natsMsg_Destroy(msg);
        retry_later(sender, lane, REFUSED_MS);
        return;
    }
    lane->retry_ms = 0;
    ms_nats_link_post(sender->link, msg, lane->first->number);
}

static void on_tick(uv_timer_t *timer) {
    struct ms_nats_sender *sender = timer->data;
    bool is_waiting = false;
    for (struct ms_nats_lane *lane = sender->lanes; lane; lane = lane->next) {
        if (lane->retry_ms && lane->retry_ms <= uv_now(timer->loop)) {
            publish(sender, lane);
        }
        is_waiting |= lane->retry_ms != 0;
    }
    if (!is_waiting || !sender->is_up) {
        uv_timer_stop(timer);
    }
}

int ms_nats_sender_open(struct ms_nats_sender *sender) {
    unsigned char random[16];
    int r = uv_random(NULL, NULL, random, sizeof random, 0, NULL);
    for (size_t i = 0; i < sizeof random; i++) {
        snprintf(sender->uuid + 2 * i, 3, "%02x", random[i]);
    }
    uv_timer_init(sender->gateway->loop, &sender->timer);
    sender->timer.data = sender;
    return r;
}

/* The lane of a subject, perhaps a new one. NULL: no memory. */
static struct ms_nats_lane *find_lane(struct ms_nats_sender *sender,
                                      const char *subject) {
    struct ms_nats_lane **place = &sender->lanes;
    while (*place && strcmp((*place)->subject, subject) != 0) {
        place = &(*place)->next;
    }
    if (!*place) {
        struct ms_nats_lane *lane = malloc(sizeof *lane + strlen(subject) + 1);
        if (lane) {
            *lane = (struct ms_nats_lane){.last = &lane->first};
            memcpy(lane->subject, subject, strlen(subject) + 1);
        }
        *place = lane;
    }
    return *place;
}

int ms_nats_sender_put(struct ms_nats_sender *sender, const char *subject,
                       const void *data, size_t size) {
    size_t weight = weigh(subject, size);
    if (sender->bytes && sender->bytes + weight > sender->link->config.queue_bytes) {
        sender->is_held = true;
        return -EAGAIN;
    }
    struct letter *letter = malloc(sizeof *letter + size);
    struct ms_nats_lane *lane = letter ? find_lane(sender, subject) : NULL;
    if (!lane) {
        free(letter);
        ms_drop(MS_DROP_TOO_MANY_WAIT, "a message for %s", subject);
        return 0;
    }
    *letter = (struct letter){.number = ++sender->last_number, .size = size};
    memcpy(letter->data, data, size);
    *lane->last = letter;
    lane->last = &letter->next;
    sender->bytes += weight;
    if (lane->first == letter) {
        publish(sender, lane);
    }
    return 0;
}

static void remove_lane(struct ms_nats_sender *sender, struct ms_nats_lane *lane) {
    struct ms_nats_lane **place = &sender->lanes;
    while (*place != lane) {
        place = &(*place)->next;
    }
    *place = lane->next;
    free(lane);
}

/* The first message of a lane is done with. */
static void go_on(struct ms_nats_sender *sender, struct ms_nats_lane *lane) {
    struct letter *letter = lane->first;
    sender->bytes -= weigh(lane->subject, letter->size);
    lane->first = letter->next;
    free(letter);
    if (lane->first) {
        publish(sender, lane);
    } else {
        remove_lane(sender, lane);
    }
    if (sender->is_held && sender->bytes <= sender->link->config.queue_bytes / 2) {
        sender->is_held = false;
        ms_outbox_resume(sender->gateway->outbox);
    }
}

static bool is_too_long(const struct ms_nats_event *answer) {
    return answer->status == NATS_MAX_PAYLOAD ||
           answer->code == JSStreamMessageExceedsMaximumErr;
}

static void refuse(struct ms_nats_sender *sender, struct ms_nats_lane *lane,
                   const struct ms_nats_event *answer) {
    if (answer->status == NATS_TIMEOUT) {
        ms_nats_say(sender->notes, "the server does not answer to what is sent to %s",
                    lane->subject);
        publish(sender, lane);
    } else if (answer->code == JSStreamStoreFailedErr) {
        ms_nats_say(sender->notes, "the stream is full (%s): senders have to wait",
                    answer->text);
        retry_later(sender, lane, FULL_MS);
    } else {
        ms_nats_say(sender->notes, "the server refuses what is sent to %s: %s",
                    lane->subject, answer->text);
        retry_later(sender, lane, REFUSED_MS);
    }
}

void ms_nats_sender_answer(struct ms_nats_sender *sender,
                           const struct ms_nats_event *answer) {
    struct ms_nats_lane *lane = sender->lanes;
    while (lane && lane->first->number != answer->number) {
        lane = lane->next;
    }
    if (!lane) { /* to an earlier attempt */
        return;
    }
    if (answer->status == NATS_OK) {
        ms_count(MS_TRAFFIC_OUT);
        go_on(sender, lane);
    } else if (is_too_long(answer)) {
        ms_drop(MS_DROP_TOO_LONG, "a message of %zu bytes for %s", lane->first->size,
                lane->subject);
        go_on(sender, lane);
    } else if (sender->is_up) {
        refuse(sender, lane, answer);
    }
}

void ms_nats_sender_up(struct ms_nats_sender *sender) {
    sender->is_up = true;
    for (struct ms_nats_lane *lane = sender->lanes; lane; lane = lane->next) {
        publish(sender, lane);
    }
}

void ms_nats_sender_down(struct ms_nats_sender *sender) {
    sender->is_up = false;
}

void ms_nats_sender_close(struct ms_nats_sender *sender) {
    uv_close((uv_handle_t *)&sender->timer, NULL);
}

void ms_nats_sender_destroy(struct ms_nats_sender *sender) {
    while (sender->lanes) {
        struct ms_nats_lane *lane = sender->lanes;
        while (lane->first) {
            struct letter *letter = lane->first;
            lane->first = letter->next;
            free(letter);
        }
        sender->lanes = lane->next;
        free(lane);
    }
}
