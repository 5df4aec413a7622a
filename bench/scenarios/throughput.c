/* SPDX-License-Identifier: MIT */
/*
 * Writers send for a while as fast as they can, a reader reads: messages a second, from
 * the first writer's start until the last message has been read.
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
    job->peer->close_reader(end);
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

static void write_messages(const struct job *job, int index) {
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
        for (size_t i = 0; i < stride; i++) {
            job->peer->send(end, messages + i * job->size, job->size, true);
        }
    }
    report("start", (double)start_ns);
    job->peer->close_writer(end);
}

const struct scenario scenario_throughput = {
    .name = "throughput",
    .about = "messages a second from writers to a reader",
    .read = read_messages,
    .write = write_messages,
};
