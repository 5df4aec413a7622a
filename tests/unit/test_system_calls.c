/* SPDX-License-Identifier: MIT */
/*
 * A slot in steady use makes no system call: a thread that may make none but to end its
 * process (a filter of seccomp) goes on sending and reading. Any other call would kill
 * the process.
 */
#include "suite.h"

#include "mailslot.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
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

/* A slot whose descriptor stays readable, because there is always one more message. */
static bool send_and_read_older(void) {
    int fd;
    return mailslot_get_fd(slot, &fd) == 0 && send_and_read();
}

static bool ask(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    return mailslot_get_info(slot, &info) == 0 &&
           mailslot_writer_get_info(writer, &info) == 0;
}

static bool call_the_system(void) {
    return syscall(SYS_getppid) > 0;
}

/* Of this thread; others of its process go on as before. */
static void forbid_system_calls(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter,
                                 .filter = filter};
    HOLDS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    HOLDS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void run_confined(one_round *round) {
    for (int i = 0; i < ROUNDS; i++) {
        HOLDS(round());
    }
    forbid_system_calls();
    for (int i = 0; i < ROUNDS; i++) {
        if (!round()) {
            _exit(EXIT_FAILURE);
        }
    }
    _exit(EXIT_SUCCESS);
}

/* The status with which a process ends that goes on under the ban. */
static int status_of(one_round *round) {
    pid_t pid = fork();
    if (pid == 0) {
        mailslot_options options = MAILSLOT_OPTIONS_INIT;
        options.max_bytes = round == send_and_read_older ? 65536 : 0;
        HOLDS(mailslot_create("calls", &options, &slot) == 0);
        HOLDS(mailslot_open("calls", &writer) == 0);
        HOLDS(round != send_and_read_older ||
              mailslot_writer_send(writer, "first", 5, 0) == 0);
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

START_TEST(a_descriptor_costs_no_system_call_while_messages_wait) {
    ck_assert_int_eq(status_of(send_and_read_older), 0);
}
END_TEST

START_TEST(asking_makes_no_system_call) {
    ck_assert_int_eq(status_of(ask), 0);
}
END_TEST

START_TEST(the_ban_on_system_calls_is_real) {
    int status = status_of(call_the_system);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSYS);
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
    tcase_add_test(cases, a_descriptor_costs_no_system_call_while_messages_wait);
    tcase_add_test(cases, asking_makes_no_system_call);
    tcase_add_test(cases, the_ban_on_system_calls_is_real);
    return suite_run(suite);
}
