/* SPDX-License-Identifier: MIT */
/* What the crash tests need: processes, a directory, memory, time. */
#include "support.h"

#include "note.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_REQUIRE_FAILED 99

static struct {
    Suite *suite;
    char root[64];      /* of this program */
    char directory[96]; /* of this test: MAILSLOT_DIR */
    int descriptors;    /* before the test */
} state;

static int count_entries(const char *path) {
    DIR *stream = opendir(path);
    HOLDS(stream != NULL);
    int count = -2; /* . and .. */
    while (readdir(stream)) {
        count++;
    }
    closedir(stream);
    return count;
}

int count_descriptors(void) {
    return count_entries("/proc/self/fd");
}

/* Whether the thread that has this entry in /proc/self/task sleeps, or is this one. */
static bool is_idle(const char *entry) {
    char path[64];
    char line[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", entry);
    FILE *file = fopen(path, "re");
    if (!file) {
        return true; /* it has ended */
    }
    bool is_read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *after_name = strrchr(line, ')');
    return !is_read || atoi(entry) == gettid() || (after_name && after_name[2] == 'S');
}

static bool are_threads_idle(void) {
    DIR *tasks = opendir("/proc/self/task");
    bool are_idle = true;
    HOLDS(tasks != NULL);
    for (struct dirent *task = readdir(tasks); task; task = readdir(tasks)) {
        are_idle = are_idle && (task->d_name[0] == '.' || is_idle(task->d_name));
    }
    closedir(tasks);
    return are_idle;
}

void await_idle_threads(void) {
    int64_t end_ms = now_ms() + DEADLINE_MS;
    while (!are_threads_idle()) {
        HOLDS(now_ms() < end_ms);
        nap_us(100);
    }
}

bool has_mapped_files(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    HOLDS(maps != NULL);
    char line[512];
    bool has = false;
    while (fgets(line, sizeof line, maps)) {
        has = has || strstr(line, state.root);
    }
    fclose(maps);
    return has;
}

struct ms_header *map_header(const char *name) {
    char path[256];
    registry_path(name, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    HOLDS(fd >= 0);
    void *memory =
        mmap(NULL, MS_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    HOLDS(memory != MAP_FAILED);
    close(fd);
    return memory;
}

static void set_up(void) {
    snprintf(state.directory, sizeof state.directory, "%s/XXXXXX", state.root);
    ck_assert_ptr_nonnull(mkdtemp(state.directory));
    setenv("MAILSLOT_DIR", state.directory, 1);
    state.descriptors = count_descriptors();
}

static void tear_down(void) {
    ck_assert_msg(registry_files() == 0, "%d files are left", registry_files());
    ck_assert_msg(count_descriptors() == state.descriptors, "descriptors are left");
    ck_assert_msg(!has_mapped_files(), "mappings are left");
    ck_assert_msg(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a child is left");
    ck_assert_int_eq(rmdir(state.directory), 0);
}

TCase *suite_begin(const char *theme) {
    snprintf(state.root, sizeof state.root, "/dev/shm/mailslot-crash-XXXXXX");
    if (!mkdtemp(state.root)) {
        perror(state.root);
        exit(EXIT_FAILURE);
    }
    state.suite = suite_create(theme);
    TCase *cases = tcase_create(theme);
    tcase_set_timeout(cases, few_or_many(120, 1200));
    tcase_add_checked_fixture(cases, set_up, tear_down);
    suite_add_tcase(state.suite, cases);
    return cases;
}

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *where) {
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

int suite_run(void) {
    SRunner *runner = srunner_create(state.suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_ENV);
    int run = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    /* What failed tests left; the others leave nothing. */
    nftw(state.root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

uint32_t few_or_many(uint32_t few, uint32_t many) {
    const char *is_long = getenv("MAILSLOT_TEST_LONG");
    return is_long && strcmp(is_long, "1") == 0 ? many : few;
}

void require_failed(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: in a child: %s (errno %d)\n", file, line, condition, errno);
    _exit(EXIT_REQUIRE_FAILED);
}

pid_t child_start(child_main *run, void *context) {
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) {
            run(context);
        }
        _exit(EXIT_SUCCESS);
    }
    HOLDS(pid > 0);
    return pid;
}

int child_await(pid_t pid) {
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    HOLDS(end.fd >= 0);
    bool has_ended = poll(&end, 1, DEADLINE_MS) == 1;
    close(end.fd);
    HOLDS(has_ended);
    int status = 0;
    HOLDS(waitpid(pid, &status, 0) == pid);
    return status;
}

void child_finish(pid_t pid) {
    int status = child_await(pid);
    if (status != 0) {
        ck_abort_msg("a child ended with wait status %#x", (unsigned)status);
    }
}

void child_kill(pid_t pid) {
    kill(pid, SIGKILL);
    int status = child_await(pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        ck_abort_msg("a child ended before, with wait status %#x", (unsigned)status);
    }
}

/* Whether the child has done that, without taking its end away. */
static bool has_changed(pid_t pid, int change) {
    siginfo_t info = {0};
    int r = waitid(P_PID, (id_t)pid, &info, change | WNOHANG | WNOWAIT);
    return r == 0 && info.si_pid == pid;
}

bool child_has_ended(pid_t pid) {
    return has_changed(pid, WEXITED);
}

void child_await_stop(pid_t pid) {
    int64_t end_ms = now_ms() + DEADLINE_MS;
    while (!has_changed(pid, WSTOPPED) && now_ms() < end_ms) {
        nap_us(1000);
    }
    HOLDS(has_changed(pid, WSTOPPED));
}

void *share(size_t size) {
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    HOLDS(memory != MAP_FAILED);
    return memory;
}

bool await_value(const _Atomic uint32_t *word, uint32_t value) {
    int64_t end_ms = now_ms() + DEADLINE_MS;
    while (atomic_load(word) != value) {
        if (now_ms() > end_ms) {
            return false;
        }
        nap_us(200);
    }
    return true;
}

int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void nap_us(unsigned time_us) {
    struct timespec time = {.tv_sec = time_us / 1000000,
                            .tv_nsec = (long)(time_us % 1000000) * 1000};
    nanosleep(&time, NULL);
}

uint32_t next_random(uint64_t *random) {
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*random >> 33);
}

const char *registry_directory(void) {
    return state.directory;
}

int registry_files(void) {
    return count_entries(state.directory);
}

void registry_path(const char *name, char ret_path[256]) {
    snprintf(ret_path, 256, "%s/mailslot.%s", state.directory, name);
}

int64_t registry_memory(const char *name) {
    char path[256];
    struct stat status;
    registry_path(name, path);
    HOLDS(stat(path, &status) == 0);
    return status.st_blocks * INT64_C(512);
}

static void own_and_die(void *context) {
    mailslot *slot;
    REQUIRE(mailslot_create(context, NULL, &slot) == 0);
    REQUIRE(mailslot_send(context, "unread", 6, 0) == 0);
    raise(SIGKILL);
}

void leave_dead_slot(const char *name) {
    char context[64];
    snprintf(context, sizeof context, "%s", name);
    int status = child_await(child_start(own_and_die, context));
    HOLDS(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

mailslot *create_at_once(const char *name, uint64_t max_bytes) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = max_bytes;
    mailslot *slot = NULL;
    int64_t begin_ms = now_ms();
    HOLDS(mailslot_create(name, &options, &slot) == 0);
    HOLDS(now_ms() - begin_ms < AT_ONCE_MS);
    return slot;
}

mailslot_writer *open_writer(const char *name) {
    mailslot_writer *writer = NULL;
    HOLDS(mailslot_open(name, &writer) == 0);
    return writer;
}

mailslot_info get_info(mailslot *slot) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    HOLDS(mailslot_get_info(slot, &info) == 0);
    return info;
}
