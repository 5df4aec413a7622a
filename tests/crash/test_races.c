/* SPDX-License-Identifier: MIT */
/* A close against sends, readers that share a handle, and signals against every wait.
 */
#include "note.h"
#include "queue/step.h"
#include "steps.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

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

enum wait {
    READ,
    PEEK,
    WAIT,
    SEND,
    SEND_ALL,
    TURN,
    OTHER_USER,
    OTHER_USERS_BATCH,
    WAITS
};

static bool is_of_other_user(enum wait wait) {
    return wait == OTHER_USER || wait == OTHER_USERS_BATCH;
}

struct waiting {
    enum wait wait;
    int flags;
    _Atomic uint32_t ready;
    _Atomic uint32_t accepted; /* messages that are in the slot, or on their way */
};

static void fill(mailslot_writer *writer, struct waiting *waiting) {
    static const unsigned char data[1000];
    int r = 0;
    while (r == 0 || r == -EINTR) { /* another user's send may wait for the thread */
        r = mailslot_writer_send(writer, data, sizeof data, 0);
        waiting->accepted += r == 0;
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

static int wait_as_writer(struct waiting *waiting) {
    mailslot_writer *writer;
    mailslot_buffer messages[2] = {{"one", 3}, {"two", 3}};
    static const unsigned char data[1000];
    size_t sent = 7;
    bool is_batch = waiting->wait == SEND_ALL || waiting->wait == OTHER_USERS_BATCH;
    if (is_of_other_user(waiting->wait)) {
        become(USER_A);
    }
    int r = -EINTR;
    while (r == -EINTR) { /* another user's open waits for the thread */
        r = mailslot_open(SLOT, &writer);
    }
    REQUIRE(r == 0);
    if (waiting->wait != TURN) {
        fill(writer, waiting);
        messages[0] = messages[1] = (mailslot_buffer){data, sizeof data};
    }
    r = is_batch ? mailslot_writer_send_all(writer, messages, 2, DEADLINE_MS, &sent)
                 : mailslot_writer_send(writer, data, sizeof data, DEADLINE_MS);
    REQUIRE(!is_batch || sent == 0);
    mailslot_writer_close(writer);
    return r;
}

static void handle_signals(struct waiting *waiting) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = waiting->flags};
    REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
    waiting->ready = 1;
}

static void wait_for_signal(void *context) {
    struct waiting *waiting = context;
    handle_signals(waiting);
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

/* What was accepted comes out, and nothing else. */
static void expect_messages(mailslot *slot, uint32_t count) {
    mailslot_message message;
    for (uint32_t i = 1; i <= count; i++) {
        ck_assert_int_eq(mailslot_peek(slot, DEADLINE_MS, &message), 0);
        HOLDS(message.sequence == i);
        ck_assert_int_eq(mailslot_consume(slot), 0);
    }
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
}

static mailslot_writer *sender;

static void send_when_cancelled(const char *name) {
    if (strcmp(name, "wait.cancelled") == 0) {
        HOLDS(mailslot_writer_send(sender, "x", 1, 0) == 0);
    }
}

START_TEST(a_message_that_comes_meanwhile_swallows_no_cancel) {
    mailslot *slot = create_at_once(SLOT, 0);
    sender = open_writer(SLOT);
    ms_step_hook = send_when_cancelled;
    ck_assert_int_eq(mailslot_cancel(slot), 0);
    ck_assert_int_eq(mailslot_wait(slot, MAILSLOT_FOREVER), -ECANCELED);
    ms_step_hook = NULL;
    expect_messages(slot, 1);
    mailslot_writer_close(sender);
    mailslot_close(slot);
}
END_TEST

/* A word that is not as it was armed: a writer that found the owner asleep wakes it. */
static void overwrite_bell_and_send(void *context) {
    _Atomic uint32_t *is_asleep = context;
    const uint32_t silent = 0;
    char path[256];
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    REQUIRE(await_value(is_asleep, 1));
    registry_path(SLOT, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    REQUIRE(pwrite(fd, &silent, sizeof silent, offsetof(struct ms_header, bell)) ==
            sizeof silent);
    close(fd);
    REQUIRE(mailslot_writer_send(writer, "x", 1, 0) == 0);
    mailslot_writer_close(writer);
}

START_TEST(an_owner_whose_bell_was_overwritten_is_woken) {
    _Atomic uint32_t *is_asleep = share(sizeof *is_asleep);
    mailslot *slot = create_at_once(SLOT, 0);
    pid_t pid = child_start(overwrite_bell_and_send, (void *)is_asleep);
    steps_signal_at("wait.armed", is_asleep);
    ck_assert_int_eq(mailslot_wait(slot, MAILSLOT_FOREVER), 0);
    steps_end();
    child_finish(pid);
    expect_messages(slot, 1);
    mailslot_close(slot);
}
END_TEST

static void interrupt(enum wait wait, int flags) {
    struct waiting *waiting = share(sizeof *waiting);
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    pid_t stopped = 0;
    options.max_bytes = 65536;
    options.mode = is_of_other_user(wait) ? 0622 : 0600;
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
        waiting->accepted++;
    }
    expect_messages(slot, waiting->accepted);
    mailslot_close(slot);
}

START_TEST(a_handler_ends_every_wait_whatever_its_flags) {
    if (is_of_other_user((enum wait)_i) && !can_become_others()) {
        return;
    }
    interrupt((enum wait)_i, 0);
    interrupt((enum wait)_i, SA_RESTART);
}
END_TEST

/* The owner of a slot for others is stopped: who opens it waits for its thread. */
static void own_and_stop(void *context) {
    (void)context;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot;
    options.mode = 0622;
    REQUIRE(mailslot_create(SLOT, &options, &slot) == 0);
    raise(SIGSTOP);
    REQUIRE(mailslot_wait(slot, 0) == -EAGAIN);
    mailslot_close(slot);
}

static void open_of_stopped(void *context) {
    mailslot_writer *writer = NULL;
    become(USER_A);
    handle_signals(context);
    REQUIRE(mailslot_open(SLOT, &writer) == -EINTR && writer == NULL);
}

static void send_to_stopped(void *context) {
    become(USER_A);
    handle_signals(context);
    REQUIRE(mailslot_send(SLOT, "x", 1, DEADLINE_MS) == -EINTR);
}

static void run_under_signals(child_main *run, int flags) {
    struct waiting *waiting = share(sizeof *waiting);
    waiting->flags = flags;
    pid_t pid = child_start(run, waiting);
    ck_assert(await_value(&waiting->ready, 1));
    signal_until_ended(pid);
    child_finish(pid);
}

static const int both_flags[] = {0, SA_RESTART};

START_TEST(a_handler_ends_the_wait_for_a_stopped_owner) {
    static child_main *const runs[] = {open_of_stopped, send_to_stopped};
    if (!can_become_others()) {
        return;
    }
    pid_t owner = child_start(own_and_stop, NULL);
    child_await_stop(owner);
    for (size_t i = 0; i < COUNT(runs) * COUNT(both_flags); i++) {
        run_under_signals(runs[i / 2], both_flags[i % 2]);
    }
    kill(owner, SIGCONT);
    child_finish(owner);
}
END_TEST

/* Calls that wait a second at most go on with it, however many signals come. */
#define SECOND_MAX_MS 3000

static void close_behind_stopped_writer(void *context) {
    mailslot *slot = create_at_once(SLOT, 0);
    mailslot_info info = MAILSLOT_INFO_INIT;
    pid_t stopped = child_start(stop_in_turn, NULL);
    child_await_stop(stopped);
    handle_signals(context);
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_get_info(slot, &info) == 0 && info.count == 0);
    mailslot_close(slot);
    signal(SIGUSR1, SIG_IGN);
    REQUIRE(now_ms() - begin_ms >= AT_ONCE_MS);
    REQUIRE(now_ms() - begin_ms <= SECOND_MAX_MS);
    REQUIRE(registry_files() == 0);
    child_kill(stopped);
}

static void stop_and_sweep(void *context) {
    (void)context;
    mailslot_writer *writer;
    steps_stop_at("remove.locked");
    REQUIRE(mailslot_open(SLOT, &writer) == -ENOENT);
}

static void create_behind_stopped_remover(void *context) {
    mailslot *slot = NULL;
    leave_dead_slot(SLOT);
    pid_t stopped = child_start(stop_and_sweep, NULL);
    child_await_stop(stopped);
    handle_signals(context);
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == -ETIMEDOUT && slot == NULL);
    signal(SIGUSR1, SIG_IGN);
    REQUIRE(now_ms() - begin_ms <= SECOND_MAX_MS);
    kill(stopped, SIGCONT);
    child_finish(stopped);
    mailslot_close(create_at_once(SLOT, 0));
}

START_TEST(a_handler_ends_no_wait_of_a_second) {
    static child_main *const runs[] = {close_behind_stopped_writer,
                                       create_behind_stopped_remover};
    for (size_t i = 0; i < COUNT(both_flags); i++) {
        run_under_signals(runs[_i], both_flags[i]);
    }
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("races");
    tcase_add_test(cases, nothing_is_accepted_after_a_close);
    tcase_add_test(cases, threads_that_hand_a_slot_on_read_each_message_once);
    tcase_add_test(cases, a_message_that_comes_meanwhile_swallows_no_cancel);
    tcase_add_test(cases, an_owner_whose_bell_was_overwritten_is_woken);
    tcase_add_loop_test(cases, a_handler_ends_every_wait_whatever_its_flags, 0, WAITS);
    tcase_add_test(cases, a_handler_ends_the_wait_for_a_stopped_owner);
    tcase_add_loop_test(cases, a_handler_ends_no_wait_of_a_second, 0, 2);
    return suite_run();
}
