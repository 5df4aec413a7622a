/* SPDX-License-Identifier: MIT */
/*
 * Open, send, close, for each message anew (in one call where there is one), while a
 * reader reads: times a second. With some peers messages of several connections
 * overtake each other, so what is checked is that each came once: by their number and
 * their sum.
 */
#include "message.h"
#include "scenario.h"

static void read_each_once(const struct job *job, int index) {
    (void)index;
    char *buffer = allocate(job->size);
    void *end = job->peer->create(job->name, job->size, false);
    struct head head;
    uint64_t count = 0;
    uint64_t sum = 0;
    uint64_t last = UINT64_MAX;
    barrier();
    while (count < last) {
        size_t size = job->peer->receive(end, buffer, job->size);
        memcpy(&head, buffer, sizeof head);
        count += size == job->size;
        sum += head.sequence;
        last = head.is_last ? head.sequence : last;
    }
    if (sum != last * (last + 1) / 2) {
        fail("messages were lost or doubled");
    }
    report("end", (double)now_ns());
    report("count", (double)count);
    job->peer->close_reader(end);
}

static void send_alone(const struct job *job, const char *message) {
    if (job->peer->send_once) {
        job->peer->send_once(job->name, message, job->size);
        return;
    }
    void *end = job->peer->open(job->name, job->size);
    job->peer->send(end, message, job->size, true);
    job->peer->close_writer(end);
}

static void write_each_anew(const struct job *job, int index) {
    (void)index;
    char *message = allocate(job->size);
    struct head head = {0};
    barrier();
    int64_t start_ns = now_ns();
    while (!head.is_last) {
        head.sequence++;
        head.is_last = now_ns() - start_ns > job->duration_ns;
        number_message(message, job->size, head);
        send_alone(job, message);
    }
    report("start", (double)start_ns);
}

const struct scenario scenario_oneshot = {
    .name = "oneshot",
    .about = "open, send, close",
    .read = read_each_once,
    .write = write_each_anew,
};
