/* SPDX-License-Identifier: MIT */
#include "gateway/nats_link.h"

#include "gateway/log.h"
#include "gateway/nats_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_NS UINT64_C(500000000) /* between attempts to connect */
#define FLUSH_MS 1000
#define CALL_MS 2000   /* for an answer of the server's management */
#define ANSWER_MS 5000 /* for the answer to a message */
#define LIBRARY_MS 5000

struct ms_nats_post {
    struct ms_nats_post *next;
    natsMsg *msg;
    uint64_t number;
};

/* Events */

/* Without memory, or when nobody hears it, a message goes: it will be asked for again.
 */
static void tell(struct ms_nats_link *link, const struct ms_nats_event *what) {
    natsMsg *msg = what->msg;
    struct ms_nats_event *event = malloc(sizeof *event);
    uv_mutex_lock(&link->mutex);
    if (event && !link->is_over) {
        *event = *what;
        event->next = NULL;
        *link->last_event = event;
        link->last_event = &event->next;
        uv_async_send(&link->ready);
        event = NULL;
        msg = NULL;
    }
    uv_mutex_unlock(&link->mutex);
    free(event);
    natsMsg_Destroy(msg);
}

static void copy_text(char *target, const char *text) {
    snprintf(target, MS_NATS_TEXT_SIZE, "%s", text && *text ? text : "no reason given");
}

static void tell_text(struct ms_nats_link *link, enum ms_nats_event_kind kind,
                      const char *text) {
    struct ms_nats_event event = {.kind = kind};
    copy_text(event.text, text);
    tell(link, &event);
}

static void tell_failure(struct ms_nats_link *link, uint64_t number,
                         natsStatus status) {
    struct ms_nats_event event = {
        .kind = MS_NATS_ANSWER, .number = number, .status = status};
    copy_text(event.text, natsStatus_GetText(status));
    tell(link, &event);
}

static struct ms_nats_event *take_events(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    struct ms_nats_event *events = link->first_event;
    link->first_event = NULL;
    link->last_event = &link->first_event;
    uv_mutex_unlock(&link->mutex);
    return events;
}

static void on_ready(uv_async_t *ready) {
    struct ms_nats_link *link = ready->data;
    struct ms_nats_event *event = take_events(link);
    while (event) {
        struct ms_nats_event *next = event->next;
        link->hear(link->context, event);
        free(event);
        event = next;
    }
}

/* Nobody hears what is left, or will come. */
static void end_events(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    link->is_over = true;
    uv_mutex_unlock(&link->mutex);
    struct ms_nats_event *event = take_events(link);
    while (event) {
        struct ms_nats_event *next = event->next;
        natsMsg_Destroy(event->msg);
        free(event);
        event = next;
    }
}

/* What libnats calls, on threads of its own. */

static void on_message(natsConnection *connection, natsSubscription *subscription,
                       natsMsg *msg, void *context) {
    (void)connection;
    (void)subscription;
    struct ms_nats_event event = {.kind = MS_NATS_MESSAGE, .msg = msg};
    tell(context, &event);
}

static void on_answer(jsCtx *jetstream, natsMsg *msg, jsPubAck *ack, jsPubAckErr *error,
                      void *context) {
    (void)jetstream;
    struct ms_nats_event event = {.kind = MS_NATS_ANSWER};
    const char *id = NULL;
    if (natsMsgHeader_Get(msg, "Nats-Msg-Id", &id) == NATS_OK && strchr(id, ':')) {
        event.number = strtoull(strchr(id, ':') + 1, NULL, 10);
    }
    if (!ack && error) {
        event.status = error->Err == NATS_OK ? NATS_ERR : error->Err;
        event.code = error->ErrCode;
        copy_text(event.text, error->ErrText);
    }
    natsMsg_Destroy(msg);
    tell(context, &event);
}

static void on_error(natsConnection *connection, natsSubscription *subscription,
                     natsStatus status, void *context) {
    (void)subscription;
    const char *text = NULL;
    natsConnection_GetLastError(connection, &text);
    tell_text(context, MS_NATS_TROUBLE,
              text && *text ? text : natsStatus_GetText(status));
}

static void on_closed(natsConnection *connection, void *context) {
    struct ms_nats_link *link = context;
    uv_mutex_lock(&link->mutex);
    if (connection == link->connection) {
        link->is_lost = true;
        uv_cond_broadcast(&link->changed);
    }
    uv_mutex_unlock(&link->mutex);
}

/* The thread */

static natsStatus make_stream(struct ms_nats_link *link, jsCtx *jetstream) {
    static const char *subjects[] = {"ms.u.>", "ms.g.>"};
    jsStreamConfig stream;
    jsStreamConfig_Init(&stream);
    stream.Name = link->config.stream;
    stream.Subjects = subjects;
    stream.SubjectsLen = 2;
    stream.Retention = js_InterestPolicy; /* gone once all that want it have it */
    stream.Storage = js_FileStorage;
    stream.Discard = js_DiscardNew; /* full: the sender is told, nothing is lost */
    stream.MaxBytes = (int64_t)link->config.stream_bytes;
    stream.MaxMsgSize = MS_NATS_MESSAGE_MAX;
    stream.Duplicates = INT64_C(120000000000);
    stream.Replicas = link->config.replicas;
    return js_AddStream(NULL, jetstream, &stream, NULL, NULL);
}

/* What libnats says in detail may be, behind its place in the source, what the status
 * says. */
static void tell_reason(struct ms_nats_link *link, enum ms_nats_event_kind kind,
                        const char *what, natsStatus status) {
    char text[MS_NATS_TEXT_SIZE];
    const char *meaning = natsStatus_GetText(status);
    const char *reason = nats_GetLastError(NULL);
    bool is_new = reason && *reason && !strstr(reason, meaning);
    snprintf(text, sizeof text, "%s%s%s%s", what, meaning, is_new ? ": " : "",
             is_new ? reason : "");
    tell_text(link, kind, text);
}

/* Whoever may not look or make it relies on an administrator's. */
static void find_stream(struct ms_nats_link *link, jsCtx *jetstream) {
    jsStreamInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus status =
        js_GetStreamInfo(&info, jetstream, link->config.stream, NULL, &code);
    jsStreamInfo_Destroy(info);
    if (status == NATS_NOT_FOUND || code == JSStreamNotFoundErr) {
        status = make_stream(link, jetstream);
    }
    if (status != NATS_OK) {
        char what[MS_NATS_TEXT_SIZE];
        snprintf(what, sizeof what, "the stream %.100s: ", link->config.stream);
        tell_reason(link, MS_NATS_TROUBLE, what, status);
    }
}

static natsStatus open_jetstream(struct ms_nats_link *link, natsConnection *connection,
                                 jsCtx **ret_jetstream) {
    jsOptions options;
    char subject[sizeof link->inbox + 2];
    jsOptions_Init(&options);
    options.Wait = CALL_MS;
    options.PublishAsync.AckHandler = on_answer;
    options.PublishAsync.AckHandlerClosure = link;
    snprintf(subject, sizeof subject, "%s.*", link->inbox);
    natsStatus status = natsConnection_JetStream(ret_jetstream, connection, &options);
    if (status == NATS_OK) {
        status = natsConnection_Subscribe(&link->subscription, connection, subject,
                                          on_message, link);
    }
    return status;
}

/* True: there is a connection, and the loop has been told. */
static bool enter(struct ms_nats_link *link) {
    natsConnection *connection = NULL;
    jsCtx *jetstream = NULL;
    ms_nats_options_next(link->options, link->config.url, &link->server);
    natsStatus status = natsConnection_Connect(&connection, link->options);
    if (status != NATS_OK) {
        tell_reason(link, MS_NATS_DOWN, "", status);
        return false;
    }
    uv_mutex_lock(&link->mutex);
    link->connection = connection;
    link->is_lost = natsConnection_IsClosed(connection);
    uv_mutex_unlock(&link->mutex);
    status = open_jetstream(link, connection, &jetstream);
    if (status == NATS_OK) {
        find_stream(link, jetstream);
    }
    uv_mutex_lock(&link->mutex);
    link->jetstream = jetstream;
    link->is_up = status == NATS_OK;
    uv_mutex_unlock(&link->mutex);
    tell_text(link, status == NATS_OK ? MS_NATS_UP : MS_NATS_DOWN,
              natsStatus_GetText(status));
    return true;
}

/* Nobody waits for a call on it any more when it is gone. */
static void leave(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    natsConnection *connection = link->connection;
    jsCtx *jetstream = link->jetstream;
    link->is_up = false;
    uv_mutex_unlock(&link->mutex);
    natsConnection_Close(connection);
    uv_mutex_lock(&link->mutex);
    while (link->borrowers > 0) {
        uv_cond_wait(&link->changed, &link->mutex);
    }
    link->connection = NULL;
    link->jetstream = NULL;
    uv_mutex_unlock(&link->mutex);
    natsSubscription_Destroy(link->subscription);
    link->subscription = NULL;
    jsCtx_Destroy(jetstream);
    natsConnection_Destroy(connection);
    tell_text(link, MS_NATS_DOWN, "the connection was lost");
}

static void publish(struct ms_nats_link *link, struct ms_nats_post *post) {
    if (post->number == 0) {
        natsConnection_PublishMsg(link->connection, post->msg);
        return;
    }
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MaxWait = ANSWER_MS;
    natsStatus status = js_PublishMsgAsync(link->jetstream, &post->msg, &options);
    if (status != NATS_OK) {
        tell_failure(link, post->number, status);
    }
}

static void free_posts(struct ms_nats_post *post) {
    while (post) {
        struct ms_nats_post *next = post->next;
        natsMsg_Destroy(post->msg);
        free(post);
        post = next;
    }
}

/* Under the mutex. */
static struct ms_nats_post *take_posts(struct ms_nats_link *link) {
    struct ms_nats_post *posts = link->first_post;
    link->first_post = NULL;
    link->last_post = &link->first_post;
    return posts;
}

/* Until the connection is lost, or closed with everything sent. */
static void serve(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    while (link->is_up && !link->is_lost) {
        struct ms_nats_post *posts = take_posts(link);
        if (!posts && link->is_closing) {
            break;
        }
        if (!posts) {
            uv_cond_wait(&link->changed, &link->mutex);
            continue;
        }
        uv_mutex_unlock(&link->mutex);
        for (struct ms_nats_post *post = posts; post; post = post->next) {
            publish(link, post);
        }
        free_posts(posts);
        uv_mutex_lock(&link->mutex);
    }
    bool is_lost = link->is_lost;
    uv_mutex_unlock(&link->mutex);
    if (!is_lost) {
        natsConnection_FlushTimeout(link->connection, FLUSH_MS);
    }
}

/* True: time to try again. */
static bool pause_a_while(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    uint64_t end_ns = uv_hrtime() + PAUSE_NS;
    while (!link->is_closing && uv_hrtime() < end_ns) {
        uv_cond_timedwait(&link->changed, &link->mutex, end_ns - uv_hrtime());
    }
    free_posts(take_posts(link));
    bool is_closing = link->is_closing;
    uv_mutex_unlock(&link->mutex);
    return !is_closing;
}

static void run(void *context) {
    struct ms_nats_link *link = context;
    do {
        if (enter(link)) {
            serve(link);
            leave(link);
        }
    } while (pause_a_while(link));
}

/* The loop */

void ms_nats_link_post(struct ms_nats_link *link, natsMsg *msg, uint64_t number) {
    struct ms_nats_post *post = malloc(sizeof *post);
    uv_mutex_lock(&link->mutex);
    if (post && link->is_up) {
        *post = (struct ms_nats_post){.msg = msg, .number = number};
        *link->last_post = post;
        link->last_post = &post->next;
        msg = NULL;
        post = NULL;
        uv_cond_broadcast(&link->changed);
    }
    uv_mutex_unlock(&link->mutex);
    free(post);
    natsMsg_Destroy(msg);
}

jsCtx *ms_nats_link_borrow(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    jsCtx *jetstream = link->is_up ? link->jetstream : NULL;
    link->borrowers += jetstream != NULL;
    uv_mutex_unlock(&link->mutex);
    return jetstream;
}

void ms_nats_link_return(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    link->borrowers--;
    uv_cond_broadcast(&link->changed);
    uv_mutex_unlock(&link->mutex);
}

static int open_parts(struct ms_nats_link *link, uv_loop_t *loop) {
    int r = uv_mutex_init(&link->mutex);
    if (r == 0) {
        r = uv_cond_init(&link->changed);
    }
    if (r == 0) {
        r = uv_async_init(loop, &link->ready, on_ready);
    }
    return r;
}

int ms_nats_link_open(struct ms_nats_link *link, uv_loop_t *loop,
                      const struct ms_nats_config *config, const char *name,
                      void (*hear)(void *context, struct ms_nats_event *event),
                      void *context) {
    uint64_t random = 0;
    link->config = *config;
    link->hear = hear;
    link->context = context;
    link->last_post = &link->first_post;
    link->last_event = &link->first_event;
    int r = open_parts(link, loop);
    if (r == 0) {
        r = ms_nats_options_make(&link->config, name, &link->options);
    }
    if (r == 0) {
        r = uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    }
    if (r < 0) {
        return r;
    }
    snprintf(link->inbox, sizeof link->inbox, "_INBOX.%s.%016llx", name,
             (unsigned long long)random);
    natsOptions_SetErrorHandler(link->options, on_error, link);
    natsOptions_SetClosedCB(link->options, on_closed, link);
    link->ready.data = link;
    r = uv_thread_create(&link->thread, run, link);
    link->is_running = r == 0;
    return r;
}

void ms_nats_link_close(struct ms_nats_link *link) {
    uv_mutex_lock(&link->mutex);
    link->is_closing = true;
    uv_cond_broadcast(&link->changed);
    uv_mutex_unlock(&link->mutex);
    if (link->is_running) {
        uv_thread_join(&link->thread);
    }
    end_events(link);
    uv_close((uv_handle_t *)&link->ready, NULL);
}

/* What is libnats' goes before it is closed. */
void ms_nats_link_destroy(struct ms_nats_link *link) {
    natsOptions_Destroy(link->options);
    free_posts(link->first_post);
    nats_CloseAndWait(LIBRARY_MS);
    uv_cond_destroy(&link->changed);
    uv_mutex_destroy(&link->mutex);
}
