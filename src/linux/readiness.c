/* SPDX-License-Identifier: MIT */
/* Readiness: a descriptor that can be read from while there are messages. */
#include "linux/readiness.h"

#include "linux/nap.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/futex.h"
#include "os/memory.h"
#include "os/pipe.h"
#include "os/thread.h"
#include "queue/bell.h"
#include "queue/step.h"

/* A writer that was killed before it pulled the cord leaves the owner asleep: the
 * thread looks again after this long, and then once more. */
#define LOOK_AGAIN_NS INT64_C(1000000000)
#define GRACE_NS INT64_C(10000000)

/* So long the owner waits for a pull that is due, before it does without. */
#define PULL_MS 100

/* MUTE: the descriptor is not readable, and nobody is to make it so. LISTENING: nor is
 * it, but the bell is armed, and who takes it pulls the cord. SET: it is readable. */
enum state { MUTE, LISTENING, SET };

struct ms_readiness {
    struct ms_header *header;
    int fd;   /* the reading end of the pipe */
    int cord; /* the other */
    struct ms_thread thread;
    _Atomic bool is_closing;
    enum state state;       /* only the owner knows it, */
    uint32_t value;         /* with what the bell was armed last, */
    bool is_cleared;        /* and whether there was a pull to clear at once last */
    _Atomic uint32_t round; /* the same for the thread; 0: MUTE */
    uint32_t missed;        /* the thread: in this round a pull was missing */
};

/* The thread, in place of a writer that cannot any more. */
static void pull_for(struct ms_readiness *readiness, uint32_t round, bool is_taken) {
    if (is_taken || ms_bell_take_back(readiness->header, round)) {
        ms_pipe_set(readiness->cord);
    }
}

/* The thread: see to it that the descriptor is as it must be. Who was about to take the
 * bell or to pull gets a moment. Returns when to look again. */
static int64_t look(struct ms_readiness *readiness) {
    uint32_t round = readiness->round;
    bool is_set = ms_pipe_wait(readiness->fd, 0);
    bool is_taken = !ms_bell_has(readiness->header, round);
    bool is_due = is_taken || ms_bell_has_news(readiness->header);
    if (round == 0 || readiness->round != round || is_set || !is_due) {
        return LOOK_AGAIN_NS;
    }
    if (readiness->missed != round) {
        readiness->missed = round;
        return GRACE_NS;
    }
    pull_for(readiness, round, is_taken);
    return LOOK_AGAIN_NS;
}

static void run(void *context) {
    struct ms_readiness *readiness = context;
    _Atomic uint32_t *calls = &readiness->header->calls;
    uint32_t heard = 0;
    int64_t look_ns = 0; /* when to look again */
    for (;;) {
        uint32_t called = atomic_load(calls);
        if (readiness->is_closing) {
            return;
        }
        int64_t now_ns = ms_clock_now_ns();
        if (called != heard) {
            ms_pipe_set(readiness->cord);
        } else if (now_ns >= look_ns) {
            look_ns = now_ns + look(readiness);
        }
        heard = called;
        ms_nap(calls, called, look_ns, LOOK_AGAIN_NS);
    }
}

/* Published by arming the bell. */
static void publish(struct ms_header *header, const struct ms_pipe_name *name) {
    header->cord_fd = name->fd;
    header->cord_device = name->device;
    header->cord_inode = name->inode;
}

static void close_pipe(struct ms_readiness *readiness) {
    ms_bell_disarm(readiness->header);
    ms_file_close(readiness->fd);
    ms_file_close(readiness->cord);
    ms_memory_unmap(readiness, sizeof *readiness);
}

int ms_readiness_open(struct ms_reader *reader, struct ms_readiness **ret_readiness) {
    void *memory;
    int r = ms_memory_allocate(sizeof(struct ms_readiness), &memory);
    if (r < 0) {
        return r;
    }
    struct ms_readiness *readiness = memory;
    struct ms_pipe_name name;
    readiness->header = reader->queue.header;
    readiness->value = MS_BELL_CORD;
    r = ms_pipe_create(&readiness->fd, &readiness->cord, &name);
    if (r < 0) {
        ms_memory_unmap(readiness, sizeof *readiness);
        return r;
    }
    r = ms_thread_start(&readiness->thread, run, readiness);
    if (r < 0) {
        close_pipe(readiness);
        return r;
    }
    publish(readiness->header, &name);
    ms_readiness_settle(readiness, reader, false);
    *ret_readiness = readiness;
    return 0;
}

void ms_readiness_close(struct ms_readiness *readiness) {
    readiness->is_closing = true;
    ms_bell_call(readiness->header);
    ms_futex_wake(&readiness->header->calls, 1);
    ms_thread_join(&readiness->thread);
    close_pipe(readiness);
}

int ms_readiness_descriptor(const struct ms_readiness *readiness) {
    return readiness->fd;
}

static void enter(struct ms_readiness *readiness, enum state state) {
    readiness->state = state;
    readiness->round = state == MUTE ? 0 : readiness->value;
}

static bool take_back(struct ms_readiness *readiness) {
    return ms_bell_take_back(readiness->header, readiness->value);
}

/* Who else has taken the bell is about to pull the cord. */
static bool is_pull_due(struct ms_readiness *readiness) {
    return readiness->state == LISTENING && !take_back(readiness);
}

/* There is a message. */
static void set(struct ms_readiness *readiness) {
    if (!is_pull_due(readiness) || !ms_pipe_wait(readiness->fd, PULL_MS)) {
        ms_pipe_set(readiness->cord);
    }
    enter(readiness, SET);
}

/* A pull that is due is waited for: else it would come later, with nothing to read. */
static void clear(struct ms_readiness *readiness) {
    bool is_due = is_pull_due(readiness);
    readiness->is_cleared = ms_pipe_clear(readiness->fd);
    if (!readiness->is_cleared && is_due) {
        ms_pipe_wait(readiness->fd, PULL_MS);
        ms_pipe_clear(readiness->fd);
    }
    enter(readiness, MUTE);
}

/* There is nothing left: the next message is to pull. */
static void listen(struct ms_readiness *readiness, struct ms_reader *reader) {
    clear(readiness);
    readiness->value += MS_BELL_KIND + 1;
    readiness->header->seen = reader->tail;
    enter(readiness, LISTENING);
    ms_bell_arm(readiness->header, readiness->value);
    MS_STEP("readiness.armed");
    if (ms_reader_has_message(reader)) {
        set(readiness);
    }
}

/* Who was late to pull, because it was stopped or had to wait for a processor, has made
 * the descriptor readable for nothing. To look for that is a system call: a loop that
 * reads until nothing is left is spared it once after each pull that came in time. */
static bool is_pulled_for_nothing(struct ms_readiness *readiness) {
    bool is_spared = readiness->is_cleared;
    readiness->is_cleared = false;
    return !is_spared && ms_pipe_wait(readiness->fd, 0);
}

static bool is_right(struct ms_readiness *readiness, const struct ms_reader *reader,
                     bool has_message, bool is_in_vain) {
    if (has_message) {
        return readiness->state == SET;
    }
    return readiness->state == LISTENING && readiness->header->seen == reader->tail &&
           ms_bell_has(readiness->header, readiness->value) &&
           !(is_in_vain && is_pulled_for_nothing(readiness));
}

void ms_readiness_settle(struct ms_readiness *readiness, struct ms_reader *reader,
                         bool is_in_vain) {
    bool has_message = ms_reader_has_message(reader);
    if (is_right(readiness, reader, has_message, is_in_vain)) {
        return;
    }
    if (has_message) {
        set(readiness);
    } else {
        listen(readiness, reader);
    }
}

void ms_readiness_pause(struct ms_readiness *readiness) {
    if (readiness->state == LISTENING && take_back(readiness)) {
        enter(readiness, MUTE);
    }
}
