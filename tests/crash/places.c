/* SPDX-License-Identifier: MIT */
/* Places where memory is short, and streams to send through them. */
#include "places.h"

#include "note.h"
#include "queue/step.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORD_BYTES 24
#define PAUSE_US 50

static bool write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return is_written;
}

/* Mounts of its own, in a process that stays the user that it is. */
static bool enter_namespace(void) {
    char uids[64];
    char gids[64];
    snprintf(uids, sizeof uids, "%u %u 1", geteuid(), geteuid());
    snprintf(gids, sizeof gids, "%u %u 1", getegid(), getegid());
    if (geteuid() == 0) {
        if (unshare(CLONE_NEWNS) < 0) {
            return false;
        }
    } else if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
               !write_text("/proc/self/setgroups", "deny") ||
               !write_text("/proc/self/uid_map", uids) ||
               !write_text("/proc/self/gid_map", gids)) {
        return false;
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int probe(void) {
    bool can = enter_namespace() &&
               mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL) == 0;
    return can ? 0 : errno;
}

bool place_is_mountable(void) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit(probe());
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        printf("skipped: mounting a file system is not permitted: %s\n",
               strerror(WEXITSTATUS(status)));
        return false;
    }
    return true;
}

void place_mount(const char *options) {
    char data[128];
    snprintf(data, sizeof data, "mode=0700,%s", options);
    ck_assert(enter_namespace());
    ck_assert_int_eq(
        mount("tmpfs", registry_directory(), "tmpfs", MS_NOSUID | MS_NODEV, data), 0);
}

void place_unmount(void) {
    ck_assert_int_eq(registry_files(), 0);
    ck_assert_int_eq(umount2(registry_directory(), MNT_DETACH), 0);
}

uint64_t place_free(void) {
    struct statvfs status;
    ck_assert_int_eq(statvfs(registry_directory(), &status), 0);
    return (uint64_t)status.f_bfree * status.f_bsize;
}

void file_write(const char *path, const char *text, off_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    REQUIRE(size == 0 || ftruncate(fd, size) == 0);
    close(fd);
}

struct stat file_look(const char *path) {
    struct stat status;
    REQUIRE(lstat(path, &status) == 0);
    return status;
}

bool file_is_same(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
           a->st_size == b->st_size && a->st_blocks == b->st_blocks &&
           a->st_nlink == b->st_nlink && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void require_refused(const char *name, int error) {
    char path[256];
    mailslot *slot = NULL;
    mailslot_writer *writer = NULL;
    mailslot_info info = MAILSLOT_INFO_INIT;
    registry_path(name, path);
    struct stat before = file_look(path);
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_create(name, NULL, &slot) == error);
    REQUIRE(mailslot_open(name, &writer) == error);
    REQUIRE(mailslot_send(name, "x", 1, MAILSLOT_FOREVER) == error);
    REQUIRE(mailslot_get_info_by_name(name, &info) == error);
    REQUIRE(slot == NULL && writer == NULL);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
    struct stat after = file_look(path);
    REQUIRE(file_is_same(&before, &after));
}

static uint32_t size_of(const struct stream *stream, uint32_t writer, uint32_t index) {
    uint64_t random = (uint64_t)writer << 32 | index;
    next_random(&random);
    bool is_large = next_random(&random) % stream->large_every == 0;
    return next_random(&random) %
           ((is_large ? stream->size_max : stream->size_max / 32) + 1);
}

/* Message number index of that writer. Returns its size. */
static uint32_t compose(const struct stream *stream, char *buffer, uint32_t writer,
                        uint32_t index) {
    uint32_t size = size_of(stream, writer, index);
    if (size < NOTE_SIZE_MIN) {
        memset(buffer, (int)(writer + 2 * index), size);
    } else {
        note_write(buffer, writer, index, size);
    }
    return size;
}

static struct stream *waiting;

static void count_wait(const char *name) {
    if (strcmp(name, "space.waiting") == 0) {
        waiting->waits++;
    }
}

static void pause_ahead(const struct stream *stream, mailslot_writer *writer) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    REQUIRE(mailslot_writer_get_info(writer, &info) == 0);
    while (info.bytes > stream->ahead) {
        nap_us(PAUSE_US);
        REQUIRE(mailslot_writer_get_info(writer, &info) == 0);
    }
}

static void send_until_taken(struct stream *stream, mailslot_writer *writer,
                             const char *data, uint32_t size) {
    for (;;) {
        int r = mailslot_writer_send(writer, data, size, stream->timeout_ms);
        if (r == 0) {
            return;
        }
        REQUIRE(stream->timeout_ms == 0 && (r == -ENOSPC || r == -EAGAIN));
        stream->refusals++;
        sched_yield();
    }
}

static char *make_buffer(const struct stream *stream) {
    return malloc(stream->size_max / 8 * 8 + 8);
}

static void write_stream(struct stream *stream, uint32_t number) {
    waiting = stream;
    ms_step_hook = count_wait;
    char *buffer = make_buffer(stream);
    mailslot_writer *writer = NULL;
    REQUIRE(buffer && mailslot_open(stream->name, &writer) == 0);
    for (uint32_t i = 0; i < stream->count; i++) {
        if (stream->ahead) {
            pause_ahead(stream, writer);
        }
        uint32_t size = compose(stream, buffer, number, i);
        send_until_taken(stream, writer, buffer, size);
    }
    mailslot_writer_close(writer);
    free(buffer);
    stream->running--;
}

struct job {
    struct stream *stream;
    uint32_t number;
};

static void run_writer(void *context) {
    const struct job *job = context;
    write_stream(job->stream, job->number);
}

void stream_start(struct stream *stream) {
    stream->expected = make_buffer(stream);
    stream->running = STREAM_WRITERS;
    for (uint32_t i = 0; i < STREAM_WRITERS; i++) {
        struct job job = {stream, i};
        stream->writers[i] = child_start(run_writer, &job);
    }
}

bool stream_is_running(const struct stream *stream) {
    uint32_t ended = 0;
    for (uint32_t i = 0; i < STREAM_WRITERS; i++) {
        ended += child_has_ended(stream->writers[i]);
    }
    uint32_t running = stream->running;
    HOLDS(ended + running <= STREAM_WRITERS);
    return running > 0;
}

void stream_take(struct stream *stream, mailslot *slot) {
    mailslot_message message;
    int r = mailslot_peek(slot, DEADLINE_MS, &message);
    if (r < 0) {
        ck_abort_msg("message %llu: %s", (unsigned long long)stream->taken,
                     mailslot_error_name(r));
    }
    uint32_t number = 0;
    while (number < STREAM_WRITERS &&
           (uint32_t)stream->writers[number] != message.pid) {
        number++;
    }
    HOLDS(number < STREAM_WRITERS && message.sequence == stream->taken + 1);
    uint32_t size = compose(stream, stream->expected, number, stream->next[number]);
    HOLDS(message.size == size);
    HOLDS(size == 0 || memcmp(message.data, stream->expected, size) == 0);
    HOLDS(mailslot_consume(slot) == 0);
    stream->next[number]++;
    stream->taken++;
    stream->taken_bytes += RECORD_BYTES + size;
}

void stream_finish(struct stream *stream, mailslot *slot) {
    while (stream->taken < (uint64_t)stream->count * STREAM_WRITERS) {
        stream_take(stream, slot);
    }
    for (uint32_t i = 0; i < STREAM_WRITERS; i++) {
        child_finish(stream->writers[i]);
        ck_assert_uint_eq(stream->next[i], stream->count);
    }
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    free(stream->expected);
}

uint64_t queued_bytes(mailslot *slot) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    HOLDS(mailslot_get_info(slot, &info) == 0);
    return info.bytes + info.count * RECORD_BYTES;
}
