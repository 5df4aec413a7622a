/* SPDX-License-Identifier: MIT */
/*
 * A slot in steady use makes no system call: a process that may make none but to read,
 * write and end (seccomp's strict mode) goes on sending and reading. Any other call
 * would kill it.
 */
#include "suite.h"

#include "mailslot.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>

/* Enough to go round the window at the start of the ring many times. */
#define ROUNDS 100000

static mailslot *slot;
static mailslot_writer *writer;

/* What ctest takes for a skipped test. */
#define EXIT_SKIPPED 77

typedef bool one_round(void);

static bool send_and_read(void) {
    char buffer[64] = "message";
    size_t size;
    return mailslot_writer_send(writer, buffer, sizeof buffer, 0) == 0 &&
           mailslot_read(slot, buffer, sizeof buffer, MAILSLOT_FOREVER, &size) == 0;
}

static bool send_and_read_batches(void) {
    mailslot_buffer messages[8] = {{"one", 3}, {"two", 3}, {NULL, 0}};
    size_t sent;
    mailslot_message message;
    bool is_good = mailslot_writer_send_all(writer, messages, 8, 0, &sent) == 0;
    for (size_t i = 0; i < 8; i++) {
        is_good = is_good && mailslot_peek(slot, 0, &message) == 0;
    }
    return is_good && mailslot_consume(slot) == 0;
}

static bool ask(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    return mailslot_get_info(slot, &info) == 0 &&
           mailslot_writer_get_info(writer, &info) == 0;
}

static bool call_the_system(void) {
    return syscall(SYS_getppid) > 0;
}

/* exit_group, which _exit calls, is not among the permitted ones. */
static void __attribute__((noreturn)) end(int status) {
    for (;;) {
        syscall(SYS_exit, status);
    }
}

static void run_confined(one_round *round) {
    for (int i = 0; i < ROUNDS; i++) {
        HOLDS(round());
    }
    HOLDS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (!round()) {
            end(EXIT_FAILURE);
        }
    }
    end(EXIT_SUCCESS);
}

/* The status with which a process ends that goes on under the ban. */
static int status_of(one_round *round) {
    pid_t pid = fork();
    if (pid == 0) {
        HOLDS(mailslot_create("calls", NULL, &slot) == 0);
        HOLDS(mailslot_open("calls", &writer) == 0);
        run_confined(round);
    }
    int status;
    HOLDS(waitpid(pid, &status, 0) == pid);
    /* What the child left is removed by the next call that meets it. */
    HOLDS(mailslot_send("calls", "x", 1, 0) < 0);
    return status;
}

static char directory[] = "/dev/shm/mailslot-calls-XXXXXX";

static void set_up(void) {
    HOLDS(mkdtemp(directory));
    HOLDS(setenv("MAILSLOT_DIR", directory, 1) == 0);
}

static void tear_down(void) {
    HOLDS(rmdir(directory) == 0);
}

START_TEST(sending_and_reading_make_no_system_call) {
    ck_assert_int_eq(status_of(send_and_read), 0);
}
END_TEST

START_TEST(batches_make_no_system_call) {
    ck_assert_int_eq(status_of(send_and_read_batches), 0);
}
END_TEST

START_TEST(asking_makes_no_system_call) {
    ck_assert_int_eq(status_of(ask), 0);
}
END_TEST

START_TEST(the_ban_on_system_calls_is_real) {
    int status = status_of(call_the_system);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

int main(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    puts("skipped: sanitizers make system calls of their own");
    return EXIT_SKIPPED;
#endif
    Suite *suite;
    TCase *cases = suite_begin(&suite, "system calls");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, sending_and_reading_make_no_system_call);
    tcase_add_test(cases, batches_make_no_system_call);
    tcase_add_test(cases, asking_makes_no_system_call);
    tcase_add_test(cases, the_ban_on_system_calls_is_real);
    return suite_run(suite);
}
