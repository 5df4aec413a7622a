/* SPDX-License-Identifier: MIT */
#include "gateway/nats_consumer.h"

#include "gateway/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ACK_WAIT_NS INT64_C(2000000000) /* then a message is handed out again */

/* How long the server is to keep a request for a message, at first and at most. One
 * that has been killed may have forgotten that a message waits, and looks again when
 * it is asked again. */
#define FIRST_PULL_MS 250
#define LAST_PULL_MS 32000
#define PULL_MORE_MS 5000 /* then it is taken for lost */

/* Capitals other than A to F are in no token, so these keep names apart. */
static const char *const separators[] = {
    [MS_SUBJECT_HOST] = "-U-",
    [MS_SUBJECT_DOMAIN] = "-G-",
};

/* Tokens as they are, and -S- for the dots between them. */
static int append(struct ms_nats_consumer *consumer, const char *text, size_t size) {
    char *name = consumer->name;
    size_t length = strlen(name);
    for (size_t i = 0; i < size; i++) {
        const char *piece = text[i] == '.' ? "-S-" : (char[]){text[i], '\0'};
        if (length + strlen(piece) > MS_CONSUMER_NAME_MAX) {
            return -EINVAL;
        }
        memcpy(name + length, piece, strlen(piece) + 1);
        length += strlen(piece);
    }
    return 0;
}

/* `ms.u.TARGET.HOST.SLOT`, whose parts are tokens, becomes the filter and the name. */
static int name_parts(struct ms_nats_consumer *consumer, const char *subject,
                      enum ms_subject_kind kind) {
    const char *target = subject + sizeof "ms.u." - 1;
    size_t target_size = strcspn(target, ".");
    const char *host = target + target_size + 1;
    size_t host_size = strcspn(host, ".");
    const char *slot = host + host_size + 1;
    snprintf(consumer->filter, sizeof consumer->filter, "%.*s*.%s",
             (int)(host - subject), subject, slot);
    consumer->name[0] = '\0';
    int r = append(consumer, host, host_size);
    if (r == 0) {
        r = append(consumer, separators[kind], strlen(separators[kind]));
    }
    if (r == 0 && kind == MS_SUBJECT_DOMAIN) {
        r = append(consumer, target, target_size + 1);
    }
    return r == 0 ? append(consumer, slot, strlen(slot)) : r;
}

int ms_consumer_name(struct ms_nats_consumer *consumer, const char *host,
                     enum ms_subject_kind kind, const char *target, const char *slot) {
    struct ms_subject subject = {.kind = kind};
    char text[MS_SUBJECT_MAX + 1];
    snprintf(subject.target, sizeof subject.target, "%s", target);
    snprintf(subject.from, sizeof subject.from, "%s", host);
    snprintf(subject.slot, sizeof subject.slot, "%s", slot);
    int r = ms_subject_encode(&subject, text, sizeof text - 1);
    if (r < 0) {
        return r;
    }
    text[r] = '\0';
    snprintf(consumer->slot, sizeof consumer->slot, "%s", slot);
    return name_parts(consumer, text, kind);
}

/* On a thread of the pool */

static natsStatus add(struct ms_nats_consumer *consumer, jsCtx *jetstream,
                      jsConsumerInfo **ret_info) {
    const struct ms_nats_config *config = &consumer->receiver->link->config;
    jsConsumerConfig wanted;
    jsConsumerConfig_Init(&wanted);
    wanted.Durable = consumer->name;
    wanted.FilterSubject = consumer->filter;
    wanted.DeliverPolicy = js_DeliverNew; /* a slot holds what comes after its start */
    wanted.AckPolicy = js_AckExplicit;
    wanted.AckWait = ACK_WAIT_NS;
    wanted.MaxAckPending = 1;
    wanted.InactiveThreshold = (int64_t)(config->keep * 1e9);
    return js_AddConsumer(ret_info, jetstream, config->stream, &wanted, NULL, NULL);
}

/* Whoever may not make one may look whether an administrator has. */
static natsStatus find(struct ms_nats_consumer *consumer, jsCtx *jetstream) {
    const char *stream = consumer->receiver->link->config.stream;
    jsConsumerInfo *info = NULL;
    natsStatus status = add(consumer, jetstream, &info);
    if (status != NATS_OK) {
        snprintf(consumer->text, sizeof consumer->text, "%s", nats_GetLastError(NULL));
        status =
            js_GetConsumerInfo(&info, jetstream, stream, consumer->name, NULL, NULL);
    }
    jsConsumerInfo_Destroy(info);
    return status;
}

static natsStatus remove_it(struct ms_nats_consumer *consumer, jsCtx *jetstream) {
    const char *stream = consumer->receiver->link->config.stream;
    jsErrCode code = 0;
    natsStatus status =
        js_DeleteConsumer(jetstream, stream, consumer->name, NULL, &code);
    bool is_gone = status == NATS_NOT_FOUND || code == JSConsumerNotFoundErr ||
                   code == JSStreamNotFoundErr;
    return is_gone ? NATS_OK : status;
}

static void work(uv_work_t *request) {
    struct ms_nats_consumer *consumer = request->data;
    struct ms_nats_link *link = consumer->receiver->link;
    jsCtx *jetstream = ms_nats_link_borrow(link);
    consumer->status = NATS_CONNECTION_CLOSED;
    if (jetstream) {
        consumer->status = consumer->is_removing ? remove_it(consumer, jetstream)
                                                 : find(consumer, jetstream);
        ms_nats_link_return(link);
    }
    nats_ReleaseThreadMemory();
}

/* The loop */

int ms_consumer_prepare(struct ms_nats_consumer *consumer, uv_after_work_cb done) {
    consumer->work.data = consumer;
    consumer->is_removing = !consumer->is_wanted;
    return uv_queue_work(consumer->receiver->gateway->loop, &consumer->work, work,
                         done);
}

static void post(struct ms_nats_consumer *consumer, const char *subject,
                 const char *reply, const char *text) {
    natsMsg *msg = NULL;
    if (natsMsg_Create(&msg, subject, reply, text, (int)strlen(text)) == NATS_OK) {
        ms_nats_link_post(consumer->receiver->link, msg, 0);
    }
}

void ms_consumer_begin(struct ms_nats_consumer *consumer) {
    consumer->pull_ms = FIRST_PULL_MS;
}

uint64_t ms_consumer_pull(struct ms_nats_consumer *consumer) {
    const struct ms_nats_link *link = consumer->receiver->link;
    char subject[MS_CONFIG_TEXT_MAX + MS_CONSUMER_NAME_MAX + 64];
    char reply[sizeof link->inbox + 32];
    char text[64];
    snprintf(subject, sizeof subject, "$JS.API.CONSUMER.MSG.NEXT.%s.%s",
             link->config.stream, consumer->name);
    snprintf(reply, sizeof reply, "%s.%llu", link->inbox,
             (unsigned long long)consumer->number);
    uint64_t pull_ms = consumer->pull_ms;
    snprintf(text, sizeof text, "{\"batch\":1,\"expires\":%llu}",
             (unsigned long long)pull_ms * 1000000);
    post(consumer, subject, reply, text);
    consumer->pull_ms = pull_ms < LAST_PULL_MS ? 2 * pull_ms : LAST_PULL_MS;
    return pull_ms + PULL_MORE_MS;
}

void ms_consumer_acknowledge(struct ms_nats_consumer *consumer) {
    post(consumer, natsMsg_GetReply(consumer->held), NULL, "+ACK");
}

void ms_consumer_touch(struct ms_nats_consumer *consumer) {
    post(consumer, natsMsg_GetReply(consumer->held), NULL, "+WPI");
}
