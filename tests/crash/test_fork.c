/* SPDX-License-Identifier: MIT */
/* Forked and executed children of an owner: they cannot disturb its slot, and keep
 * nothing of it alive when it dies (cases 92 to 94). */
#include "note.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOT "jobs"
#define PAGE 4096

/* Where a process has files of the registry in its memory. */
struct mapping {
    unsigned char *start;
    unsigned char *end;
};

static size_t find_mappings(struct mapping *ret_mappings, size_t limit) {
    FILE *maps = fopen("/proc/self/maps", "re");
    REQUIRE(maps);
    size_t count = 0;
    char line[512];
    while (fgets(line, sizeof line, maps)) {
        struct mapping *found = &ret_mappings[count];
        if (strstr(line, registry_directory())) {
            REQUIRE(count < limit);
            REQUIRE(sscanf(line, "%p-%p", (void **)&found->start,
                           (void **)&found->end) == 2);
            count++;
        }
    }
    fclose(maps);
    return count;
}

/* What a test has open: the slot with one message shown and one not, and a writer. */
struct handles {
    mailslot *slot;
    mailslot_writer *writer;
    mailslot_message shown;
    struct mapping mappings[8];
    size_t mappings_count;
};

static void send_note(mailslot_writer *writer, uint32_t index) {
    _Alignas(8) unsigned char buffer[2000];
    note_write(buffer, 0, index, sizeof buffer);
    ck_assert_int_eq(mailslot_writer_send(writer, buffer, sizeof buffer, 0), 0);
}

static struct handles open_handles(void) {
    struct handles handles = {.slot = create_at_once(SLOT, UINT64_C(1) << 20)};
    handles.writer = open_writer(SLOT);
    send_note(handles.writer, 0);
    send_note(handles.writer, 1);
    ck_assert_int_eq(mailslot_peek(handles.slot, 0, &handles.shown), 0);
    handles.mappings_count = find_mappings(handles.mappings, COUNT(handles.mappings));
    ck_assert_uint_ge(handles.mappings_count, 2);
    return handles;
}

/* Nothing happened to the slot: the message is shown still, the other one is next. */
static void check_and_close(struct handles *handles) {
    struct note note;
    ck_assert(note_read(handles->shown.data, handles->shown.size, &note));
    ck_assert_uint_eq(note.index, 0);
    ck_assert_uint_eq(get_info(handles->slot).count, 2);
    ck_assert_int_eq(mailslot_peek(handles->slot, 0, &handles->shown), 0);
    ck_assert(note_read(handles->shown.data, handles->shown.size, &note));
    ck_assert_uint_eq(note.index, 1);
    ck_assert_int_eq(mailslot_consume(handles->slot), 0);
    send_note(handles->writer, 2);
    ck_assert_uint_eq(get_info(handles->slot).count, 1);
    mailslot_writer_close(handles->writer);
    mailslot_close(handles->slot);
}

static void have_no_mapping(void *context) {
    (void)context;
    struct mapping mappings[8];
    REQUIRE(find_mappings(mappings, COUNT(mappings)) == 0);
}

START_TEST(a_forked_child_has_no_mapping_of_a_slot) {
    struct handles handles = open_handles();
    child_finish(child_start(have_no_mapping, NULL));
    check_and_close(&handles);
}
END_TEST

/* Every page where the parent has the slot: writing there is a fault. */
static void write_garbage(void *context) {
    struct handles *handles = context;
    for (size_t i = 0; i < handles->mappings_count; i++) {
        const struct mapping *mapping = &handles->mappings[i];
        for (unsigned char *page = mapping->start; page < mapping->end; page += PAGE) {
            unsigned char vector;
            REQUIRE(mincore(page, PAGE, &vector) < 0 && errno == ENOMEM);
        }
    }
    signal(SIGSEGV, SIG_DFL);
    memset(handles->mappings[0].start, 0xff, PAGE);
}

START_TEST(a_forked_child_that_writes_where_the_slot_was_kills_only_itself) {
    struct handles handles = open_handles();
    int status = child_await(child_start(write_garbage, &handles));
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    check_and_close(&handles);
}
END_TEST

static void use_and_close(void *context) {
    struct handles *handles = context;
    char byte = 0;
    size_t size;
    mailslot_message message;
    REQUIRE(mailslot_read(handles->slot, &byte, 1, 0, &size) == -EBADF);
    REQUIRE(mailslot_peek(handles->slot, 0, &message) == -EBADF);
    REQUIRE(mailslot_consume(handles->slot) == -EBADF);
    REQUIRE(mailslot_unpeek(handles->slot) == -EBADF);
    REQUIRE(mailslot_wait(handles->slot, 0) == -EBADF);
    REQUIRE(mailslot_cancel(handles->slot) == -EBADF);
    REQUIRE(mailslot_set_timeout(handles->slot, 1) == -EBADF);
    REQUIRE(mailslot_writer_send(handles->writer, "x", 1, 0) == -EBADF);
    mailslot_close(handles->slot);
    mailslot_writer_close(handles->writer);
}

static void exit_at_once(void *context) {
    (void)context;
    exit(EXIT_SUCCESS);
}

static void die_at_once(void *context) {
    (void)context;
    raise(SIGKILL);
}

START_TEST(case_94_a_forked_child_that_ends_leaves_the_slot_alive) {
    struct handles handles = open_handles();
    child_finish(child_start(use_and_close, &handles));
    child_finish(child_start(exit_at_once, NULL));
    child_kill(child_start(die_at_once, NULL));
    mailslot *slot;
    ck_assert_int_eq(mailslot_create(SLOT, NULL, &slot), -EEXIST);
    ck_assert_int_eq(registry_files(), 1);
    check_and_close(&handles);
}
END_TEST

/* An owner whose child lives longer than it. */
struct family {
    _Atomic uint32_t child;
    bool is_executed;
};

static void live_on(const struct family *family) {
    if (family->is_executed) {
        execlp("sleep", "sleep", "1000", (char *)NULL);
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

static void own_with_child(void *context) {
    struct family *family = context;
    mailslot *slot;
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == 0);
    REQUIRE(mailslot_send(SLOT, "unread", 6, 0) == 0);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        live_on(family);
    }
    atomic_store(&family->child, (uint32_t)pid);
    pause();
}

/* Whether anybody has the lock of the slot's file. */
static bool is_locked(void) {
    char path[256];
    registry_path(SLOT, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    bool is = flock(fd, LOCK_EX | LOCK_NB) < 0;
    close(fd);
    return is;
}

static bool has_become_sleep(uint32_t pid) {
    char path[64];
    char target[256] = "";
    snprintf(path, sizeof path, "/proc/%u/exe", pid);
    ssize_t size = readlink(path, target, sizeof target - 1);
    return size > 0 && !strstr(target, "crash");
}

/* Kill an owner whose child, which inherited the lock on the file, lives on. */
static pid_t kill_owner(struct family *family, mailslot_writer **ret_writer) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t owner = child_start(own_with_child, family);
    int64_t end_ms = now_ms() + DEADLINE_MS;
    while (!atomic_load(&family->child) && now_ms() < end_ms) {
        nap_us(1000);
    }
    pid_t child = (pid_t)atomic_load(&family->child);
    ck_assert_int_gt(child, 0);
    while (family->is_executed && !has_become_sleep((uint32_t)child) &&
           now_ms() < end_ms) {
        nap_us(1000);
    }
    *ret_writer = open_writer(SLOT);
    child_kill(owner);
    ck_assert_int_eq(kill(child, 0), 0);
    return child;
}

static void send_and_create(void *context) {
    (void)context;
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_send(SLOT, "x", 1, 0) == -ENOENT);
    mailslot *slot;
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == 0);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
    mailslot_close(slot);
}

static void create_only(void *context) {
    (void)context;
    mailslot *slot;
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == 0);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
    mailslot_close(slot);
}

static void check_killed_owner(bool is_executed, child_main *sequel) {
    struct family *family = share(sizeof *family);
    family->is_executed = is_executed;
    mailslot_writer *writer;
    pid_t child = kill_owner(family, &writer);
    ck_assert(is_locked() == !is_executed);
    child_finish(child_start(sequel, NULL));
    ck_assert_int_eq(mailslot_writer_send(writer, "x", 1, 0), -EPIPE);
    mailslot_writer_close(writer);
    ck_assert_int_eq(registry_files(), 0);
    child_kill(child);
}

START_TEST(case_92_a_forked_child_that_outlives_the_owner_does_not_keep_the_name) {
    check_killed_owner(false, _i ? create_only : send_and_create);
}
END_TEST

START_TEST(case_93_an_executed_child_that_outlives_the_owner_does_not_keep_the_name) {
    check_killed_owner(true, _i ? create_only : send_and_create);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("fork");
    tcase_add_test(cases, a_forked_child_has_no_mapping_of_a_slot);
    tcase_add_test(cases,
                   a_forked_child_that_writes_where_the_slot_was_kills_only_itself);
    tcase_add_loop_test(cases, case_94_a_forked_child_that_ends_leaves_the_slot_alive,
                        0, 3);
    tcase_add_loop_test(
        cases, case_92_a_forked_child_that_outlives_the_owner_does_not_keep_the_name, 0,
        2);
    tcase_add_loop_test(
        cases, case_93_an_executed_child_that_outlives_the_owner_does_not_keep_the_name,
        0, 2);
    return suite_run();
}
