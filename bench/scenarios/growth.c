/* SPDX-License-Identifier: MIT */
/* How costs grow, of what can grow: that is, ours. And what an idle owner costs. */
#include "message.h"
#include "scenario.h"

#include <mailslot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Of a send and a read: enough that the queue comes through tens of megabytes, whatever
 * its depth; and of an open and a close. */
#define PAIRS 500000
#define OPENS 2000

/* In a turn of one queue; and the depth of the one that others are compared with. */
#define TURN_PAIRS 5000
#define FLAT_DEPTH 10

#define IDLE_MS 1000

static bool is_ours(const struct peer *peer) {
    return strcmp(peer->name, "mailslot") == 0;
}

static void check(int r, const char *what) {
    if (r < 0) {
        fail("%s: %s", what, mailslot_error_text(r));
    }
}

/* Of a process that both sends and reads, so that it always holds as many. */
struct queue {
    mailslot *slot;
    mailslot_writer *writer;
    struct account account;
    uint64_t sent;
    int64_t spent_ns;
};

static void send_next(struct queue *queue, char *message, size_t size) {
    number_message(message, size, (struct head){.sequence = ++queue->sent});
    check(mailslot_writer_send(queue->writer, message, size, 0), "send");
}

static void open_queue(struct queue *queue, const char *name, uint64_t depth,
                       char *message, size_t size) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = (depth + PAIRS) * (size + 32);
    *queue = (struct queue){0};
    check(mailslot_create(name, &options, &queue->slot), "create");
    check(mailslot_open(name, &queue->writer), "open");
    while (queue->sent < depth) {
        send_next(queue, message, size);
    }
}

static void pass_some(struct queue *queue, char *message, size_t expected) {
    int64_t start_ns = now_ns();
    for (int i = 0; i < TURN_PAIRS; i++) {
        size_t size;
        send_next(queue, message, expected);
        check(mailslot_read(queue->slot, message, expected, 0, &size), "read");
        check_message(&queue->account, message, size, expected);
    }
    queue->spent_ns += now_ns() - start_ns;
}

static void close_queue(struct queue *queue) {
    mailslot_writer_close(queue->writer);
    mailslot_close(queue->slot);
}

/* In turns with one that is not deep, so that a machine that is slower for a while is
 * so for both. */
static void measure_depth(const struct job *job, int index) {
    (void)index;
    char *message = allocate(job->size);
    struct queue deep;
    struct queue flat;
    open_queue(&flat, job->back, FLAT_DEPTH, message, job->size);
    open_queue(&deep, job->name, job->count, message, job->size);
    for (int i = 0; i < PAIRS / TURN_PAIRS; i++) {
        pass_some(&flat, message, job->size);
        pass_some(&deep, message, job->size);
    }
    report("send_and_read_ns", (double)deep.spent_ns / PAIRS);
    report("of_10_queued", (double)deep.spent_ns / (double)flat.spent_ns);
    close_queue(&deep);
    close_queue(&flat);
}

/* Many slots, and what it costs to open one of them. */
static void measure_registry(const struct job *job, int index) {
    (void)index;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    mailslot **slots = allocate(job->count * sizeof *slots);
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = 4096;
    char name[100];
    for (uint64_t i = 0; i < job->count; i++) {
        snprintf(name, sizeof name, "%s-%llu", job->name, (unsigned long long)i);
        check(mailslot_create(name, &options, &slots[i]), "create");
    }
    int64_t start_ns = now_ns();
    for (int i = 0; i < OPENS; i++) {
        mailslot_writer *writer;
        check(mailslot_open(name, &writer), "open");
        mailslot_writer_close(writer);
    }
    report("open_and_close_ns", (double)(now_ns() - start_ns) / OPENS);
    for (uint64_t i = 0; i < job->count; i++) {
        mailslot_close(slots[i]);
    }
    free(slots);
}

static int64_t cpu_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000000) +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000);
}

static void measure_idle(const struct job *job, int index) {
    (void)index;
    mailslot *slot;
    check(mailslot_create(job->name, NULL, &slot), "create");
    int64_t start_ns = cpu_ns();
    mailslot_wait(slot, IDLE_MS);
    report("cpu_ns_per_s", (double)(cpu_ns() - start_ns) * 1000 / IDLE_MS);
    mailslot_close(slot);
}

const struct scenario scenario_depth = {
    .name = "depth",
    .about = "a send and a read of a queue that is so deep",
    .read = measure_depth,
    .is_long = true,
    .has = is_ours,
};

const struct scenario scenario_registry = {
    .name = "registry",
    .about = "an open and a close among so many slots",
    .read = measure_registry,
    .is_long = true,
    .has = is_ours,
};

const struct scenario scenario_idle = {
    .name = "idle",
    .about = "the processor time of an owner that waits",
    .read = measure_idle,
    .has = is_ours,
};
