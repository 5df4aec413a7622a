/* SPDX-License-Identifier: MIT */
/* The registry: from names to regions. */
#include "linux/registry.h"

#include "os/clock.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/lock.h"
#include "os/memory.h"
#include "os/process.h"
#include "queue/step.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DIRECTORY_DEFAULT "/dev/shm"
#define DIRECTORY_VARIABLE "MAILSLOT_DIR"
#define FILE_PREFIX "mailslot."
#define LETTERBOX_PREFIX "mailslot-"

/* What a sweep looks at, at most: it costs some microseconds a file. */
#define SWEEP_FILES 256

const char *ms_registry_directory(void) {
    const char *directory = ms_process_variable(DIRECTORY_VARIABLE);
    return directory && *directory ? directory : DIRECTORY_DEFAULT;
}

int ms_registry_path(const struct ms_name *name, char ret_path[MS_PATH_SIZE]) {
    const char *directory = ms_registry_directory();
    if (directory[0] != '/') {
        return -EINVAL; /* the program may go elsewhere before it removes the file */
    }
    int size = snprintf(ret_path, MS_PATH_SIZE, "%s/" FILE_PREFIX "%s", directory,
                        name->folded);
    return size < MS_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

int ms_registry_letterbox(const char *path, uint64_t inode,
                          char ret_path[MS_PATH_SIZE]) {
    int directory_size = (int)(strrchr(path, '/') - path);
    int size = snprintf(ret_path, MS_PATH_SIZE, "%.*s/" LETTERBOX_PREFIX "%llx",
                        directory_size, path, (unsigned long long)inode);
    return size < MS_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

/* What another user has put there is none. */
static int remove_letterbox(const char *letterbox) {
    struct ms_file_status status;
    int r = ms_file_remove(letterbox);
    MS_STEP("remove.letterbox");
    bool is_theirs = r < 0 && ms_file_look(letterbox, &status) == 0 &&
                     status.uid != ms_process_uid();
    return is_theirs ? 0 : r;
}

/* The letterbox goes before the slot's file does: so who finds no file need not look
 * for a letterbox. Most slots have none. */
static int remove_files(int fd, const char *path) {
    char letterbox[MS_PATH_SIZE];
    struct ms_file_status status;
    int r = ms_file_status(fd, &status);
    if (r == 0) {
        r = ms_registry_letterbox(path, status.inode, letterbox);
    }
    if (r == 0) {
        r = remove_letterbox(letterbox);
    }
    return r < 0 ? r : ms_file_remove(path);
}

/* Writers that still map the region must not keep the memory of what nobody can read.
 * A writer in its turn needs it, hence the lock; closed keeps later ones out. */
static void retire(struct ms_header *header, int fd, int64_t deadline_ns) {
    if (ms_lock_wait(&header->write_lock, deadline_ns) == 0) {
        struct ms_file_status status;
        if (ms_file_status(fd, &status) == 0) {
            ms_file_give_back(fd, MS_HEADER_SIZE, status.size - MS_HEADER_SIZE);
        }
        MS_STEP("remove.given_back");
        ms_lock_release(&header->write_lock);
    }
}

int ms_registry_remove(struct ms_header *header, int fd, const char *path,
                       int64_t patience_ns) {
    int64_t deadline_ns = ms_clock_now_ns() + patience_ns;
    /* First, so that it holds even if the lock cannot be had. Release: with the acquire
     * in ms_region_is_alive. */
    atomic_store_explicit(&header->closed, 1, memory_order_release);
    MS_STEP("remove.closed");
    int r = ms_lock_wait(&header->removal_lock, deadline_ns);
    if (r < 0) {
        return r;
    }
    ms_lock_keep(&header->removal_lock);
    MS_STEP("remove.locked");
    retire(header, fd, deadline_ns);
    if (ms_file_is_at(fd, path)) {
        MS_STEP("remove.found");
        r = remove_files(fd, path);
        MS_STEP("remove.removed");
    }
    ms_lock_drop(&header->removal_lock);
    return r;
}

/* A slot of another version of this library: its memory means nothing to us, but
 * its first word and the lock on its file do. */
static int remove_foreign(int fd, const char *path) {
    uint64_t magic = 0;
    int r = ms_file_read_at(fd, &magic, sizeof magic, 0);
    if (r < 0 || magic != MS_MAGIC) {
        return -EBADMSG;
    }
    if (ms_file_lock(fd) < 0) {
        return -EEXIST;
    }
    return ms_file_is_at(fd, path) ? remove_files(fd, path) : 0;
}

/* Whether the slot of a mapped region is alive, whatever its owner died of. */
static bool is_alive(const struct ms_region *region) {
    return ms_region_is_alive(region->header) && ms_file_is_locked(region->fd);
}

/* Takes fd over. Returns 0 when the name is free now; without patience also when only
 * the removal has failed, but for -EACCES. Else -EEXIST, a living slot has it and is in
 * *ret_region, or another error. */
static int inspect(int fd, const char *path, int64_t patience_ns,
                   struct ms_region *ret_region) {
    int r = ms_region_map(fd, ret_region);
    if (r < 0) {
        r = r == -EBADMSG ? remove_foreign(fd, path) : r;
        ms_file_close(fd);
        return r == -EEXIST ? -EBADMSG : r;
    }
    if (is_alive(ret_region)) {
        return -EEXIST;
    }
    r = ms_registry_remove(ret_region->header, fd, path, patience_ns);
    ms_region_close(ret_region);
    return patience_ns || r == -EACCES ? r : 0;
}

int ms_registry_find(const char *path, struct ms_region *ret_region) {
    int fd;
    int r = ms_file_open(path, &fd);
    if (r == 0) {
        r = inspect(fd, path, 0, ret_region);
    }
    switch (r) {
    case -EEXIST:
        return 0;
    case 0:
        return -ENOENT;
    default:
        return r;
    }
}

/* As inspect, for who does not want the living slot. */
static int clear(const char *path, int64_t patience_ns) {
    int fd;
    int r = ms_file_open(path, &fd);
    if (r < 0) {
        return r == -ENOENT ? 0 : r;
    }
    struct ms_region region;
    r = inspect(fd, path, patience_ns, &region);
    if (r == -EEXIST) {
        ms_region_close(&region);
    }
    return r;
}

int ms_registry_publish(const struct ms_region *region, const char *path) {
    for (;;) {
        int r = ms_file_link(region->fd, path);
        if (r != -EEXIST) {
            return r;
        }
        MS_STEP("publish.taken");
        r = clear(path, MS_PATIENCE_NS);
        if (r < 0) {
            return r;
        }
    }
}

/* Whether the path is that of a living slot, seen without mapping it, because nearly
 * all are. When in doubt it is not. */
static bool is_living(const char *path) {
    int fd;
    if (ms_file_open(path, &fd) < 0) {
        return false;
    }
    struct ms_header header = {0};
    int r = ms_file_read_at(fd, &header, sizeof header, 0);
    bool is_ours = r == 0 && header.magic == MS_MAGIC && header.version == MS_VERSION &&
                   header.record_size == MS_RECORD_SIZE;
    bool is_living = is_ours && ms_region_is_alive(&header) && ms_file_is_locked(fd);
    ms_file_close(fd);
    return is_living;
}

struct sweep {
    const char *directory;
    uint32_t uid;
    int files;
};

static bool sweep_file(const char *name, void *context) {
    struct sweep *sweep = context;
    if (strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) != 0) {
        return true;
    }
    char path[MS_PATH_SIZE];
    int size = snprintf(path, sizeof path, "%s/%s", sweep->directory, name);
    if (size < (int)sizeof path && ms_directory_has_file_of(path, sweep->uid)) {
        if (!is_living(path)) {
            clear(path, 0);
        }
        sweep->files++;
    }
    return sweep->files < SWEEP_FILES;
}

void ms_registry_sweep(void) {
    struct sweep sweep = {.directory = ms_registry_directory(),
                          .uid = ms_process_uid()};
    ms_directory_walk(sweep.directory, sweep_file, &sweep);
}
