/* SPDX-License-Identifier: MIT */
/*
 * The suite, the registry and the limits of the conformance tests. Slots are files in
 * the directory MAILSLOT_DIR, named mailslot.<name>.
 */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const __rlimit_resource_t limited[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_FSIZE};

#define LIMITED (sizeof limited / sizeof *limited)

static struct {
    Suite *suite;
    char root[64];      /* of this program */
    char directory[96]; /* of this test: MAILSLOT_DIR */
    char hidden[112];
    bool is_mounted;
    int descriptors; /* before the test */
    int mapped_files;
    struct rlimit limits[LIMITED];
} state;

/* Entries of a directory, without . and .. */
static int count_entries(const char *path) {
    DIR *stream = opendir(path);
    ck_assert_msg(stream != NULL, "cannot look into %s: %s", path, strerror(errno));
    int count = 0;
    for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(stream);
    return count;
}

static FILE *open_text(const char *path) {
    FILE *stream = fopen(path, "re");
    ck_assert_msg(stream != NULL, "cannot read %s: %s", path, strerror(errno));
    return stream;
}

static int count_lines_with(FILE *stream, const char *text) {
    char line[512];
    int count = 0;
    while (fgets(line, sizeof line, stream)) {
        count += strstr(line, text) != NULL;
    }
    return count;
}

/* Mappings of files in the registry, whether or not these still have a name. */
static int count_mapped_files(void) {
    FILE *maps = open_text("/proc/self/maps");
    int count = count_lines_with(maps, state.root);
    fclose(maps);
    return count;
}

static void set_up(void) {
    snprintf(state.directory, sizeof state.directory, "%s/XXXXXX", state.root);
    ck_assert_ptr_nonnull(mkdtemp(state.directory));
    setenv("MAILSLOT_DIR", state.directory, 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that what children leave is seen here */
    for (size_t i = 0; i < LIMITED; i++) {
        getrlimit(limited[i], &state.limits[i]);
    }
    state.descriptors = count_entries("/proc/self/fd");
    state.mapped_files = count_mapped_files();
}

static void tear_down(void) {
    limits_lift();
    ck_assert_msg(registry_files() == 0, "%d files are left", registry_files());
    ck_assert_msg(count_entries("/proc/self/fd") == state.descriptors,
                  "descriptors are left");
    ck_assert_msg(count_mapped_files() == state.mapped_files, "mappings are left");
    ck_assert_msg(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a child is left");
    if (state.is_mounted) {
        umount2(state.directory, MNT_DETACH);
    }
    ck_assert_int_eq(rmdir(state.directory), 0);
}

TCase *suite_begin(const char *theme) {
    snprintf(state.root, sizeof state.root, "/dev/shm/mailslot-test-XXXXXX");
    if (!mkdtemp(state.root)) {
        perror(state.root);
        exit(EXIT_FAILURE);
    }
    state.suite = suite_create(theme);
    TCase *cases = tcase_create(theme);
    tcase_set_timeout(cases, 4.0 * DEADLINE_MS / 1000);
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

void skip(const char *reason) {
    fprintf(stderr, "%s: skipped: %s\n", tcase_name(), reason);
}

int registry_files(void) {
    return count_entries(state.directory);
}

int64_t registry_memory(void) {
    DIR *stream = opendir(state.directory);
    ck_assert_ptr_nonnull(stream);
    int64_t blocks = 0;
    for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        struct stat status;
        if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode)) {
            blocks += status.st_blocks;
        }
    }
    closedir(stream);
    return blocks * 512;
}

/* The output of ls -l, which shows where each descriptor leads. */
static int count_descriptors(const char *command) {
    FILE *listing = popen(command, "re");
    ck_assert_ptr_nonnull(listing);
    int count = count_lines_with(listing, state.root);
    ck_assert_int_eq(pclose(listing), 0);
    return count;
}

int registry_descriptors(void) {
    char command[64];
    snprintf(command, sizeof command, "ls -l /proc/%d/fd", (int)getpid());
    return count_descriptors(command);
}

int registry_descriptors_executed(void) {
    return count_descriptors("exec ls -l /proc/self/fd");
}

void registry_hide(void) {
    snprintf(state.hidden, sizeof state.hidden, "%s.hidden", state.directory);
    ck_assert_int_eq(rename(state.directory, state.hidden), 0);
}

void registry_show(void) {
    ck_assert_int_eq(rename(state.hidden, state.directory), 0);
}

void registry_name(bool is_absolute) {
    ck_assert_int_eq(chdir("/"), 0);
    setenv("MAILSLOT_DIR", state.directory + !is_absolute, 1);
}

void registry_let_others(bool write) {
    ck_assert_int_eq(chmod(state.root, 0755), 0);
    ck_assert_int_eq(chmod(state.directory, write ? 01777 : 0755), 0);
}

static const char *plant_path(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/mailslot.%s", state.directory, name);
    return path;
}

static void plant_text(const char *path) {
    FILE *stream = fopen(path, "we");
    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < 1000; i++) {
        fputs("This is not a mailslot.\n", stream);
    }
    ck_assert_int_eq(fclose(stream), 0);
}

bool registry_plant(const char *name, enum plant kind) {
    const char *path = plant_path(name);
    switch (kind) {
    case PLANT_TEXT:
        plant_text(path);
        return true;
    case PLANT_FOLDER:
        return mkdir(path, S_IRWXU) == 0;
    case PLANT_LINK:
        return symlink("mailslot.real", path) == 0;
    case PLANT_PIPE:
        return mkfifo(path, S_IRUSR | S_IWUSR) == 0;
    case PLANT_FOREIGN:
        plant_text(path);
        return chown(path, SUPPORT_OTHER_USER, SUPPORT_OTHER_USER) == 0;
    }
    return false;
}

void registry_unplant(const char *name) {
    ck_assert_int_eq(remove(plant_path(name)), 0);
}

bool registry_shrink(size_t bytes) {
    char options[64];
    snprintf(options, sizeof options, "size=%zu,mode=0700", bytes);
    if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
        return false;
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        return false;
    }
    state.is_mounted =
        mount("tmpfs", state.directory, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
    return state.is_mounted;
}

static bool set_limit(__rlimit_resource_t resource, uint64_t value) {
    struct rlimit limit;
    getrlimit(resource, &limit);
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    return setrlimit(resource, &limit) == 0 && limit.rlim_cur == value;
}

bool limit_descriptors(int more) {
    int end = 0;
    for (int is_free = 0; is_free < more || fcntl(end, F_GETFD) >= 0; end++) {
        is_free += fcntl(end, F_GETFD) < 0;
    }
    return set_limit(RLIMIT_NOFILE, (uint64_t)end);
}

int64_t own_memory(void) {
    FILE *stream = open_text("/proc/self/statm");
    long long pages = 0;
    ck_assert_int_eq(fscanf(stream, "%lld", &pages), 1);
    fclose(stream);
    return pages * sysconf(_SC_PAGESIZE);
}

/* A sanitizer's address space is too large to be limited. */
bool limit_memory(size_t more) {
    int64_t size = own_memory();
    return size < INT64_C(1) << 40 && set_limit(RLIMIT_AS, (uint64_t)size + more);
}

bool limit_file_size(uint64_t size) {
    return set_limit(RLIMIT_FSIZE, size);
}

void limits_lift(void) {
    for (size_t i = 0; i < LIMITED; i++) {
        setrlimit(limited[i], &state.limits[i]);
    }
}

bool raise_descriptors(int count) {
    return set_limit(RLIMIT_NOFILE, (uint64_t)count) ||
           state.limits[0].rlim_cur >= (rlim_t)count;
}
