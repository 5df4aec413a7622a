/* SPDX-License-Identifier: MIT */
/* Other users, and directories that may not be written. */
#include "places.h"
#include "queue/step.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct meeting {
    _Atomic uint32_t is_ready;
    _Atomic uint32_t is_over;
};

static void own_as_a(void *context) {
    struct meeting *meeting = context;
    char buffer[8];
    size_t size;
    mailslot *slot;
    become(USER_A);
    REQUIRE(mailslot_create("theirs", NULL, &slot) == 0);
    REQUIRE(mailslot_send("theirs", "mine", 4, 0) == 0);
    meeting->is_ready = 1;
    REQUIRE(await_value(&meeting->is_over, 1));
    REQUIRE(mailslot_read(slot, buffer, sizeof buffer, 0, &size) == 0);
    REQUIRE(size == 4 && memcmp(buffer, "mine", 4) == 0);
    REQUIRE(mailslot_read(slot, buffer, sizeof buffer, 0, &size) == -EAGAIN);
    mailslot_close(slot);
}

static void own_as_a_and_die(void *context) {
    (void)context;
    mailslot *slot;
    become(USER_A);
    REQUIRE(mailslot_create("theirs", NULL, &slot) == 0);
    raise(SIGKILL);
}

static void meet_as_b(void *context) {
    (void)context;
    become(USER_B);
    require_refused("theirs", -EACCES);
}

static void reuse_as_a(void *context) {
    (void)context;
    mailslot *slot;
    become(USER_A);
    REQUIRE(mailslot_create("theirs", NULL, &slot) == 0);
    mailslot_close(slot);
}

START_TEST(the_slot_of_another_user_is_out_of_reach_even_for_root) {
    if (!can_become_others()) {
        return;
    }
    struct meeting *meeting = share(sizeof *meeting);
    pid_t owner = child_start(own_as_a, meeting);
    ck_assert(await_value(&meeting->is_ready, 1));
    child_finish(child_start(meet_as_b, NULL));
    require_refused("theirs", -EACCES);
    meeting->is_over = 1;
    child_finish(owner);
}
END_TEST

static void sweep_as_b(void *context) {
    (void)context;
    mailslot *slot;
    become(USER_B);
    REQUIRE(mailslot_create("mine", NULL, &slot) == 0);
    mailslot_close(slot);
}

START_TEST(the_dead_slot_of_another_user_is_left_to_that_user) {
    if (!can_become_others()) {
        return;
    }
    int status = child_await(child_start(own_as_a_and_die, NULL));
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    child_finish(child_start(meet_as_b, NULL));
    require_refused("theirs", -EACCES);
    child_finish(child_start(sweep_as_b, NULL));
    mailslot_close(create_at_once("mine", 0));
    ck_assert_int_eq(registry_files(), 1);
    child_finish(child_start(reuse_as_a, NULL));
}
END_TEST

static void plant_as_a(void *context) {
    char path[256];
    become(USER_A);
    registry_path("theirs", path);
    if (*(const bool *)context) {
        file_write(path, "Look at me.", 4096 + MIB);
    } else {
        REQUIRE(mkfifo(path, S_IRUSR | S_IWUSR) == 0);
    }
    REQUIRE(chmod(path, 0666) == 0);
}

START_TEST(whatever_another_user_puts_there_for_all_to_write_is_refused) {
    if (!can_become_others()) {
        return;
    }
    char path[256];
    registry_path("theirs", path);
    bool is_file[] = {true, false};
    for (size_t i = 0; i < COUNT(is_file); i++) {
        child_finish(child_start(plant_as_a, &is_file[i]));
        child_finish(child_start(meet_as_b, NULL));
        require_refused("theirs", -EACCES);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

/* B locks what it can: the directory and a file of its own. */
static void lock_as_b(void *context) {
    struct meeting *meeting = context;
    char path[256];
    become(USER_B);
    registry_path("blocked", path);
    file_write(path, "Mine.", 4096 + MIB);
    int file = open(path, O_RDWR | O_CLOEXEC);
    int directory = open(registry_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(file >= 0 && directory >= 0);
    REQUIRE(flock(file, LOCK_EX) == 0 && flock(directory, LOCK_EX) == 0);
    meeting->is_ready = 1;
    REQUIRE(await_value(&meeting->is_over, 1));
    REQUIRE(unlink(path) == 0);
}

static void use_a_slot(void *context) {
    (void)context;
    char buffer[8];
    size_t size;
    mailslot *slot;
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_create("ours", NULL, &slot) == 0);
    REQUIRE(mailslot_send("ours", "x", 1, 0) == 0);
    REQUIRE(mailslot_read(slot, buffer, sizeof buffer, 0, &size) == 0);
    mailslot_close(slot);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
    require_refused("blocked", -EACCES);
}

static void use_a_slot_as_a(void *context) {
    become(USER_A);
    use_a_slot(context);
}

START_TEST(a_lock_of_another_user_stops_nobody) {
    if (!can_become_others()) {
        return;
    }
    struct meeting *meeting = share(sizeof *meeting);
    pid_t locker = child_start(lock_as_b, meeting);
    ck_assert(await_value(&meeting->is_ready, 1));
    child_finish(child_start(use_a_slot_as_a, NULL));
    use_a_slot(NULL);
    meeting->is_over = 1;
    child_finish(locker);
}
END_TEST

/* Directories that may not be written. */

static void become_unprivileged(void) {
    if (geteuid() == 0) {
        become(USER_A);
    }
}

/* In a child: a directory of its own in the registry, with a dead slot in it. */
static void make_directory(char ret_path[256]) {
    snprintf(ret_path, 256, "%s/own", registry_directory());
    become_unprivileged();
    REQUIRE(mkdir(ret_path, S_IRWXU) == 0);
    setenv("MAILSLOT_DIR", ret_path, 1);
    pid_t pid = fork();
    if (pid == 0) {
        mailslot *slot;
        REQUIRE(mailslot_create("dead", NULL, &slot) == 0);
        raise(SIGKILL);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void remove_directory(const char *path) {
    mailslot *slot;
    REQUIRE(chmod(path, S_IRWXU) == 0);
    REQUIRE(mailslot_create("dead", NULL, &slot) == 0);
    mailslot_close(slot);
    REQUIRE(rmdir(path) == 0); /* so it is empty */
}

static void meet_unwritable(void *context) {
    (void)context;
    char path[256];
    mailslot *slot = NULL;
    make_directory(path);
    REQUIRE(chmod(path, S_IRUSR | S_IXUSR) == 0);
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_create("new", NULL, &slot) == -EACCES);
    REQUIRE(mailslot_create("dead", NULL, &slot) == -EACCES);
    REQUIRE(mailslot_send("new", "x", 1, 0) == -ENOENT);
    REQUIRE(mailslot_send("dead", "x", 1, 0) == -EACCES);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
    remove_directory(path);
}

START_TEST(a_directory_that_may_not_be_written_is_an_error_at_once) {
    if (geteuid() == 0) {
        can_become_others();
    }
    child_finish(child_start(meet_unwritable, NULL));
}
END_TEST

/* The directory is closed between the sweep and the publication; meanwhile a dead slot
 * has got the name of one of the two. */
static struct {
    char directory[256];
    char aside[300];
    char dead[300];
} closing;

static void close_directory(const char *name) {
    if (strcmp(name, "create.built") == 0) {
        REQUIRE(rename(closing.aside, closing.dead) == 0);
        REQUIRE(chmod(closing.directory, S_IRUSR | S_IXUSR) == 0);
    }
}

static void meet_closing(void *context) {
    mailslot *slot = NULL;
    make_directory(closing.directory);
    snprintf(closing.aside, sizeof closing.aside, "%s/aside", closing.directory);
    snprintf(closing.dead, sizeof closing.dead, "%s/mailslot.dead", closing.directory);
    REQUIRE(rename(closing.dead, closing.aside) == 0);
    int descriptors = count_descriptors();
    ms_step_hook = close_directory;
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_create(context, NULL, &slot) == -EACCES);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
    ms_step_hook = NULL;
    REQUIRE(slot == NULL && count_descriptors() == descriptors);
    remove_directory(closing.directory);
}

START_TEST(a_directory_that_is_closed_meanwhile_is_an_error_at_once) {
    char new[] = "new";
    char dead[] = "dead";
    if (geteuid() == 0) {
        can_become_others();
    }
    child_finish(child_start(meet_closing, new));
    child_finish(child_start(meet_closing, dead));
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("users");
    tcase_add_test(cases, the_slot_of_another_user_is_out_of_reach_even_for_root);
    tcase_add_test(cases, the_dead_slot_of_another_user_is_left_to_that_user);
    tcase_add_test(cases, whatever_another_user_puts_there_for_all_to_write_is_refused);
    tcase_add_test(cases, a_lock_of_another_user_stops_nobody);
    tcase_add_test(cases, a_directory_that_may_not_be_written_is_an_error_at_once);
    tcase_add_test(cases, a_directory_that_is_closed_meanwhile_is_an_error_at_once);
    return suite_run();
}
