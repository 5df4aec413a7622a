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
#define IDLE_MS 1000

static bool is_ours(const struct peer *peer) {
    return strcmp(peer->name, "mailslot") == 0;
}

static void check(int r, const char *what) {
    if (r < 0) {
        fail("%s: %s", what, mailslot_error_text(r));
    }
}

/* A queue that holds so many 64-byte messages and as much again. */
static mailslot *create_deep(const struct job *job) {
    mailslot *slot;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = (job->count + PAIRS) * (job->size + 32);
    check(mailslot_create(job->name, &options, &slot), "create");
    return slot;
}

static void send_next(mailslot_writer *writer, char *message, size_t size,
                      uint64_t sequence) {
    number_message(message, size, (struct head){.sequence = sequence});
    check(mailslot_writer_send(writer, message, size, 0), "send");
}

static void measure_depth(const struct job *job, int index) {
    (void)index;
    struct account account = {0};
    char *message = allocate(job->size);
    mailslot *slot = create_deep(job);
    mailslot_writer *writer;
    size_t size;
    check(mailslot_open(job->name, &writer), "open");
    for (uint64_t i = 1; i <= job->count; i++) {
        send_next(writer, message, job->size, i);
    }
    int64_t start_ns = now_ns();
    for (uint64_t i = 1; i <= PAIRS; i++) {
        send_next(writer, message, job->size, job->count + i);
        check(mailslot_read(slot, message, job->size, 0, &size), "read");
        check_message(&account, message, size, job->size);
    }
    report("send_and_read_ns", (double)(now_ns() - start_ns) / PAIRS);
    mailslot_writer_close(writer);
    mailslot_close(slot);
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
