/* SPDX-License-Identifier: MIT */
/* Limits of the process, and things in the way of a slot. */
#include "places.h"
#include "queue/layout.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rlimit saved;

static void limit_lower(__rlimit_resource_t resource, uint64_t value) {
    /* No ck_assert: it writes to a file. */
    HOLDS(getrlimit(resource, &saved) == 0);
    struct rlimit limit = {.rlim_cur = value, .rlim_max = saved.rlim_max};
    HOLDS(setrlimit(resource, &limit) == 0);
}

static void limit_lift(__rlimit_resource_t resource) {
    HOLDS(setrlimit(resource, &saved) == 0);
}

/* Nothing is left, and nothing keeps a slot of that name from being made. */
static void expect_free(const char *name, int files, int descriptors) {
    ck_assert_int_eq(registry_files(), files);
    ck_assert_int_eq(count_descriptors(), descriptors);
    mailslot_close(create_at_once(name, 0));
}

START_TEST(a_limit_on_file_sizes_is_an_error_and_no_signal) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = MIB;
    int descriptors = count_descriptors();
    const uint64_t limits[] = {0, 1, 4096, MIB, MIB + 4095};
    for (size_t i = 0; i < COUNT(limits); i++) {
        mailslot *slot = NULL;
        limit_lower(RLIMIT_FSIZE, limits[i]);
        int r = mailslot_create("limited", &options, &slot);
        limit_lift(RLIMIT_FSIZE);
        ck_assert_int_eq(r, -EFBIG);
        ck_assert_ptr_null(slot);
        expect_free("limited", 0, descriptors);
    }
    limit_lower(RLIMIT_FSIZE, MIB + 4096);
    mailslot *slot = create_at_once("limited", MIB);
    limit_lift(RLIMIT_FSIZE);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_limit_on_file_sizes_does_not_concern_sending_and_reading) {
    static char data[MIB / 4];
    mailslot *slot = create_at_once("limited", MIB);
    limit_lower(RLIMIT_FSIZE, 0);
    for (int i = 0; i < 10; i++) {
        size_t size = 0;
        int sent = mailslot_send("limited", data, sizeof data, 0);
        int got = mailslot_read(slot, data, sizeof data, 0, &size);
        HOLDS(sent == 0 && got == 0 && size == sizeof data);
    }
    limit_lift(RLIMIT_FSIZE);
    mailslot_close(slot);
}
END_TEST

/* Let this process open so many files more. */
static void limit_descriptors(int more) {
    int end = 0;
    for (int is_free = 0; is_free < more || fcntl(end, F_GETFD) >= 0; end++) {
        is_free += fcntl(end, F_GETFD) < 0;
    }
    limit_lower(RLIMIT_NOFILE, (uint64_t)end);
}

static int create_limited(const char *name, int more) {
    mailslot *slot = NULL;
    limit_descriptors(more);
    int r = mailslot_create(name, NULL, &slot);
    limit_lift(RLIMIT_NOFILE);
    mailslot_close(slot);
    return r;
}

static void post_above_limit(void *context) {
    static const char data[50000];
    mailslot_writer *writer;
    (void)context;
    become(USER_A);
    REQUIRE(mailslot_open("box", &writer) == 0);
    limit_lower(RLIMIT_FSIZE, sizeof data - 1);
    REQUIRE(mailslot_writer_send(writer, data, sizeof data, 0) == -EFBIG);
    REQUIRE(mailslot_writer_send(writer, data, 1, 0) == 0);
    limit_lift(RLIMIT_FSIZE);
    REQUIRE(mailslot_writer_send(writer, data, sizeof data, 0) == 0);
    mailslot_writer_close(writer);
}

/* There, a large message travels in a file. */
START_TEST(a_limit_on_file_sizes_is_an_error_when_sending_to_another_user) {
    if (!can_become_others()) {
        return;
    }
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot;
    options.mode = 0622;
    ck_assert_int_eq(mailslot_create("box", &options, &slot), 0);
    child_finish(child_start(post_above_limit, NULL));
    ck_assert_uint_eq(get_info(slot).count, 2);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_create_without_descriptors_leaves_nothing) {
    int descriptors = count_descriptors();
    ck_assert_int_eq(create_limited("new", 0), -EMFILE);
    ck_assert_int_eq(create_limited("new", 1), 0);
    leave_dead_slot("dead");
    ck_assert_int_eq(create_limited("dead", 0), -EMFILE);
    ck_assert_int_eq(create_limited("dead", 1), -EMFILE);
    ck_assert_int_eq(registry_files(), 1);
    ck_assert_int_eq(create_limited("dead", 2), 0);
    mailslot *slot = create_at_once("live", 0);
    ck_assert_int_eq(create_limited("live", 0), -EMFILE);
    ck_assert_int_eq(create_limited("live", 1), -EMFILE);
    ck_assert_int_eq(create_limited("live", 2), -EEXIST);
    mailslot_close(slot);
    expect_free("new", 0, descriptors);
}
END_TEST

START_TEST(opening_and_sending_without_descriptors_change_nothing) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot_writer *writer = NULL;
    mailslot *slot = create_at_once("live", 0);
    int descriptors = count_descriptors();
    limit_descriptors(0);
    int opened = mailslot_open("live", &writer);
    int sent = mailslot_send("live", "x", 1, 0);
    int told = mailslot_get_info_by_name("live", &info);
    limit_lift(RLIMIT_NOFILE);
    ck_assert_int_eq(opened, -EMFILE);
    ck_assert_int_eq(sent, -EMFILE);
    ck_assert_int_eq(told, -EMFILE);
    ck_assert_ptr_null(writer);
    ck_assert_int_eq(count_descriptors(), descriptors);
    ck_assert_uint_eq(get_info(slot).received, 0);
    mailslot_close(slot);
}
END_TEST

/* Let this process map so many bytes more. A sanitizer's address space is too large to
 * be limited. */
static bool limit_memory(uint64_t more) {
    unsigned long long pages = 0;
    FILE *stream = fopen("/proc/self/statm", "re");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fscanf(stream, "%llu", &pages), 1);
    fclose(stream);
    if (pages >= UINT64_C(1) << 28) {
        return false;
    }
    limit_lower(RLIMIT_AS, pages * (uint64_t)sysconf(_SC_PAGESIZE) + more);
    return true;
}

START_TEST(a_create_without_address_space_leaves_nothing) {
    mailslot_close(create_at_once("new", 0)); /* the stack grows now */
    int descriptors = count_descriptors();
    for (uint64_t more = 4 * KIB; more <= 512 * MIB; more *= 2) {
        mailslot *slot = NULL;
        if (!limit_memory(more)) {
            printf("skipped: this address space is too large to be limited\n");
            return;
        }
        int r = mailslot_create("new", NULL, &slot);
        limit_lift(RLIMIT_AS);
        ck_assert_int_eq(r, -ENOMEM);
        ck_assert_ptr_null(slot);
        expect_free("new", 0, descriptors);
    }
}
END_TEST

START_TEST(opening_and_sending_without_address_space_change_nothing) {
    static const char large[100000];
    mailslot_writer *writer = NULL;
    mailslot *slot = create_at_once("live", 0);
    int descriptors = count_descriptors();
    for (uint64_t more = 4 * KIB; more <= 512 * MIB; more *= 2) {
        if (!limit_memory(more)) {
            printf("skipped: this address space is too large to be limited\n");
            break;
        }
        int opened = mailslot_open("live", &writer);
        int sent = mailslot_send("live", large, sizeof large, 0);
        limit_lift(RLIMIT_AS);
        ck_assert_int_eq(opened, -ENOMEM);
        ck_assert_int_eq(sent, -ENOMEM);
        ck_assert_int_eq(count_descriptors(), descriptors);
    }
    ck_assert_uint_eq(get_info(slot).received, 0);
    mailslot_close(slot);
}
END_TEST

/* Things where a slot would be. */

enum thing { GARBAGE, EMPTY, ZEROS, FOLDER, DANGLING_LINK, LINK, PIPE, SOCKET, THINGS };

static void plant(enum thing thing, const char *path) {
    char target[256];
    registry_path("target", target);
    switch (thing) {
    case GARBAGE:
        file_write(path, "This is not a mailslot.", 100000);
        return;
    case EMPTY:
        file_write(path, "", 0);
        return;
    case ZEROS:
        file_write(path, "", 4096 + MIB);
        return;
    case FOLDER:
        ck_assert_int_eq(mkdir(path, S_IRWXU), 0);
        return;
    case DANGLING_LINK:
        ck_assert_int_eq(symlink("/nonexistent", path), 0);
        return;
    case LINK:
        ck_assert_int_eq(symlink(target, path), 0);
        return;
    case PIPE:
        ck_assert_int_eq(mkfifo(path, S_IRUSR | S_IWUSR), 0);
        return;
    default:
        ck_assert_int_eq(mknod(path, S_IFSOCK | S_IRUSR | S_IWUSR, 0), 0);
    }
}

/* The process's own place in /proc is empty from then on. */
static void await_main_threads_end(void) {
    int64_t end_ms = now_ms() + DEADLINE_MS;
    while (access("/proc/self/fd/2", F_OK) == 0) {
        REQUIRE(now_ms() < end_ms);
        nap_us(1000);
    }
}

static void *outlive_main_thread(void *context) {
    (void)context;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.mode = 0622;
    mailslot *slot;
    size_t size;
    char byte;
    await_main_threads_end();
    REQUIRE(mailslot_create("orphan", &options, &slot) == 0);
    REQUIRE(mailslot_send("orphan", "x", 1, 0) == 0);
    REQUIRE(mailslot_read(slot, &byte, 1, 0, &size) == 0);
    mailslot_close(slot);
    _exit(EXIT_SUCCESS);
}

static void end_main_thread(void *context) {
    pthread_t thread;
    (void)context;
    REQUIRE(pthread_create(&thread, NULL, outlive_main_thread, NULL) == 0);
    pthread_exit(NULL);
}

START_TEST(a_process_whose_main_thread_has_ended_can_own_a_slot) {
    child_finish(child_start(end_main_thread, NULL));
    ck_assert_int_eq(registry_files(), 0);
}
END_TEST

static void *create_in_thread(void *context) {
    *(mailslot **)context = create_at_once("thread", 0);
    return NULL;
}

/* Who joins a thread goes on some moments before the kernel is done with it. */
START_TEST(the_slot_of_a_thread_that_has_just_ended_leaves_no_mapping) {
    for (int i = 0; i < 2000; i++) {
        pthread_t thread;
        mailslot *slot = NULL;
        ck_assert_int_eq(pthread_create(&thread, NULL, create_in_thread, &slot), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        mailslot_close(slot);
        ck_assert_msg(!has_mapped_files(), "thread %d", i);
    }
}
END_TEST

START_TEST(what_is_not_a_slot_keeps_its_name) {
    char path[256];
    registry_path("taken", path);
    mailslot *target = create_at_once("target", 0);
    for (int thing = 0; thing < THINGS; thing++) {
        plant((enum thing)thing, path);
        require_refused("taken", -EBADMSG);
        struct stat before = file_look(path);
        mailslot_close(create_at_once("another", 0)); /* looks for dead slots, too */
        struct stat after = file_look(path);
        ck_assert(file_is_same(&before, &after));
        ck_assert_int_eq(remove(path), 0);
        ck_assert_uint_eq(get_info(target).received, 0);
    }
    mailslot_close(target);
}
END_TEST

START_TEST(a_link_to_a_dead_slot_is_not_followed) {
    char path[256];
    char target[256];
    char elsewhere[256];
    registry_path("taken", path);
    registry_path("target", target);
    mailslot *slot = create_at_once("keeper", 0);
    leave_dead_slot("target");
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", registry_directory());
    ck_assert_int_eq(rename(target, elsewhere), 0);
    ck_assert_int_eq(symlink(elsewhere, path), 0);
    struct stat before = file_look(elsewhere);
    require_refused("taken", -EBADMSG);
    struct stat after = file_look(elsewhere);
    ck_assert(file_is_same(&before, &after));
    ck_assert_int_eq(unlink(elsewhere), 0);
    ck_assert_int_eq(unlink(path), 0);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_directory_that_is_not_there_has_no_slots) {
    mailslot *slot = NULL;
    mailslot_writer *writer = NULL;
    setenv("MAILSLOT_DIR", "/nonexistent", 1);
    ck_assert_int_eq(mailslot_create("slot", NULL, &slot), -ENOENT);
    ck_assert_int_eq(mailslot_open("slot", &writer), -ENOENT);
    ck_assert_int_eq(mailslot_send("slot", "x", 1, 0), -ENOENT);
    setenv("MAILSLOT_DIR", "/dev/null", 1);
    ck_assert_int_eq(mailslot_create("slot", NULL, &slot), -ENOENT);
    ck_assert_int_eq(mailslot_send("slot", "x", 1, 0), -ENOENT);
}
END_TEST

START_TEST(a_directory_that_depends_on_where_the_process_is_is_refused) {
    mailslot *slot = NULL;
    mailslot_writer *writer = NULL;
    ck_assert_int_eq(chdir(registry_directory()), 0);
    setenv("MAILSLOT_DIR", ".", 1);
    ck_assert_int_eq(mailslot_create("slot", NULL, &slot), -EINVAL);
    ck_assert_int_eq(mailslot_open("slot", &writer), -EINVAL);
    ck_assert_int_eq(mailslot_send("slot", "x", 1, 0), -EINVAL);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* Other versions of the library. */

struct other_version {
    off_t offset;
    uint32_t value;
    _Atomic uint32_t is_ready;
};

static void own_other_version(void *context) {
    struct other_version *other = context;
    char path[256];
    mailslot *slot;
    REQUIRE(mailslot_create("other", NULL, &slot) == 0);
    registry_path("other", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    REQUIRE(pwrite(fd, &other->value, sizeof other->value, other->offset) ==
            sizeof other->value);
    close(fd);
    other->is_ready = 1;
    pause();
}

/* A slot whose header has that value there: alive, then dead. */
static void check_other_version(off_t offset, uint32_t value) {
    struct other_version *other = share(sizeof *other);
    other->offset = offset;
    other->value = value;
    pid_t owner = child_start(own_other_version, other);
    ck_assert(await_value(&other->is_ready, 1));
    require_refused("other", -EBADMSG);
    mailslot_close(create_at_once("another", 0));
    ck_assert_int_eq(registry_files(), 1);
    child_kill(owner);
    mailslot *slot = create_at_once("another", 0);
    ck_assert_int_eq(registry_files(), 1);
    mailslot_close(slot);
}

START_TEST(a_slot_of_another_version_is_left_alone_while_it_lives_and_swept_then) {
    check_other_version(offsetof(struct ms_header, version), MS_VERSION + 1);
    check_other_version(offsetof(struct ms_header, record_size), 8);
    check_other_version(offsetof(struct ms_header, capacity), 12345);
}
END_TEST

START_TEST(a_dead_slot_of_another_version_gives_up_its_name) {
    char path[256];
    uint32_t version = MS_VERSION + 1;
    registry_path("dead", path);
    leave_dead_slot("dead");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(
        pwrite(fd, &version, sizeof version, offsetof(struct ms_header, version)),
        sizeof version);
    close(fd);
    ck_assert_int_eq(mailslot_send("dead", "x", 1, 0), -ENOENT);
    ck_assert_int_eq(registry_files(), 0);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("limits");
    tcase_add_test(cases, a_limit_on_file_sizes_is_an_error_and_no_signal);
    tcase_add_test(cases, a_limit_on_file_sizes_does_not_concern_sending_and_reading);
    tcase_add_test(cases,
                   a_limit_on_file_sizes_is_an_error_when_sending_to_another_user);
    tcase_add_test(cases, a_create_without_descriptors_leaves_nothing);
    tcase_add_test(cases, opening_and_sending_without_descriptors_change_nothing);
    tcase_add_test(cases, a_create_without_address_space_leaves_nothing);
    tcase_add_test(cases, opening_and_sending_without_address_space_change_nothing);
    tcase_add_test(cases, a_process_whose_main_thread_has_ended_can_own_a_slot);
    tcase_add_test(cases, the_slot_of_a_thread_that_has_just_ended_leaves_no_mapping);
    tcase_add_test(cases, what_is_not_a_slot_keeps_its_name);
    tcase_add_test(cases, a_link_to_a_dead_slot_is_not_followed);
    tcase_add_test(cases, a_directory_that_is_not_there_has_no_slots);
    tcase_add_test(cases, a_directory_that_depends_on_where_the_process_is_is_refused);
    tcase_add_test(
        cases, a_slot_of_another_version_is_left_alone_while_it_lives_and_swept_then);
    tcase_add_test(cases, a_dead_slot_of_another_version_gives_up_its_name);
    return suite_run();
}
