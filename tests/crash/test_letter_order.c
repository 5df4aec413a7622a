/* SPDX-License-Identifier: MIT */
/*
 * Letters that cannot be taken in at once: no connection of a user is admitted while a
 * letter of an earlier one may still lie in its socket. So what a user sends through a
 * later connection does not overtake it.
 */
#include "calls.h"
#include "note.h"
#include "queue/step.h"
#include "raw.h"
#include "steps.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define SLOT "jobs"
#define SIZE 1000
#define SEALED_SIZE 50000

/* Whose notes they are. */
enum { OF_OWNERS_USER = 1, OF_USER_A };

struct board {
    _Atomic uint32_t is_sealed; /* the first letter */
    _Atomic uint32_t ready;
    _Atomic uint32_t may_send;
    _Atomic uint32_t go;
    _Atomic uint32_t sent;
    _Atomic uint32_t is_heard; /* the second greeting, */
    _Atomic int32_t result;    /* which was this */
};

static struct board *board;
static mailslot *slot;
static _Alignas(8) unsigned char buffer[SEALED_SIZE];

/* What the owner meets while it collects letters by itself. */
static struct {
    sem_t gate; /* for the letterbox's thread */
    const char *call;
    int error;
    _Atomic uint32_t met;
    uint32_t last; /* after so many, */
    pid_t stopped; /* this process goes on, and no call fails any more */
} trouble;

/* The thread of the letterbox sleeps before its first look; this one does its work. */
static void make_trouble(const char *name) {
    if (gettid() != getpid()) {
        if (strcmp(name, "epoll_wait") == 0) {
            sem_wait(&trouble.gate);
            sem_post(&trouble.gate);
        }
    } else if (trouble.call && strcmp(name, trouble.call) == 0) {
        call_fail(trouble.error);
        if (++trouble.met == trouble.last) {
            trouble.call = NULL;
            kill(trouble.stopped, SIGCONT);
        }
    }
}

static void begin(void) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    board = share(sizeof *board);
    memset(&trouble, 0, sizeof trouble);
    ck_assert_int_eq(sem_init(&trouble.gate, 0, 0), 0);
    ms_step_hook = make_trouble;
    options.mode = 0622;
    ck_assert_int_eq(mailslot_create(SLOT, &options, &slot), 0);
}

static void open_gate(void) {
    ck_assert_int_eq(sem_post(&trouble.gate), 0);
}

static void end(void) {
    slot = mailslot_close(slot);
    ms_step_hook = NULL;
}

static uint64_t count_queued(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    ck_assert_int_eq(mailslot_get_info_by_name(SLOT, &info), 0); /* takes nothing in */
    return info.count;
}

static void expect_note(uint32_t who, uint32_t index) {
    mailslot_message message;
    struct note note;
    ck_assert_int_eq(mailslot_peek(slot, DEADLINE_MS, &message), 0);
    ck_assert(note_read(message.data, message.size, &note));
    ck_assert_uint_eq(note.writer, who);
    ck_assert_uint_eq(note.index, index);
    ck_assert_int_eq(mailslot_consume(slot), 0);
}

static void send_plain(int fd, uint32_t index) {
    uint32_t head[2] = {KIND_PLAIN, SIZE};
    memcpy(buffer, head, sizeof head);
    note_write(buffer + sizeof head, OF_USER_A, index, SIZE);
    raw_send(fd, buffer, sizeof head + SIZE, NULL, 0);
}

static void send_sealed(int fd, uint32_t index) {
    uint32_t head[2] = {KIND_SEALED, SEALED_SIZE};
    int file = raw_file(SEALED_SIZE, 0);
    note_write(buffer, OF_USER_A, index, SEALED_SIZE);
    REQUIRE(pwrite(file, buffer, SEALED_SIZE, 0) == SEALED_SIZE);
    REQUIRE(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    raw_send(fd, head, sizeof head, &file, 1);
    close(file);
}

/* One letter through a connection, and then another one through the next. */
static void send_through_two(void *context) {
    (void)context;
    become(USER_A);
    int first = raw_connect(SLOT);
    board->ready = 1;
    REQUIRE(raw_hear(first).result == 0);
    REQUIRE(await_value(&board->may_send, 1));
    if (board->is_sealed) {
        send_sealed(first, 0);
    } else {
        send_plain(first, 0);
    }
    int second = raw_connect(SLOT);
    board->ready = 2;
    int32_t result = raw_hear(second).result;
    board->result = result;
    board->is_heard = 1;
    REQUIRE(await_value(&board->go, 1));
    for (int64_t end_ms = now_ms() + DEADLINE_MS; result < 0;) {
        REQUIRE(result == -EAGAIN && now_ms() < end_ms);
        close(second);
        second = raw_connect(SLOT);
        result = raw_hear(second).result;
    }
    send_plain(second, 1);
    close(second);
    close(first);
}

/* The letter and the second connection are there, and nobody has looked at them. */
static pid_t start_sender(bool is_sealed) {
    board->is_sealed = is_sealed;
    pid_t sender = child_start(send_through_two, NULL);
    ck_assert(await_value(&board->ready, 1));
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    board->may_send = 1;
    ck_assert(await_value(&board->ready, 2));
    return sender;
}

static void expect_greeting(int32_t result) {
    ck_assert(await_value(&board->is_heard, 1));
    ck_assert_int_eq(board->result, result);
}

/* From here on the thread works, too. */
static void expect_both(pid_t sender) {
    board->go = 1;
    open_gate();
    expect_note(OF_USER_A, 0);
    expect_note(OF_USER_A, 1);
    child_finish(sender);
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    end();
}

/* What keeps the owner from taking the letter, or from having another client. */
static const struct {
    const char *call;
    int error;
    bool is_sealed;
} faults[] = {
    {"recvmsg", ENOMEM, false}, {"recvmsg", EINTR, false}, {"fallocate", ENOSPC, false},
    {"fstat", ENOMEM, true},    {"pread", ENOMEM, true},   {"epoll_ctl", ENOMEM, false},
};

START_TEST(a_letter_that_cannot_be_taken_keeps_later_connections_out) {
    if (!can_become_others()) {
        return;
    }
    begin();
    pid_t sender = start_sender(faults[_i].is_sealed);
    trouble.error = faults[_i].error;
    trouble.call = faults[_i].call;
    get_info(slot);
    trouble.call = NULL;
    ck_assert_uint_gt(trouble.met, 0);
    expect_greeting(-EAGAIN);
    expect_both(sender);
}
END_TEST

/* It holds its turn until it is told to go on. */
static void stop_in_turn(void *context) {
    (void)context;
    mailslot_writer *writer;
    steps_end();
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    note_write(buffer, OF_OWNERS_USER, 0, SIZE);
    steps_stop_at("turn.begun");
    REQUIRE(mailslot_writer_send(writer, buffer, SIZE, 0) == 0);
    mailslot_writer_close(writer);
}

static pid_t start_stopped(void) {
    pid_t stopped = child_start(stop_in_turn, NULL);
    child_await_stop(stopped);
    return stopped;
}

#define SIGNALS 3

START_TEST(a_signal_in_the_wait_for_a_turn_puts_no_letter_off) {
    if (!can_become_others()) {
        return;
    }
    begin();
    pid_t sender = start_sender(false);
    trouble.stopped = start_stopped();
    trouble.last = SIGNALS;
    trouble.error = EINTR;
    trouble.call = "ppoll.nap";
    get_info(slot);
    ck_assert_uint_eq(trouble.met, SIGNALS);
    expect_greeting(0);
    ck_assert_uint_eq(count_queued(), 2);
    child_finish(trouble.stopped);
    expect_note(OF_OWNERS_USER, 0);
    expect_both(sender);
}
END_TEST

/* Each of them could wait. */
static void expect_calls_at_once(void) {
    int64_t begin_ms = now_ms();
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
        ck_assert_int_eq(mailslot_consume(slot), 0);
    }
    ck_assert_int_lt(now_ms() - begin_ms, AT_ONCE_MS);
}

/* Neither the calls that take letters in, nor those beside the thread. */
START_TEST(a_writer_stopped_in_its_turn_holds_up_no_reading_call) {
    if (!can_become_others()) {
        return;
    }
    begin();
    pid_t sender = start_sender(false);
    pid_t stopped = start_stopped();
    expect_calls_at_once();
    expect_greeting(-EAGAIN);
    open_gate();
    expect_calls_at_once();
    kill(stopped, SIGCONT);
    child_finish(stopped);
    expect_note(OF_OWNERS_USER, 0);
    expect_both(sender);
}
END_TEST

/* As many small letters as the socket holds, and then another connection. */
static void fill_socket(void *context) {
    (void)context;
    uint32_t letter[2] = {KIND_PLAIN, 0};
    become(USER_A);
    int fd = raw_connect(SLOT);
    board->ready = 1;
    int bytes = (int)raw_hear(fd).buffer_size;
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
    REQUIRE(await_value(&board->may_send, 1));
    while (send(fd, letter, sizeof letter, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        board->sent++;
    }
    REQUIRE(errno == EAGAIN);
    int second = raw_connect(SLOT);
    board->ready = 2;
    REQUIRE(raw_hear(second).result == 0);
    board->is_heard = 1;
    REQUIRE(await_value(&board->go, 1));
    close(second);
    close(fd);
}

static pid_t start_filler(void) {
    pid_t sender = child_start(fill_socket, NULL);
    ck_assert(await_value(&board->ready, 1));
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    board->may_send = 1;
    ck_assert(await_value(&board->ready, 2));
    ck_assert_uint_gt(board->sent, 100);
    return sender;
}

START_TEST(one_call_takes_in_all_that_a_socket_holds) {
    if (!can_become_others()) {
        return;
    }
    begin();
    pid_t sender = start_filler();
    ck_assert_uint_eq(get_info(slot).count, board->sent);
    board->go = 1;
    open_gate();
    child_finish(sender);
    end();
}
END_TEST

/* The call leaves the rest, and the greeting, to the thread. */
START_TEST(a_reading_call_takes_in_one_letter_and_the_greeting_waits_for_all) {
    if (!can_become_others()) {
        return;
    }
    begin();
    pid_t sender = start_filler();
    ck_assert_int_eq(mailslot_wait(slot, 0), 0);
    ck_assert_uint_lt(count_queued(), 3);
    ck_assert_uint_eq(board->is_heard, 0);
    open_gate();
    ck_assert(await_value(&board->is_heard, 1));
    ck_assert_uint_eq(count_queued(), board->sent);
    board->go = 1;
    child_finish(sender);
    end();
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("letter_order");
    tcase_add_loop_test(cases,
                        a_letter_that_cannot_be_taken_keeps_later_connections_out, 0,
                        COUNT(faults));
    tcase_add_test(cases, a_signal_in_the_wait_for_a_turn_puts_no_letter_off);
    tcase_add_test(cases, a_writer_stopped_in_its_turn_holds_up_no_reading_call);
    tcase_add_test(cases, one_call_takes_in_all_that_a_socket_holds);
    tcase_add_test(cases,
                   a_reading_call_takes_in_one_letter_and_the_greeting_waits_for_all);
    return suite_run();
}
