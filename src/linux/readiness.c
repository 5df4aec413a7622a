/* SPDX-License-Identifier: MIT */
/* Readiness: a descriptor that can be read from while there are messages. */
#include "linux/readiness.h"

#include "linux/nap.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/futex.h"
#include "os/memory.h"
#include "os/poll.h"
#include "os/thread.h"
#include "queue/bell.h"
#include "queue/record.h"

/* A writer that was killed between publishing and ringing leaves the thread asleep: it
 * looks again after this long. */
#define LOOK_AGAIN_NS INT64_C(1000000000)

/* Readable or not. SETTING: the thread is about to make it so, without the mutex: the
 * owner that it wakes must not have to wait for it. */
enum state { CLEAR, SETTING, SET };

#define SETTING_MS 10

struct ms_readiness {
    struct ms_header *header;
    int fd;
    struct ms_thread thread;
    _Atomic bool is_closing;
    _Atomic uint32_t is_paused; /* also what the thread sleeps on meanwhile */

    struct ms_mutex mutex;  /* of what follows, is_paused, and arming the bell */
    _Atomic uint32_t state; /* of the descriptor; only the owner makes it CLEAR */
    uint64_t seen; /* where the tail was when the owner had nothing left; only it
                      changes this */
};

/* Below, "holding it" is holding the mutex. */

/* The owner, holding it. */
static void set(struct ms_readiness *readiness) {
    if (readiness->state == CLEAR) {
        readiness->state = SET;
        ms_event_set(readiness->fd);
    }
}

/* The owner, holding it. What the thread has begun to set will be set: else it would be
 * so later, with nothing to read. */
static void clear(struct ms_readiness *readiness) {
    if (readiness->state == CLEAR) {
        return;
    }
    while (!ms_event_clear(readiness->fd) && readiness->state == SETTING) {
        ms_event_wait(readiness->fd, SETTING_MS);
    }
    readiness->state = CLEAR;
}

static bool is_there_more(const struct ms_readiness *readiness) {
    return ms_position(atomic_load(&readiness->header->tail)) != readiness->seen;
}

/* The thread: whether it has to set the descriptor. The bell that it finds rung may be
 * armed no more although there was nothing: mailslot_cancel rings it, too. But never
 * for an owner that sleeps on it. */
static bool look(struct ms_readiness *readiness) {
    bool has_more = false;
    ms_mutex_lock(&readiness->mutex);
    if (!readiness->is_paused && readiness->state == CLEAR) {
        if (!is_there_more(readiness)) {
            ms_bell_arm(readiness->header);
        }
        has_more = is_there_more(readiness);
        readiness->state = has_more ? SETTING : CLEAR;
    }
    ms_mutex_unlock(&readiness->mutex);
    return has_more;
}

static void finish_setting(struct ms_readiness *readiness) {
    uint32_t state = SETTING;
    ms_event_set(readiness->fd);
    /* The owner may have cleared it already. */
    atomic_compare_exchange_strong(&readiness->state, &state, SET);
}

/* The ring that woke the thread may have been meant for the owner, if the thread came
 * to the bell just before it. */
static void stand_aside(struct ms_readiness *readiness) {
    ms_futex_wake(&readiness->header->bell, 1);
    ms_nap(&readiness->is_paused, 1, MS_NEVER, LOOK_AGAIN_NS);
}

static void run(void *context) {
    struct ms_readiness *readiness = context;
    for (;;) {
        uint32_t bell = ms_bell_hear(readiness->header);
        if (look(readiness)) {
            finish_setting(readiness);
        }
        if (readiness->is_closing) {
            return;
        }
        if (readiness->is_paused) {
            stand_aside(readiness);
        } else {
            ms_nap(&readiness->header->bell, bell, MS_NEVER, LOOK_AGAIN_NS);
        }
    }
}

int ms_readiness_open(struct ms_reader *reader, struct ms_readiness **ret_readiness) {
    void *memory;
    int r = ms_memory_allocate(sizeof(struct ms_readiness), &memory);
    if (r < 0) {
        return r;
    }
    struct ms_readiness *readiness = memory;
    readiness->header = reader->queue.header;
    r = ms_event_create(&readiness->fd);
    if (r < 0) {
        ms_memory_unmap(readiness, sizeof *readiness);
        return r;
    }
    ms_readiness_settle(readiness, reader);
    r = ms_thread_start(&readiness->thread, run, readiness);
    if (r < 0) {
        ms_bell_disarm(readiness->header);
        ms_file_close(readiness->fd);
        ms_memory_unmap(readiness, sizeof *readiness);
        return r;
    }
    *ret_readiness = readiness;
    return 0;
}

void ms_readiness_close(struct ms_readiness *readiness) {
    /* The thread hears the bell before it looks whether to end; 0 is no value on which
     * it sleeps. */
    readiness->is_closing = true;
    ms_bell_silence(readiness->header);
    ms_futex_wake(&readiness->header->bell, 1);
    ms_thread_join(&readiness->thread);
    ms_bell_disarm(readiness->header);
    ms_file_close(readiness->fd);
    ms_memory_unmap(readiness, sizeof *readiness);
}

int ms_readiness_descriptor(const struct ms_readiness *readiness) {
    return readiness->fd;
}

/* Holding it, with nothing left: the next message is to ring. */
static void listen(struct ms_readiness *readiness, struct ms_reader *reader) {
    clear(readiness);
    readiness->seen = reader->tail;
    ms_bell_arm(readiness->header);
    if (ms_reader_has_message(reader)) {
        set(readiness);
    }
}

/* Relaxed: only the owner clears it; and when the thread has just set it, there is
 * a message, so it is as it should be. */
static bool is_right(const struct ms_readiness *readiness,
                     const struct ms_reader *reader, bool has_message) {
    bool is_clear =
        atomic_load_explicit(&readiness->state, memory_order_relaxed) == CLEAR;
    return has_message ? !is_clear
                       : is_clear && readiness->seen == reader->tail &&
                             ms_bell_is_armed(readiness->header);
}

void ms_readiness_settle(struct ms_readiness *readiness, struct ms_reader *reader) {
    bool has_message = ms_reader_has_message(reader);
    if (is_right(readiness, reader, has_message)) {
        return;
    }
    ms_mutex_lock(&readiness->mutex);
    if (has_message) {
        set(readiness);
    } else {
        listen(readiness, reader);
    }
    ms_mutex_unlock(&readiness->mutex);
}

static void set_paused(struct ms_readiness *readiness, uint32_t is_paused) {
    ms_mutex_lock(&readiness->mutex);
    readiness->is_paused = is_paused;
    ms_mutex_unlock(&readiness->mutex);
}

void ms_readiness_pause(struct ms_readiness *readiness) {
    set_paused(readiness, 1);
    ms_futex_move(&readiness->header->bell, &readiness->is_paused);
}

void ms_readiness_resume(struct ms_readiness *readiness) {
    set_paused(readiness, 0);
    ms_futex_move(&readiness->is_paused, &readiness->header->bell);
}
