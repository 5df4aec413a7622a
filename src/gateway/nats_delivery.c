/* SPDX-License-Identifier: MIT */
#include "gateway/nats_delivery.h"

#include "gateway/gateway.h"
#include "gateway/inbox.h"
#include "gateway/nats_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_DELAY_MS 4
#define LAST_DELAY_MS 128
#define QUIET_MS 1000 /* without messages somebody may have come and gone */
#define TOUCH_MS 500  /* well before the server hands it out again */

/* Where a message comes from. */
struct origin {
    struct ms_subject subject;
    uint64_t sender;
    struct ms_journal_writer writer;
    uint64_t number;
};

static uint64_t hash(const char *text) {
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) {
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return value ? value : 1;
}

/* `UUID:NUMBER`, of 32 and up to 20 digits, or no writer is known. */
static void read_id(natsMsg *msg, struct origin *origin) {
    const char *id = NULL;
    char half[17] = "";
    if (natsMsgHeader_Get(msg, "Nats-Msg-Id", &id) != NATS_OK ||
        strspn(id, "0123456789abcdef") != 32 || id[32] != ':') {
        return;
    }
    origin->writer.words[0] = origin->sender;
    memcpy(half, id, 16);
    origin->writer.words[1] = strtoull(half, NULL, 16);
    memcpy(half, id + 16, 16);
    origin->writer.words[2] = strtoull(half, NULL, 16);
    origin->number = strtoull(id + 33, NULL, 10);
}

static int read_origin(natsMsg *msg, struct origin *ret_origin) {
    enum ms_reason reason = MS_REASON_SUBJECT;
    const char *subject = natsMsg_GetSubject(msg);
    *ret_origin = (struct origin){0};
    int r = ms_subject_decode(subject, strlen(subject), &ret_origin->subject, &reason);
    if (r < 0) {
        ms_drop((enum ms_drop)(MS_DROP_WIRE + (int)reason), "a message for %s",
                subject);
        return r;
    }
    ret_origin->sender = hash(ret_origin->subject.from);
    read_id(msg, ret_origin);
    return 0;
}

static void go_on(struct ms_nats_consumer *consumer) {
    ms_consumer_acknowledge(consumer);
    ms_nats_receiver_next(consumer);
}

/* Whatever became of it, it is done with. */
static void end(struct ms_nats_consumer *consumer, const struct origin *origin) {
    ms_journal_end(consumer->journal, &consumer->place, &origin->writer,
                   origin->number);
    go_on(consumer);
}

/* The slot is there, but cannot be asked now. */
static bool will_tell_later(int r) {
    return r == -EAGAIN || r == -ETIMEDOUT || r == -EINTR || r == -ENOMEM ||
           r == -EMFILE || r == -ENFILE;
}

int ms_delivery_settle(struct ms_nats_consumer *consumer) {
    if (!ms_journal_is_open_question(consumer->journal)) {
        return 0;
    }
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = ms_inbox_look(consumer->receiver->gateway->inbox, consumer->slot, &info);
    if (will_tell_later(r)) {
        return -EAGAIN;
    }
    ms_journal_settle(consumer->journal, r == 0 ? &info : NULL);
    return 0;
}

/* Was it delivered by an earlier life, or before its sender repeated it? 0: no, or not
 * to the slot that is there now, if any; 1: yes; -EAGAIN: that cannot be told now. */
static int has_come(struct ms_nats_consumer *consumer, const struct origin *origin) {
    struct ms_journal *journal = consumer->journal;
    if (ms_journal_knows(journal, &origin->writer, origin->number)) {
        return 1;
    }
    if (!ms_journal_is_doing(journal, &consumer->place)) {
        return 0;
    }
    int r = ms_delivery_settle(consumer);
    return r < 0 ? r : ms_journal_has_arrived(journal);
}

static void about_to_send(void *context, const mailslot_info *info) {
    struct ms_nats_consumer *consumer = context;
    ms_journal_begin(consumer->journal, &consumer->place, info);
}

static bool can_wait(struct ms_nats_consumer *consumer, enum ms_drop drop) {
    const struct ms_gateway *gateway = consumer->receiver->gateway;
    uint64_t now_ms = uv_now(gateway->loop);
    switch (drop) {
    case MS_DROP_SENDER_RATE:
    case MS_DROP_SLOT_RATE:
    case MS_DROP_SLOT_BYTES:
    case MS_DROP_SLOT_FULL:
        consumer->absent_ms = 0;
        return true;
    case MS_DROP_NO_SLOT:
        if (consumer->absent_ms == 0 || now_ms - consumer->seen_absent_ms > QUIET_MS) {
            consumer->absent_ms = now_ms;
        }
        consumer->seen_absent_ms = now_ms;
        return (double)(now_ms - consumer->absent_ms) <
               gateway->config->nats.linger * 1000;
    default:
        return false;
    }
}

static void hold(struct ms_nats_consumer *consumer) {
    uint64_t now_ms = uv_now(consumer->receiver->gateway->loop);
    if (now_ms - consumer->touched_ms >= TOUCH_MS) {
        ms_consumer_touch(consumer);
        consumer->touched_ms = now_ms;
    }
    ms_nats_receiver_hold(consumer, consumer->delay_ms);
    if (consumer->delay_ms < LAST_DELAY_MS) {
        consumer->delay_ms *= 2;
    }
}

static void deliver(struct ms_nats_consumer *consumer, const struct origin *origin) {
    const struct ms_gateway *gateway = consumer->receiver->gateway;
    struct ms_arrival arrival = {
        .road = "nats",
        .from = origin->subject.from,
        .is_verified = gateway->config->nats.is_verified,
        .place = "nats",
        .sender = origin->sender,
        .to = origin->subject.target,
        .slot = origin->subject.slot,
        .data = natsMsg_GetData(consumer->held),
        .size = (size_t)natsMsg_GetDataLength(consumer->held),
        .about_to_send = about_to_send,
        .context = consumer,
    };
    enum ms_drop drop = ms_inbox_deliver(gateway->inbox, &arrival);
    if (drop == MS_DROP_NONE) {
        consumer->absent_ms = 0;
        end(consumer, origin);
        return;
    }
    ms_journal_cancel(consumer->journal);
    if (can_wait(consumer, drop)) {
        hold(consumer);
    } else {
        ms_inbox_count(gateway->inbox, &arrival, drop);
        end(consumer, origin);
    }
}

static void count_double(void) {
    ms_drop_quietly((enum ms_drop)(MS_DROP_WIRE + MS_REASON_DUPLICATE));
}

void ms_delivery_try(struct ms_nats_consumer *consumer) {
    struct origin origin;
    if (ms_journal_is_done(consumer->journal, &consumer->place)) {
        count_double(); /* a killed server forgets what was acknowledged last */
        go_on(consumer);
    } else if (read_origin(consumer->held, &origin) < 0) {
        end(consumer, &origin);
    } else {
        int come = has_come(consumer, &origin);
        if (come < 0) {
            hold(consumer);
        } else if (come) {
            count_double();
            end(consumer, &origin);
        } else {
            deliver(consumer, &origin);
        }
    }
}

void ms_delivery_start(struct ms_nats_consumer *consumer) {
    consumer->delay_ms = FIRST_DELAY_MS;
    consumer->touched_ms = uv_now(consumer->receiver->gateway->loop);
    ms_delivery_try(consumer);
}
