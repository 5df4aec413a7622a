/* SPDX-License-Identifier: MIT */
/* Processes, threads, signals and clocks for the conformance tests: POSIX, and /proc.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_SIGNAL SIGUSR1

/* Seen this often in a row, two milliseconds apart, a thread sleeps. */
#define SLEEP_SIGHTINGS 5

/* In a child: the socket to its parent. */
static int parent_socket = -1;

/* Poll a condition every few milliseconds. */
static bool await(bool (*holds)(const void *), const void *context) {
    for (int64_t end_ms = clock_ms() + DEADLINE_MS; clock_ms() < end_ms;) {
        if (holds(context)) {
            return true;
        }
        pause_ms(2);
    }
    return false;
}

/* Whether the socket has something, or its end, within that time. */
static bool can_hear(int socket, int timeout_ms) {
    struct pollfd wanted = {.fd = socket, .events = POLLIN};
    return poll(&wanted, 1, timeout_ms) == 1;
}

static void run_child(child_main *run, const char *argument, int socket) {
    parent_socket = socket;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run(argument);
    _exit(EXIT_SUCCESS);
}

struct child child_start(child_main *run, const char *argument) {
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_child(run, argument, ends[1]);
    }
    ck_assert_int_gt(pid, 0);
    close(ends[1]);
    return (struct child){.id = pid, .socket = ends[0]};
}

void child_tell(const struct child *child, int64_t value) {
    ck_assert_int_eq(send(child->socket, &value, sizeof value, MSG_NOSIGNAL),
                     sizeof value);
}

int64_t child_hear(const struct child *child) {
    int64_t value = 0;
    ck_assert_msg(can_hear(child->socket, DEADLINE_MS), "the child says nothing");
    ck_assert_msg(recv(child->socket, &value, sizeof value, MSG_WAITALL) ==
                      sizeof value,
                  "the child has ended");
    return value;
}

void child_hear_end(const struct child *child) {
    int64_t value;
    ck_assert_msg(can_hear(child->socket, DEADLINE_MS), "the child goes on");
    ck_assert_int_eq(recv(child->socket, &value, sizeof value, 0), 0);
}

void parent_tell(int64_t value) {
    REQUIRE(sizeof value, send(parent_socket, &value, sizeof value, MSG_NOSIGNAL));
}

int64_t parent_hear(void) {
    int64_t value = 0;
    REQUIRE(true, can_hear(parent_socket, DEADLINE_MS));
    REQUIRE(sizeof value, recv(parent_socket, &value, sizeof value, MSG_WAITALL));
    return value;
}

bool parent_has_spoken(void) {
    return can_hear(parent_socket, 0);
}

void require_failed(const char *text, int64_t value) {
    fprintf(stderr, "in a child: %s gives %lld (%s)\n", text, (long long)value,
            mailslot_error_name((int)value));
    _exit(EXIT_FAILURE);
}

/* The state of a thread, a letter: proc(5), /proc/<pid>/stat. '?': it has ended. */
static char task_state(int64_t id) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)id);
    FILE *stream = fopen(path, "re");
    char line[256] = "";
    if (stream) {
        if (!fgets(line, sizeof line, stream)) {
            line[0] = '\0';
        }
        fclose(stream);
    }
    const char *name_end = strrchr(line, ')');
    return name_end ? name_end[2] : '?';
}

/* A thread that has begun a call and sleeps some time does so in that call. */
static bool is_asleep(const void *context) {
    for (int i = 0; i < SLEEP_SIGHTINGS; i++) {
        if (task_state(*(const int64_t *)context) != 'S') {
            return false;
        }
        pause_ms(2);
    }
    return true;
}

void child_await_sleep(const struct child *child) {
    ck_assert_msg(await(is_asleep, &child->id), "the child does not sleep");
}

static int end_child(struct child *child) {
    int status = 0;
    ck_assert_int_eq(waitpid((pid_t)child->id, &status, 0), child->id);
    close(child->socket);
    *child = (struct child){.id = -1, .socket = -1};
    return status;
}

void child_stop(const struct child *child) {
    int status = 0;
    ck_assert_int_eq(kill((pid_t)child->id, SIGSTOP), 0);
    ck_assert_int_eq(waitpid((pid_t)child->id, &status, WUNTRACED), child->id);
    ck_assert(WIFSTOPPED(status));
}

void child_continue(const struct child *child) {
    ck_assert_int_eq(kill((pid_t)child->id, SIGCONT), 0);
}

void child_finish(struct child *child) {
    child_hear_end(child);
    int status = end_child(child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS,
                  "the child failed: status %#x", (unsigned)status);
}

void child_kill(struct child *child) {
    ck_assert_int_eq(kill((pid_t)child->id, SIGKILL), 0);
    ck_assert_msg(WIFSIGNALED(end_child(child)), "the child ended by itself");
}

/* As by a wild pointer, but neither a sanitizer nor a core dump gets in the way. */
void crash(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

void become_another_program(void) {
    execl("/bin/sleep", "sleep", "600", (char *)NULL);
    require_failed("execl", -errno);
}

bool become_another_group(void) {
    return setresgid(SUPPORT_OTHER_USER, SUPPORT_OTHER_USER, SUPPORT_OTHER_USER) == 0;
}

bool become_another_user(void) {
    return become_another_group() &&
           setresuid(SUPPORT_OTHER_USER, SUPPORT_OTHER_USER, SUPPORT_OTHER_USER) == 0;
}

int fork_and_call(int (*run)(void *), void *context) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit(run(context));
    }
    ck_assert_int_gt(pid, 0);
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "the copy died: status %#x", (unsigned)status);
    return WEXITSTATUS(status);
}

int64_t leave_copy(void) {
    pid_t pid = fork();
    if (pid == 0) {
        close(parent_socket);
        pause();
        _exit(EXIT_SUCCESS);
    }
    REQUIRE(true, pid > 0);
    return pid;
}

/* The pipe ends when the program has been executed. */
int64_t leave_program(void) {
    int ends[2];
    char nothing;
    REQUIRE(0, pipe2(ends, O_CLOEXEC));
    pid_t pid = fork();
    if (pid == 0) {
        become_another_program();
    }
    REQUIRE(true, pid > 0);
    close(ends[1]);
    REQUIRE(0, read(ends[0], &nothing, 1));
    close(ends[0]);
    return pid;
}

/* What a child left is this process's child by now: see the fixture. */
void end_left(int64_t id) {
    ck_assert_int_eq(kill((pid_t)id, SIGKILL), 0);
    ck_assert_int_eq(waitpid((pid_t)id, NULL, 0), id);
}

struct thread_state {
    pthread_t id;
    void (*run)(void *);
    void *context;
};

static void *run_thread(void *context) {
    const struct thread_state *thread = context;
    thread->run(thread->context);
    return NULL;
}

struct thread thread_start(void (*run)(void *), void *context) {
    struct thread_state *thread = malloc(sizeof *thread);
    ck_assert_ptr_nonnull(thread);
    thread->run = run;
    thread->context = context;
    ck_assert_int_eq(pthread_create(&thread->id, NULL, run_thread, thread), 0);
    return (struct thread){.state = thread};
}

void thread_join(struct thread *thread) {
    struct thread_state *joined = thread->state;
    ck_assert_int_eq(pthread_join(joined->id, NULL), 0);
    free(joined);
    thread->state = NULL;
}

/* The kernel shows a thread under /proc by its own number, too. */
struct sleeper sleeper_here(void) {
    return (struct sleeper){.id = gettid()};
}

bool sleeper_await(const struct sleeper *sleeper) {
    return await(is_asleep, &sleeper->id);
}

static volatile sig_atomic_t signals;
static void (*signal_function)(void);

static void count_signal(int number) {
    (void)number;
    signals = signals + 1;
    if (signal_function) {
        signal_function();
    }
}

void signal_handle(bool has_restart, void (*function)(void)) {
    struct sigaction action = {.sa_handler = count_signal,
                               .sa_flags = has_restart ? SA_RESTART : 0};
    signal_function = function;
    signals = 0;
    ck_assert_int_eq(sigaction(TEST_SIGNAL, &action, NULL), 0);
}

void signal_ignore(void) {
    ck_assert(signal(TEST_SIGNAL, SIG_IGN) != SIG_ERR);
}

int signal_count(void) {
    return signals;
}

void sleeper_signal(const struct sleeper *sleeper) {
    tgkill(getpid(), (pid_t)sleeper->id, TEST_SIGNAL);
}

static int64_t read_clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_ms(void) {
    return read_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t calendar_ns(void) {
    return read_clock_ns(CLOCK_REALTIME);
}

void pause_ms(int64_t time_ms) {
    struct timespec time = {.tv_sec = time_ms / 1000,
                            .tv_nsec = time_ms % 1000 * 1000000};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) {
    }
}

uint32_t own_pid(void) {
    return (uint32_t)getpid();
}

uint32_t own_uid(void) {
    return geteuid();
}

uint32_t own_gid(void) {
    return getegid();
}

void own_host_name(char *ret_name, size_t capacity) {
    ck_assert_int_eq(gethostname(ret_name, capacity), 0);
}
