/* SPDX-License-Identifier: MIT */
/*
 * A pipe as a signal: its reading end can be read from after somebody has set it, who
 * may be a thread of another process of this user. Nothing here waits, but for
 * ms_pipe_wait. All calls return 0 or a negative errno.
 */
#ifndef MS_OS_PIPE_H
#define MS_OS_PIPE_H

#include <stdbool.h>
#include <stdint.h>

/* What tells a pipe from all else. */
struct ms_pipe_name {
    uint32_t pid;
    uint32_t fd; /* one of its ends in that process */
    uint64_t device;
    uint64_t inode;
};

/* Close both ends with ms_file_close. */
int ms_pipe_create(int *ret_reader, int *ret_writer, struct ms_pipe_name *ret_name);

/* Open a pipe of another process, to set it. What has not this name is not opened. The
 * descriptor is a reading end, too, so that to set it never raises SIGPIPE. */
int ms_pipe_open(const struct ms_pipe_name *name, int *ret_fd);

void ms_pipe_set(int fd);
bool ms_pipe_clear(int fd);                /* whether it was set */
bool ms_pipe_wait(int fd, int timeout_ms); /* whether it is set within that time */

#endif
