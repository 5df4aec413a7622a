/* SPDX-License-Identifier: MIT */
/* A pipe as a signal. */
#include "os/pipe.h"

#include "os/error.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 64

/* The least that there is; one call clears it, whatever was written. */
#define PIPE_SIZE 4096

int ms_pipe_create(int *ret_reader, int *ret_writer, struct ms_pipe_name *ret_name) {
    int ends[2];
    struct ms_file_status status;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        return ms_error(errno);
    }
    int r = ms_file_status(ends[0], &status);
    if (r < 0) {
        ms_file_close(ends[0]);
        ms_file_close(ends[1]);
        return r;
    }
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE); /* may fail */
    *ret_reader = ends[0];
    *ret_writer = ends[1];
    *ret_name = (struct ms_pipe_name){.pid = (uint32_t)getpid(),
                                      .fd = (uint32_t)ends[0],
                                      .device = status.device,
                                      .inode = status.inode};
    return 0;
}

static bool has_name(int fd, const struct ms_pipe_name *name) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
           status.st_dev == name->device && status.st_ino == name->inode;
}

int ms_pipe_open(const struct ms_pipe_name *name, int *ret_fd) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%u/fd/%u", name->pid, name->fd);
    /* A place is not yet opened: a device would notice. */
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0) {
        return ms_error(errno);
    }
    int fd = -1;
    int r = -EBADMSG;
    if (has_name(place, name)) {
        snprintf(path, sizeof path, "/proc/thread-self/fd/%d", place);
        fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        r = fd < 0 ? ms_error(errno) : 0;
    }
    ms_file_close(place);
    if (r == 0) {
        *ret_fd = fd;
    }
    return r;
}

/* A full pipe is set already. */
void ms_pipe_set(int fd) {
    ssize_t n = write(fd, "", 1);
    (void)n;
}

bool ms_pipe_clear(int fd) {
    char bytes[PIPE_SIZE];
    return read(fd, bytes, sizeof bytes) > 0;
}

bool ms_pipe_wait(int fd, int timeout_ms) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    struct timespec time = {.tv_sec = timeout_ms / 1000,
                            .tv_nsec = timeout_ms % 1000 * 1000000L};
    sigset_t all; /* none cuts the wait short */
    sigfillset(&all);
    return ppoll(&entry, 1, &time, &all) > 0;
}
