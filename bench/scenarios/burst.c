/* SPDX-License-Identifier: MIT */
/*
 * A writer sends while nobody reads, to a channel as it is by default, until no more
 * fits or `count` messages are there; then the reader reads them. The memory is what
 * the machine uses more, so it says something only of many messages.
 */
#include "message.h"
#include "scenario.h"

#include <stdio.h>

/* From here on the machine's other doings do not matter. */
#define MEANINGFUL 100000

/* What shared memory, the kernel's objects and the processes themselves take. */
static double used_bytes(void) {
    static const char *const kinds[] = {"Shmem:", "SUnreclaim:", "AnonPages:"};
    char kind[40];
    double kib;
    double sum = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    expect(file != NULL, "/proc/meminfo");
    while (fscanf(file, "%39s %lf%*[^\n]", kind, &kib) == 2) { // NOLINT(cert-err34-c)
        for (int i = 0; i < 3; i++) {
            sum += strcmp(kind, kinds[i]) == 0 ? kib : 0;
        }
    }
    fclose(file);
    return sum * 1024;
}

static void drain(const struct job *job, int index) {
    (void)index;
    struct account account = {0};
    char *buffer = allocate(job->size);
    double used_before = used_bytes();
    void *end = job->peer->create(job->name, job->size, true);
    barrier();
    barrier(); /* now it is full */
    uint64_t count = *job->shared;
    if (count >= MEANINGFUL) {
        report("bytes_per_message", (used_bytes() - used_before) / (double)count);
    }
    int64_t start_ns = now_ns();
    while (account.count < count) {
        size_t size = job->peer->receive(end, buffer, job->size);
        check_message(&account, buffer, size, job->size);
    }
    report("drain_per_s", (double)count * 1e9 / (double)(now_ns() - start_ns));
    barrier();
    job->peer->close_reader(end);
}

static void fill(const struct job *job, int index) {
    (void)index;
    char *message = allocate(job->size);
    void *end = job->peer->open(job->name, job->size);
    uint64_t count = 0;
    barrier();
    int64_t start_ns = now_ns();
    while (count < job->count) {
        number_message(message, job->size, (struct head){.sequence = count + 1});
        if (!job->peer->send(end, message, job->size, false)) {
            break;
        }
        count++;
    }
    report("fill_per_s", (double)count * 1e9 / (double)(now_ns() - start_ns));
    report("fit", (double)count);
    *job->shared = count;
    barrier();
    barrier(); /* some lose what is queued when the writer closes */
    job->peer->close_writer(end);
}

const struct scenario scenario_burst = {
    .name = "burst",
    .about = "how much fits with nobody reading, by default, and its drain",
    .read = drain,
    .write = fill,
};
