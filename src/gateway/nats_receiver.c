/* SPDX-License-Identifier: MIT */
#include "gateway/nats_receiver.h"

#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/nats_consumer.h"
#include "gateway/nats_delivery.h"
#include "gateway/nats_journal.h"
#include "gateway/nats_notes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_MS 3000 /* until the server is asked again for a consumer */
#define SUFFIX ".journal"

#define PATH_SIZE (MS_CONFIG_TEXT_MAX + MS_CONSUMER_NAME_MAX + sizeof SUFFIX + 1)

static void advance(struct ms_nats_consumer *consumer);

static const struct ms_nats_config *config_of(const struct ms_nats_receiver *receiver) {
    return &receiver->link->config;
}

static void journal_path(const struct ms_nats_consumer *consumer,
                         char ret_path[PATH_SIZE]) {
    snprintf(ret_path, PATH_SIZE, "%s/%s" SUFFIX, config_of(consumer->receiver)->state,
             consumer->name);
}

/* Consumers come and go */

static void on_timer(uv_timer_t *timer) {
    struct ms_nats_consumer *consumer = timer->data;
    switch (consumer->state) {
    case MS_CONSUMER_PULLING:
        uv_timer_start(timer, on_timer, ms_consumer_pull(consumer), 0);
        break;
    case MS_CONSUMER_HOLDING:
        ms_delivery_try(consumer);
        break;
    case MS_CONSUMER_OFF:
        advance(consumer);
        break;
    default:
        break;
    }
}

static void wait_for(struct ms_nats_consumer *consumer, enum ms_consumer_state state,
                     uint64_t delay_ms) {
    consumer->state = state;
    uv_timer_start(&consumer->timer, on_timer, delay_ms, 0);
}

void ms_nats_receiver_hold(struct ms_nats_consumer *consumer, uint64_t delay_ms) {
    wait_for(consumer, MS_CONSUMER_HOLDING, delay_ms);
}

static void let_go(struct ms_nats_consumer *consumer) {
    natsMsg_Destroy(consumer->held);
    consumer->held = NULL;
}

void ms_nats_receiver_next(struct ms_nats_consumer *consumer) {
    let_go(consumer);
    wait_for(consumer, MS_CONSUMER_PULLING, ms_consumer_pull(consumer));
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void remove_consumer(struct ms_nats_consumer *consumer) {
    struct ms_nats_consumer **place = &consumer->receiver->consumers;
    while (*place != consumer) {
        place = &(*place)->next;
    }
    *place = consumer->next;
    let_go(consumer);
    consumer->journal = ms_journal_close(consumer->journal);
    uv_close((uv_handle_t *)&consumer->timer, on_closed);
}

static void add_consumer(struct ms_nats_receiver *receiver,
                         const struct ms_nats_consumer *names, bool is_wanted) {
    struct ms_nats_consumer *consumer = malloc(sizeof *consumer);
    if (!consumer) {
        ms_nats_say(receiver->notes, "no memory for the consumer %s", names->name);
        return;
    }
    *consumer = *names;
    consumer->receiver = receiver;
    consumer->number = ++receiver->last_number;
    consumer->is_wanted = is_wanted;
    consumer->next = receiver->consumers;
    receiver->consumers = consumer;
    uv_timer_init(receiver->gateway->loop, &consumer->timer);
    consumer->timer.data = consumer;
}

static int open_journal(struct ms_nats_consumer *consumer) {
    char path[PATH_SIZE];
    journal_path(consumer, path);
    consumer->journal = ms_journal_close(consumer->journal);
    int r = ms_journal_open(path, &consumer->journal);
    if (r < 0) {
        ms_nats_say(consumer->receiver->notes, "%s: %s", path,
                    strerror(-r)); /* NOLINT(concurrency-mt-unsafe) */
    }
    return r;
}

static bool had_journal(const struct ms_nats_consumer *consumer) {
    char path[PATH_SIZE];
    journal_path(consumer, path);
    return access(path, F_OK) == 0;
}

/* What an earlier life has left open, before anything else comes into the slots, by
 * whatever consumer. */
static void settle(struct ms_nats_receiver *receiver) {
    for (struct ms_nats_consumer *one = receiver->consumers; one; one = one->next) {
        if (one->is_wanted && had_journal(one) && open_journal(one) == 0) {
            ms_delivery_settle(one);
        }
    }
}

static void finish_removal(struct ms_nats_consumer *consumer) {
    char path[PATH_SIZE];
    journal_path(consumer, path);
    unlink(path);
    remove_consumer(consumer);
}

/* The server has answered, or not. */
static void on_prepared(uv_work_t *request, int status) {
    struct ms_nats_consumer *consumer = request->data;
    struct ms_nats_receiver *receiver = consumer->receiver;
    (void)status;
    consumer->state = MS_CONSUMER_OFF;
    if (receiver->is_closing) {
        remove_consumer(consumer);
    } else if (consumer->is_removing == consumer->is_wanted ||
               consumer->connection != receiver->connection) {
        advance(consumer); /* things have changed meanwhile */
    } else if (consumer->status != NATS_OK) {
        ms_nats_say(
            receiver->notes, "the consumer %s is not to be had: %s", consumer->name,
            consumer->text[0] ? consumer->text : natsStatus_GetText(consumer->status));
        wait_for(consumer, MS_CONSUMER_OFF, AGAIN_MS);
    } else if (consumer->is_removing) {
        finish_removal(consumer);
    } else if (open_journal(consumer) < 0) {
        wait_for(consumer, MS_CONSUMER_OFF, AGAIN_MS);
    } else {
        ms_consumer_begin(consumer);
        ms_nats_receiver_next(consumer);
    }
}

static void advance(struct ms_nats_consumer *consumer) {
    struct ms_nats_receiver *receiver = consumer->receiver;
    if (consumer->state == MS_CONSUMER_PREPARING) {
        return;
    }
    let_go(consumer);
    uv_timer_stop(&consumer->timer);
    consumer->state = MS_CONSUMER_OFF;
    consumer->connection = receiver->connection;
    if (receiver->connection == 0) {
        return;
    }
    if (ms_consumer_prepare(consumer, on_prepared) == 0) {
        consumer->state = MS_CONSUMER_PREPARING;
    } else {
        wait_for(consumer, MS_CONSUMER_OFF, AGAIN_MS);
    }
}

/* Which there are to be */

static struct ms_nats_consumer *find_name(struct ms_nats_receiver *receiver,
                                          const char *name) {
    struct ms_nats_consumer *consumer = receiver->consumers;
    while (consumer && strcmp(consumer->name, name) != 0) {
        consumer = consumer->next;
    }
    return consumer;
}

static void want(struct ms_nats_receiver *receiver, enum ms_subject_kind kind,
                 const char *target, const char *slot) {
    struct ms_nats_consumer names = {0};
    const char *host = receiver->gateway->config->host;
    if (ms_consumer_name(&names, host, kind, target, slot) < 0) {
        ms_nats_say(receiver->notes,
                    "the slot %s cannot be reached: its name is too "
                    "long for a consumer, or none",
                    slot);
        return;
    }
    struct ms_nats_consumer *consumer = find_name(receiver, names.name);
    if (consumer) {
        consumer->is_wanted = true;
    } else {
        add_consumer(receiver, &names, true);
    }
}

/* Journals tell which consumers an earlier life had. */
static void find_old(struct ms_nats_receiver *receiver) {
    DIR *folder = opendir(config_of(receiver)->state);
    const struct dirent *entry = folder ? readdir(folder) : NULL; /* NOLINT */
    while (entry) {
        struct ms_nats_consumer names = {0};
        const char *suffix = strstr(entry->d_name, SUFFIX);
        size_t size = suffix ? (size_t)(suffix - entry->d_name) : 0;
        if (size > 0 && size <= MS_CONSUMER_NAME_MAX && !suffix[sizeof SUFFIX - 1]) {
            memcpy(names.name, entry->d_name, size);
            if (!find_name(receiver, names.name)) {
                add_consumer(receiver, &names, false);
            }
        }
        entry = readdir(folder); /* NOLINT(concurrency-mt-unsafe) */
    }
    if (folder) {
        closedir(folder);
    }
}

void ms_nats_receiver_reload(struct ms_nats_receiver *receiver) {
    const struct ms_config *config = receiver->gateway->config;
    for (struct ms_nats_consumer *one = receiver->consumers; one; one = one->next) {
        one->is_wanted = false;
    }
    for (size_t i = 0; i < config->export_count; i++) {
        const char *slot = config->exports[i].slot;
        want(receiver, MS_SUBJECT_HOST, config->host, slot);
        want(receiver, MS_SUBJECT_DOMAIN, config->domain, slot);
    }
    find_old(receiver);
    if (receiver->connection) {
        settle(receiver);
    }
    for (struct ms_nats_consumer *one = receiver->consumers; one; one = one->next) {
        if (!one->is_wanted || one->state == MS_CONSUMER_OFF) {
            advance(one);
        }
    }
}

/* What the link tells */

void ms_nats_receiver_up(struct ms_nats_receiver *receiver) {
    receiver->connection = ++receiver->last_connection;
    settle(receiver);
    for (struct ms_nats_consumer *one = receiver->consumers; one; one = one->next) {
        advance(one);
    }
}

void ms_nats_receiver_down(struct ms_nats_receiver *receiver) {
    receiver->connection = 0;
    for (struct ms_nats_consumer *one = receiver->consumers; one; one = one->next) {
        advance(one);
    }
}

static bool is_waiting(const struct ms_nats_consumer *consumer) {
    return consumer && (consumer->state == MS_CONSUMER_PULLING ||
                        consumer->state == MS_CONSUMER_HOLDING);
}

/* No message, but why none comes: the request has expired, or the consumer is gone. It
 * comes to where the message should. */
static void take_status(struct ms_nats_receiver *receiver, natsMsg *msg) {
    const char *status = NULL;
    const char *token = strrchr(natsMsg_GetSubject(msg), '.');
    uint64_t number = token ? strtoull(token + 1, NULL, 10) : 0;
    struct ms_nats_consumer *consumer = receiver->consumers;
    while (consumer && consumer->number != number) {
        consumer = consumer->next;
    }
    natsMsgHeader_Get(msg, "Status", &status);
    if (!consumer || consumer->state != MS_CONSUMER_PULLING || !status) {
        return;
    }
    if (strcmp(status, "408") == 0 || strcmp(status, "404") == 0) {
        ms_nats_receiver_next(consumer);
    } else {
        wait_for(consumer, MS_CONSUMER_OFF, AGAIN_MS);
    }
}

/* A message has the subject that it was sent to; who hands it out is in its reply. */
void ms_nats_receiver_message(struct ms_nats_receiver *receiver, natsMsg *msg) {
    jsMsgMetaData *meta = NULL;
    if (natsMsg_GetMetaData(&meta, msg) != NATS_OK) {
        take_status(receiver, msg);
        natsMsg_Destroy(msg);
        return;
    }
    struct ms_nats_consumer *consumer = find_name(receiver, meta->Consumer);
    if (is_waiting(consumer)) {
        let_go(consumer); /* if it was held it is the same one, handed out again */
        consumer->held = msg;
        consumer->place =
            (struct ms_journal_place){meta->Sequence.Stream, meta->Timestamp};
        ms_delivery_start(consumer);
    } else {
        natsMsg_Destroy(msg); /* it will be handed out again */
    }
    jsMsgMetaData_Destroy(meta);
}

void ms_nats_receiver_close(struct ms_nats_receiver *receiver) {
    receiver->is_closing = true;
    struct ms_nats_consumer *consumer = receiver->consumers;
    while (consumer) {
        struct ms_nats_consumer *next = consumer->next;
        if (consumer->state != MS_CONSUMER_PREPARING) {
            remove_consumer(consumer);
        }
        consumer = next;
    }
}
