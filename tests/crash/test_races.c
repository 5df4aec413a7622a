/* SPDX-License-Identifier: MIT */
/* A close against sends, readers that share a handle, and signals against every wait.
 */
#include "note.h"
#include "steps.h"
#include "users.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define SLOT "jobs"
#define WRITERS 4
#define SIZE 100

/* A close against sends. */
struct closing {
    _Atomic uint32_t is_closed; /* the close of this round has returned */
    _Atomic uint32_t has_ended;
    _Atomic uint32_t accepted; /* in this round */
    _Atomic uint32_t running;
    _Atomic uint32_t refused;
};

static void send_until_refused(void *context) {
    struct closing *closing = context;
    mailslot_writer *writer;
    bool was_closed = false;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    closing->running++;
    for (;;) {
        was_closed = closing->is_closed;
        int r = mailslot_writer_send(writer, "x", 1, 0);
        if (r < 0) {
            REQUIRE(r == -EPIPE);
            break;
        }
        REQUIRE(!was_closed);
        closing->accepted++;
    }
    REQUIRE(mailslot_writer_send(writer, "x", 1, DEADLINE_MS) == -EPIPE);
    closing->refused++;
    mailslot_writer_close(writer);
}

static uint32_t read_for_us(mailslot *slot, uint32_t time_us) {
    uint32_t count = 0;
    mailslot_message message;
    nap_us(time_us);
    while (count < 1000 && mailslot_peek(slot, 0, &message) == 0) {
        HOLDS(message.sequence == ++count && message.size == 1);
    }
    HOLDS(mailslot_consume(slot) == 0);
    return count;
}

START_TEST(nothing_is_accepted_after_a_close) {
    struct closing *closing = share(sizeof *closing);
    uint64_t random = 1;
    uint32_t rounds = few_or_many(30, 1000);
    for (uint32_t i = 0; i < rounds; i++) {
        pid_t writers[WRITERS];
        memset(closing, 0, sizeof *closing);
        mailslot *slot = create_at_once(SLOT, 0);
        for (int j = 0; j < WRITERS; j++) {
            writers[j] = child_start(send_until_refused, closing);
        }
        ck_assert(await_value(&closing->running, WRITERS));
        uint32_t count = read_for_us(slot, next_random(&random) % 3000);
        mailslot_close(slot);
        closing->is_closed = 1;
        for (int j = 0; j < WRITERS; j++) {
            child_finish(writers[j]);
        }
        ck_assert_uint_eq(closing->refused, WRITERS);
        ck_assert_uint_ge(closing->accepted, count);
        ck_assert_int_eq(registry_files(), 0);
    }
}
END_TEST

/* Readers that share a handle: one at a time. */
#define READERS 3
#define NOTES 20000

static struct {
    pthread_mutex_t mutex;
    mailslot *slot;
    uint32_t next;
    uint32_t taken[READERS];
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *take_turns(void *context) {
    uint32_t *taken = context;
    bool is_over = false;
    while (!is_over) {
        mailslot_message message;
        struct note note;
        pthread_mutex_lock(&shared.mutex);
        int r = mailslot_peek(shared.slot, 1, &message);
        if (r == 0) {
            HOLDS(note_read(message.data, message.size, &note));
            HOLDS(note.index == shared.next++);
            HOLDS(mailslot_consume(shared.slot) == 0);
            ++*taken;
        }
        is_over = shared.next == NOTES;
        pthread_mutex_unlock(&shared.mutex);
    }
    return NULL;
}

static void send_notes(void *context) {
    (void)context;
    static _Alignas(8) unsigned char buffer[SIZE + 8];
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < NOTES; i++) {
        note_write(buffer, 0, i, SIZE);
        REQUIRE(mailslot_writer_send(writer, buffer, SIZE, DEADLINE_MS) == 0);
    }
    mailslot_writer_close(writer);
}

START_TEST(threads_that_hand_a_slot_on_read_each_message_once) {
    pthread_t readers[READERS];
    shared.slot = create_at_once(SLOT, 65536);
    pid_t writer = child_start(send_notes, NULL);
    for (int i = 0; i < READERS; i++) {
        pthread_create(&readers[i], NULL, take_turns, &shared.taken[i]);
    }
    uint32_t taken = 0;
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
        taken += shared.taken[i];
    }
    child_finish(writer);
    ck_assert_uint_eq(taken, NOTES);
    mailslot_close(shared.slot);
}
END_TEST

/* Signals: a handler runs while a call waits. */
static void handle(int number) {
    (void)number;
}

enum wait { READ, PEEK, WAIT, SEND, SEND_ALL, TURN, OTHER_USER, WAITS };

struct waiting {
    enum wait wait;
    int flags;
    _Atomic uint32_t ready;
};

static void fill(mailslot_writer *writer) {
    static const unsigned char data[1000];
    int r = 0;
    while (r == 0 || r == -EINTR) { /* another user's send may wait for the thread */
        r = mailslot_writer_send(writer, data, sizeof data, 0);
    }
    REQUIRE(r == -EAGAIN);
}

static int wait_as_owner(const struct waiting *waiting) {
    mailslot *slot = create_at_once("mine", 0);
    mailslot_message message;
    char byte;
    size_t size;
    int r = waiting->wait == READ   ? mailslot_read(slot, &byte, 1, DEADLINE_MS, &size)
            : waiting->wait == PEEK ? mailslot_peek(slot, DEADLINE_MS, &message)
                                    : mailslot_wait(slot, DEADLINE_MS);
    mailslot_close(slot);
    return r;
}

static int wait_as_writer(const struct waiting *waiting) {
    mailslot_writer *writer;
    mailslot_buffer messages[2] = {{"one", 3}, {"two", 3}};
    static const unsigned char data[1000];
    size_t sent = 7;
    if (waiting->wait == OTHER_USER) {
        become(USER_A);
    }
    int r = -EINTR;
    while (r == -EINTR) { /* another user's open waits for the thread */
        r = mailslot_open(SLOT, &writer);
    }
    REQUIRE(r == 0);
    if (waiting->wait != TURN) {
        fill(writer);
        messages[0] = messages[1] = (mailslot_buffer){data, sizeof data};
    }
    r = waiting->wait == SEND_ALL
            ? mailslot_writer_send_all(writer, messages, 2, DEADLINE_MS, &sent)
            : mailslot_writer_send(writer, data, sizeof data, DEADLINE_MS);
    REQUIRE(waiting->wait != SEND_ALL || sent == 0);
    mailslot_writer_close(writer);
    return r;
}

static void wait_for_signal(void *context) {
    struct waiting *waiting = context;
    struct sigaction action = {.sa_handler = handle, .sa_flags = waiting->flags};
    REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
    waiting->ready = 1;
    int r = waiting->wait <= WAIT ? wait_as_owner(waiting) : wait_as_writer(waiting);
    REQUIRE(r == -EINTR);
}

/* A signal in the instant before the call sleeps is noticed by the next one: so there
 * are several, until the call has returned. */
static void signal_until_ended(pid_t pid) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    while (!child_has_ended(pid)) {
        ck_assert_int_lt(now_ms(), deadline_ms);
        kill(pid, SIGUSR1);
        nap_us(20000);
    }
}

static void stop_in_turn(void *context) {
    (void)context;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    steps_stop_at("turn.begun");
    REQUIRE(mailslot_writer_send(writer, "x", 1, 0) == 0);
    mailslot_writer_close(writer);
}

static void interrupt(enum wait wait, int flags) {
    struct waiting *waiting = share(sizeof *waiting);
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    pid_t stopped = 0;
    options.max_bytes = 65536;
    options.mode = wait == OTHER_USER ? 0622 : 0600;
    ck_assert_int_eq(mailslot_create(SLOT, &options, &slot), 0);
    if (wait == TURN) {
        stopped = child_start(stop_in_turn, NULL);
        child_await_stop(stopped);
    }
    *waiting = (struct waiting){.wait = wait, .flags = flags};
    pid_t pid = child_start(wait_for_signal, waiting);
    ck_assert(await_value(&waiting->ready, 1));
    signal_until_ended(pid);
    child_finish(pid);
    if (stopped) {
        kill(stopped, SIGCONT);
        child_finish(stopped);
    }
    mailslot_close(slot);
}

START_TEST(a_handler_ends_every_wait_whatever_its_flags) {
    if (_i == OTHER_USER && !can_become_others()) {
        return;
    }
    interrupt((enum wait)_i, 0);
    interrupt((enum wait)_i, SA_RESTART);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("races");
    tcase_add_test(cases, nothing_is_accepted_after_a_close);
    tcase_add_test(cases, threads_that_hand_a_slot_on_read_each_message_once);
    tcase_add_loop_test(cases, a_handler_ends_every_wait_whatever_its_flags, 0, WAITS);
    return suite_run();
}
