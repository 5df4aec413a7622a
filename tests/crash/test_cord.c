/* SPDX-License-Identifier: MIT */
/*
 * The cord: how a writer makes the descriptor of a slot readable by itself, and that it
 * is no worse than without where it cannot, where the region lies to it, and where the
 * owner dies before it.
 */
#include "note.h"
#include "queue/layout.h"
#include "steps.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT "jobs"

/* What a writer in another process does, and what it is to pass by. */
struct sending {
    struct steps steps;
    bool is_once;
    bool has_no_descriptors;
    _Atomic uint32_t is_ready;
};

static mailslot *slot;
static struct pollfd polled;

static void own(void) {
    slot = create_at_once(SLOT, 0);
    polled.events = POLLIN;
    HOLDS(mailslot_get_fd(slot, &polled.fd) == 0);
}

/* The one message; then the descriptor says nothing any more. */
static void expect_one(void) {
    char byte;
    size_t size;
    ck_assert_int_eq(poll(&polled, 1, DEADLINE_MS), 1);
    ck_assert_int_eq(mailslot_read(slot, &byte, 1, 0, &size), 0);
    ck_assert_int_eq(poll(&polled, 1, 0), 0);
}

static void send_one(void *context) {
    struct sending *sending = context;
    mailslot_writer *writer = open_writer(SLOT);
    struct rlimit limit = {.rlim_max = RLIM_INFINITY};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = sending->has_no_descriptors ? 0 : limit.rlim_cur;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    steps_begin(&sending->steps, STEPS_ALL);
    REQUIRE(sending->is_once ? mailslot_send(SLOT, "x", 1, 0) == 0
                             : mailslot_writer_send(writer, "x", 1, 0) == 0);
    steps_end();
    mailslot_writer_close(writer);
}

/* Whether it pulls the cord itself, or the owner's thread. */
static void expect_pulled(const struct sending *how, bool is_by_itself) {
    struct sending *sending = share(sizeof *sending);
    sending->is_once = how->is_once;
    sending->has_no_descriptors = how->has_no_descriptors;
    child_finish(child_start(send_one, sending));
    ck_assert_uint_eq(steps_passed(&sending->steps, "turn.pulling"), is_by_itself);
    ck_assert_uint_eq(steps_passed(&sending->steps, "turn.calling"), !is_by_itself);
    expect_one();
}

START_TEST(a_writer_pulls_itself_and_for_who_sends_once_it_is_done) {
    own();
    expect_pulled(&(struct sending){.is_once = false}, true);
    expect_pulled(&(struct sending){.is_once = true}, false);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_writer_keeps_one_descriptor_for_it_until_it_is_closed) {
    own();
    mailslot_writer *writer = open_writer(SLOT);
    int before = count_descriptors();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(mailslot_writer_send(writer, "x", 1, 0), 0);
        ck_assert_int_eq(count_descriptors(), before + 1);
        expect_one();
    }
    mailslot_writer_close(writer);
    ck_assert_int_eq(count_descriptors(), before - 1);
    mailslot_close(slot);
}
END_TEST

START_TEST(for_a_writer_without_descriptors_it_is_done) {
    own();
    expect_pulled(&(struct sending){.has_no_descriptors = true}, false);
    mailslot_close(slot);
}
END_TEST

/* The region says that this is the cord. */
static void name_cord(struct ms_header *header, int fd) {
    struct stat status;
    ck_assert_int_eq(fstat(fd, &status), 0);
    header->cord_fd = (uint32_t)fd;
    header->cord_device = status.st_dev;
    header->cord_inode = status.st_ino;
}

/* As for a process in another pid namespace, or one that must not look. */
START_TEST(for_a_writer_that_cannot_find_the_owner_it_is_done) {
    own();
    struct ms_header *header = map_header(SLOT);
    uint32_t pid = header->pid;
    header->pid = INT32_MAX;
    expect_pulled(&(struct sending){.is_once = false}, false);
    header->pid = pid;
    expect_pulled(&(struct sending){.is_once = false}, true);
    munmap(header, MS_HEADER_SIZE);
    mailslot_close(slot);
}
END_TEST

START_TEST(what_is_not_the_pipe_that_was_named_is_left_alone) {
    own();
    struct ms_header *header = map_header(SLOT);
    int ends[2];
    int sockets[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    int others[] = {sockets[0], open("/dev/null", O_RDWR | O_CLOEXEC),
                    open(registry_directory(), O_PATH | O_CLOEXEC)};
    for (size_t i = 0; i < COUNT(others); i++) {
        name_cord(header, others[i]);
        expect_pulled(&(struct sending){.is_once = false}, false);
        close(others[i]);
        expect_pulled(&(struct sending){.is_once = false}, false);
    }
    name_cord(header, polled.fd);
    header->cord_fd = (uint32_t)ends[0]; /* a pipe, but another */
    expect_pulled(&(struct sending){.is_once = false}, false);
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), -1);
    close(ends[0]);
    close(ends[1]);
    close(sockets[1]);
    munmap(header, MS_HEADER_SIZE);
    mailslot_close(slot);
}
END_TEST

/* Somebody who may: another writing end. */
static int open_pipe(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", polled.fd);
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* It is woken for nothing so many times at most. */
static void expect_quiet_after_reads(int count) {
    char byte;
    size_t size;
    ck_assert_int_eq(poll(&polled, 1, 0), 1);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(mailslot_read(slot, &byte, 1, 0, &size), -EAGAIN);
    }
    ck_assert_int_eq(poll(&polled, 1, 0), 0);
}

START_TEST(a_descriptor_that_is_readable_for_nothing_is_so_for_two_reads_at_most) {
    own();
    int fd = open_pipe();
    ck_assert_int_eq(write(fd, "", 1), 1);
    expect_quiet_after_reads(1);
    expect_pulled(&(struct sending){.is_once = false}, true);
    ck_assert_int_eq(write(fd, "", 1), 1); /* after a pull that came in time */
    expect_quiet_after_reads(2);
    expect_pulled(&(struct sending){.is_once = false}, true);
    close(fd);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_full_pipe_holds_up_nobody) {
    char byte;
    size_t size;
    own();
    int fd = open_pipe();
    mailslot_writer *writer = open_writer(SLOT);
    while (write(fd, "", 1) == 1) {
    }
    HOLDS(errno == EAGAIN);
    ck_assert_int_eq(mailslot_writer_send(writer, "x", 1, 0), 0);
    ck_assert_int_eq(mailslot_read(slot, &byte, 1, 0, &size), 0);
    close(fd);
    ck_assert_int_eq(mailslot_read(slot, &byte, 1, 0, &size), -EAGAIN);
    ck_assert_int_eq(poll(&polled, 1, 0), 0);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

static void send_and_stop(void *context) {
    (void)context;
    mailslot_writer *writer = open_writer(SLOT);
    steps_stop_at("turn.pulling");
    REQUIRE(mailslot_writer_send(writer, "x", 1, 0) == 0);
    mailslot_writer_close(writer);
}

/* The thread may have pulled in its place meanwhile. */
START_TEST(who_was_late_to_pull_is_found_by_two_reads_at_most) {
    char byte;
    size_t size;
    own();
    pid_t writer = child_start(send_and_stop, NULL);
    child_await_stop(writer);
    ck_assert_int_eq(mailslot_read(slot, &byte, 1, 0, &size), 0);
    ck_assert_int_eq(kill(writer, SIGCONT), 0);
    child_finish(writer);
    expect_quiet_after_reads(2);
    expect_pulled(&(struct sending){.is_once = false}, true);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_waiting_call_leaves_it_readable_although_its_writer_was_stopped) {
    char byte;
    size_t size;
    own();
    pid_t writer = child_start(send_and_stop, NULL);
    child_await_stop(writer);
    ck_assert_int_eq(mailslot_wait(slot, 0), 0);
    ck_assert_int_eq(poll(&polled, 1, 0), 1);
    ck_assert_int_eq(mailslot_read(slot, &byte, 1, 0, &size), 0);
    ck_assert_int_eq(poll(&polled, 1, 0), 0);
    ck_assert_int_eq(kill(writer, SIGCONT), 0);
    child_finish(writer);
    expect_quiet_after_reads(2);
    mailslot_close(slot);
}
END_TEST

/* A second after its last look the thread may pull: such an attempt is no test. */
START_TEST(to_consume_or_to_keep_nothing_does_not_wait_for_who_was_stopped) {
    bool is_readable;
    bool is_in_time;
    do {
        int64_t begin_ms = now_ms();
        own();
        await_idle_threads();
        pid_t writer = child_start(send_and_stop, NULL);
        child_await_stop(writer);
        ck_assert_int_eq(mailslot_consume(slot), 0);
        ck_assert_int_eq(mailslot_unpeek(slot), 0);
        is_readable = poll(&polled, 1, 0) == 1;
        is_in_time = now_ms() - begin_ms < AT_ONCE_MS;
        ck_assert_int_eq(kill(writer, SIGCONT), 0);
        child_finish(writer);
        expect_one();
        mailslot_close(slot);
    } while (!is_in_time);
    ck_assert(!is_readable);
}
END_TEST

static void own_and_wait(void *context) {
    struct sending *sending = context;
    own();
    sending->is_ready = 1;
    pause();
}

static void pull_when_told(void *context) {
    (void)context;
    mailslot_writer *writer = open_writer(SLOT);
    steps_stop_at("turn.pulling");
    REQUIRE(mailslot_writer_send(writer, "x", 1, 0) == 0);
    steps_end();
    REQUIRE(mailslot_writer_send(writer, "x", 1, 0) == -EPIPE);
    mailslot_writer_close(writer);
}

START_TEST(to_pull_after_the_owners_death_raises_no_signal) {
    struct sending *sending = share(sizeof *sending);
    pid_t owner = child_start(own_and_wait, sending);
    ck_assert(await_value(&sending->is_ready, 1));
    pid_t writer = child_start(pull_when_told, NULL);
    child_await_stop(writer);
    child_kill(owner);
    ck_assert_int_eq(kill(writer, SIGCONT), 0);
    child_finish(writer);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("cord");
    tcase_add_test(cases, a_writer_pulls_itself_and_for_who_sends_once_it_is_done);
    tcase_add_test(cases, a_writer_keeps_one_descriptor_for_it_until_it_is_closed);
    tcase_add_test(cases, for_a_writer_without_descriptors_it_is_done);
    tcase_add_test(cases, for_a_writer_that_cannot_find_the_owner_it_is_done);
    tcase_add_test(cases, what_is_not_the_pipe_that_was_named_is_left_alone);
    tcase_add_test(
        cases, a_descriptor_that_is_readable_for_nothing_is_so_for_two_reads_at_most);
    tcase_add_test(cases, a_full_pipe_holds_up_nobody);
    tcase_add_test(cases, who_was_late_to_pull_is_found_by_two_reads_at_most);
    tcase_add_test(cases,
                   a_waiting_call_leaves_it_readable_although_its_writer_was_stopped);
    tcase_add_test(cases,
                   to_consume_or_to_keep_nothing_does_not_wait_for_who_was_stopped);
    tcase_add_test(cases, to_pull_after_the_owners_death_raises_no_signal);
    return suite_run();
}
