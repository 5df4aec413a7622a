/* SPDX-License-Identifier: MIT */
/* Other users' files where a slot or its letterbox should be: a clear error at once. */
#include "places.h"
#include "queue/step.h"
#include "users.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SLOT "jobs"

enum kind { REGULAR, OPEN_TO_ALL, SYMLINK, DANGLING, FIFO, DIRECTORY, SOCKET, KINDS };

static void plant_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path) + 1;
    REQUIRE(size <= sizeof address.sun_path);
    memcpy(address.sun_path, path, size);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(chmod(path, 0666) == 0);
    close(fd);
}

static void plant(const char *path, enum kind kind) {
    switch (kind) {
    case REGULAR:
    case OPEN_TO_ALL:
        file_write(path, "Mine.", 4096 + MIB);
        REQUIRE(chmod(path, kind == REGULAR ? 0600 : 0666) == 0);
        break;
    case SYMLINK:
        REQUIRE(symlink("/etc/passwd", path) == 0);
        break;
    case DANGLING:
        REQUIRE(symlink("nowhere", path) == 0);
        break;
    case FIFO:
        REQUIRE(mkfifo(path, 0600) == 0 && chmod(path, 0666) == 0);
        break;
    case DIRECTORY:
        REQUIRE(mkdir(path, 0700) == 0 && chmod(path, 0777) == 0);
        break;
    default:
        plant_socket(path);
    }
}

struct squat {
    char path[256];
    enum kind kind;
    int error;
};

static void plant_as_b(void *context) {
    const struct squat *squat = context;
    become(USER_B);
    plant(squat->path, squat->kind);
}

static void remove_planted(const struct squat *squat) {
    ck_assert_int_eq(
        squat->kind == DIRECTORY ? rmdir(squat->path) : unlink(squat->path), 0);
}

static void meet_as_a(void *context) {
    const struct squat *squat = context;
    become(USER_A);
    require_refused(SLOT, squat->error);
}

/* EACCES for what could be a slot of that user, EBADMSG for what could not. */
static const int errors_at_slot[KINDS] = {-EACCES, -EACCES,  -EBADMSG, -EBADMSG,
                                          -EACCES, -EBADMSG, -EBADMSG};

START_TEST(a_file_of_another_user_at_a_slots_name_is_a_clear_error_at_once) {
    if (!can_become_others()) {
        return;
    }
    struct squat squat = {.kind = (enum kind)_i, .error = errors_at_slot[_i]};
    uint32_t uid = 0;
    registry_path(SLOT, squat.path);
    child_finish(child_start(plant_as_b, &squat));
    child_finish(child_start(meet_as_a, &squat));
    require_refused(SLOT, squat.error);
    ck_assert_int_eq(mailslot_get_owner(SLOT, &uid), 0);
    ck_assert_uint_eq(uid, USER_B);
    remove_planted(&squat);
}
END_TEST

static void find_letterbox(char ret_path[256]) {
    registry_path(SLOT, ret_path);
    struct stat status = file_look(ret_path);
    snprintf(ret_path, 256, "%s/mailslot-%llx", registry_directory(),
             (unsigned long long)status.st_ino);
}

/* The instant between the slot's name and its letterbox's. */
static struct squat *squatting;

static void plant_at_letterbox(const char *step) {
    if (strcmp(step, "create.published") == 0) {
        find_letterbox(squatting->path);
        child_finish(child_start(plant_as_b, squatting));
    }
}

START_TEST(a_file_of_another_user_at_a_new_letterboxs_name_is_a_clear_error_at_once) {
    if (!can_become_others()) {
        return;
    }
    struct squat squat = {.kind = (enum kind)_i};
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    options.mode = 0622;
    squatting = &squat;
    ms_step_hook = plant_at_letterbox;
    ck_assert_int_eq(mailslot_create(SLOT, &options, &slot), -EACCES);
    ms_step_hook = NULL;
    ck_assert_ptr_null(slot);
    /* Root removes it on the way; a directory stays. */
    ck_assert_int_eq(registry_files(), squat.kind == DIRECTORY);
    if (squat.kind == DIRECTORY) {
        remove_planted(&squat);
    }
    slot = create_at_once(SLOT, 0);
    mailslot_close(slot);
}
END_TEST

struct meeting {
    _Atomic uint32_t is_ready;
    _Atomic uint32_t is_over;
};

static void own_as_a(void *context) {
    struct meeting *meeting = context;
    mailslot *slot;
    become(USER_A);
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == 0);
    meeting->is_ready = 1;
    REQUIRE(await_value(&meeting->is_over, 1));
    mailslot_close(slot);
}

static void send_as_other(void *context) {
    (void)context;
    mailslot_writer *writer = NULL;
    mailslot_info info = MAILSLOT_INFO_INIT;
    become(USER_B - 1);
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_open(SLOT, &writer) == -EBADMSG);
    REQUIRE(mailslot_send(SLOT, "x", 1, MAILSLOT_FOREVER) == -EBADMSG);
    REQUIRE(mailslot_get_info_by_name(SLOT, &info) == -EBADMSG);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
}

START_TEST(a_file_of_a_third_user_at_a_letterboxs_name_is_a_clear_error_at_once) {
    if (!can_become_others()) {
        return;
    }
    struct meeting *meeting = share(sizeof *meeting);
    struct squat squat = {.kind = (enum kind)_i};
    pid_t owner = child_start(own_as_a, meeting);
    ck_assert(await_value(&meeting->is_ready, 1));
    find_letterbox(squat.path);
    child_finish(child_start(plant_as_b, &squat));
    child_finish(child_start(send_as_other, NULL));
    meeting->is_over = 1;
    child_finish(owner);
    remove_planted(&squat);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("squatters");
    tcase_add_loop_test(cases,
                        a_file_of_another_user_at_a_slots_name_is_a_clear_error_at_once,
                        0, KINDS);
    tcase_add_loop_test(
        cases, a_file_of_another_user_at_a_new_letterboxs_name_is_a_clear_error_at_once,
        0, KINDS);
    tcase_add_loop_test(
        cases, a_file_of_a_third_user_at_a_letterboxs_name_is_a_clear_error_at_once, 0,
        KINDS);
    return suite_run();
}
