/* SPDX-License-Identifier: MIT */
/*
 * How long a message takes.
 *
 *   latency    from the call that sends to the return of the call that receives; before
 *              each message the writer waits until the reader sleeps
 *   latency-fd the same, and the reader waits as an event loop does: for a descriptor
 *   roundtrip  there and back, likewise
 *   pingpong   there and back, again at once: both sides are at work all the time
 */
#include "message.h"
#include "samples.h"
#include "scenario.h"

#include <poll.h>
#include <time.h>

/* Long enough for a reader that spins before it sleeps. */
#define PAUSE_NS 1000000

static void rest(void) {
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    nanosleep(&pause, NULL);
}

/* The time of sending takes the place of the filler. */
struct letter {
    struct head head;
    int64_t sent_ns;
};

static void await_descriptor(const struct peer *peer, void *end) {
    struct pollfd pollfd = {.fd = peer->descriptor(end), .events = POLLIN};
    if (poll(&pollfd, 1, -1) != 1) {
        fail("poll");
    }
}

static void read_stamped(const struct job *job, bool is_polling) {
    struct account account = {0};
    struct samples samples;
    samples_init(&samples, job->count);
    struct letter *letter = allocate(job->size);
    void *end = job->peer->create(job->name, job->size, false);
    long slept = count_sleeps();
    barrier();
    while (account.ended < 1) {
        if (is_polling) {
            await_descriptor(job->peer, end);
        }
        size_t size = job->peer->receive(end, letter, job->size);
        int64_t end_ns = now_ns();
        check_message(&account, letter, size, job->size);
        samples_add(&samples, end_ns - letter->sent_ns);
    }
    samples_report(&samples);
    report("reader_sleeps_per_message",
           (double)(count_sleeps() - slept) / (double)account.count);
    barrier();
    job->peer->close_reader(end);
}

static void write_stamped(const struct job *job, int index) {
    (void)index;
    struct letter *letter = allocate(job->size);
    void *end = job->peer->open(job->name, job->size);
    barrier();
    for (uint64_t i = 1; i <= job->count; i++) {
        number_message(letter, job->size,
                       (struct head){.sequence = i, .is_last = i == job->count});
        rest();
        letter->sent_ns = now_ns();
        job->peer->send(end, letter, job->size, true);
    }
    barrier(); /* closing is not to come between */
    job->peer->close_writer(end);
}

static void read_waiting(const struct job *job, int index) {
    (void)index;
    read_stamped(job, false);
}

static void read_polling(const struct job *job, int index) {
    (void)index;
    read_stamped(job, true);
}

static bool has_descriptor(const struct peer *peer) {
    return peer->descriptor != NULL;
}

static void answer(const struct job *job, int index) {
    (void)index;
    struct account account = {0};
    char *message = allocate(job->size);
    void *in = job->peer->create(job->name, job->size, false);
    barrier(); /* now the other has made its channel, too */
    void *out = job->peer->open(job->back, job->size);
    barrier();
    while (account.ended < 1) {
        size_t size = job->peer->receive(in, message, job->size);
        check_message(&account, message, size, job->size);
        job->peer->send(out, message, job->size, true);
    }
    barrier();
    job->peer->close_writer(out);
    job->peer->close_reader(in);
}

static void ask(const struct job *job, bool with_rest) {
    struct account account = {0};
    struct samples samples;
    samples_init(&samples, job->count);
    char *message = allocate(job->size);
    void *out = job->peer->open(job->name, job->size);
    void *in = job->peer->create(job->back, job->size, false);
    barrier();
    barrier();
    for (uint64_t i = 1; i <= job->count; i++) {
        number_message(message, job->size,
                       (struct head){.sequence = i, .is_last = i == job->count});
        if (with_rest) {
            rest();
        }
        int64_t start_ns = now_ns();
        job->peer->send(out, message, job->size, true);
        size_t size = job->peer->receive(in, message, job->size);
        samples_add(&samples, now_ns() - start_ns);
        check_message(&account, message, size, job->size);
    }
    samples_report(&samples);
    barrier();
    job->peer->close_writer(out);
    job->peer->close_reader(in);
}

static void ask_rested(const struct job *job, int index) {
    (void)index;
    ask(job, true);
}

static void ask_at_once(const struct job *job, int index) {
    (void)index;
    ask(job, false);
}

const struct scenario scenario_latency = {
    .name = "latency",
    .about = "one way, to a reader that sleeps",
    .read = read_waiting,
    .write = write_stamped,
};

const struct scenario scenario_latency_fd = {
    .name = "latency-fd",
    .about = "the same to a reader that polls a descriptor",
    .read = read_polling,
    .write = write_stamped,
    .has = has_descriptor,
};

const struct scenario scenario_roundtrip = {
    .name = "roundtrip",
    .about = "there and back, both asleep before",
    .read = answer,
    .write = ask_rested,
};

const struct scenario scenario_pingpong = {
    .name = "pingpong",
    .about = "there and back, both at work",
    .read = answer,
    .write = ask_at_once,
};
