/* SPDX-License-Identifier: MIT */
/*
 * Writers send for a while as fast as they can, a reader reads: messages a second, from
 * the first writer's start until the last message has been read. `batch` is the same
 * with calls that take several messages.
 */
#include "message.h"
#include "scenario.h"

static void read_messages(const struct job *job, int index) {
    (void)index;
    struct account account = {0};
    char *buffer = allocate(job->size);
    void *end = job->peer->create(job->name, job->size, false);
    barrier();
    while (account.ended < job->writers) {
        size_t size = job->peer->receive(end, buffer, job->size);
        check_message(&account, buffer, size, job->size);
    }
    report("end", (double)now_ns());
    report("count", (double)account.count);
    barrier();
    job->peer->close_reader(end);
    report("sleeps", (double)count_sleeps());
}

/* Returns whether the last of all is among them. */
static bool number_messages(const struct job *job, struct head *head, char *messages,
                            size_t count, int64_t end_ns) {
    bool is_over = now_ns() > end_ns;
    for (size_t i = 0; i < count; i++) {
        head->sequence++;
        head->is_last = is_over && i + 1 == count;
        number_message(messages + i * job->size, job->size, *head);
    }
    return is_over;
}

static void send_stride(const struct job *job, void *end, const char *messages,
                        size_t count, bool in_batches) {
    if (in_batches) {
        job->peer->send_batch(end, messages, job->size, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        job->peer->send(end, messages + i * job->size, job->size, true);
    }
}

static void write_some(const struct job *job, int index, bool in_batches) {
    size_t stride = message_stride(job->size);
    char *messages = allocate(stride * job->size);
    void *end = job->peer->open(job->name, job->size);
    barrier();
    int64_t start_ns = now_ns();
    struct head head = {.writer = (uint32_t)index};
    bool is_over = false;
    while (!is_over) {
        is_over =
            number_messages(job, &head, messages, stride, start_ns + job->duration_ns);
        send_stride(job, end, messages, stride, in_batches);
    }
    report("start", (double)start_ns);
    barrier(); /* some lose what is on its way when the writer closes */
    job->peer->close_writer(end);
    report("sleeps", (double)count_sleeps());
}

static void write_messages(const struct job *job, int index) {
    write_some(job, index, false);
}

static void write_batches(const struct job *job, int index) {
    write_some(job, index, true);
}

static void read_batches(const struct job *job, int index) {
    (void)index;
    struct account account = {0};
    size_t stride = message_stride(job->size);
    char *messages = allocate(stride * job->size);
    void *end = job->peer->create(job->name, job->size, false);
    barrier();
    while (account.ended < job->writers) {
        size_t got = job->peer->receive_batch(end, messages, job->size, stride);
        for (size_t i = 0; i < got; i++) {
            check_message(&account, messages + i * job->size, job->size, job->size);
        }
    }
    report("end", (double)now_ns());
    report("count", (double)account.count);
    barrier();
    job->peer->close_reader(end);
}

static bool has_batches(const struct peer *peer) {
    return peer->send_batch && peer->receive_batch;
}

const struct scenario scenario_throughput = {
    .name = "throughput",
    .about = "messages a second",
    .read = read_messages,
    .write = write_messages,
};

const struct scenario scenario_writers = {
    .name = "writers",
    .about = "messages a second of 1 to 64 writers",
    .read = read_messages,
    .write = write_messages,
};

const struct scenario scenario_batch = {
    .name = "batch",
    .about = "the same with calls that take several messages",
    .read = read_batches,
    .write = write_batches,
    .has = has_batches,
};
