/* SPDX-License-Identifier: MIT */
/* Files in a memory file system. All calls return 0 or a negative errno. */
#ifndef MS_OS_FILE_H
#define MS_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ms_file_status {
    uint64_t device;
    uint64_t inode;
    uint64_t size; /* bytes */
    uint32_t uid;
    bool is_regular;
};

/* A sparse file without a name, mode 0600, that nobody else can open. The
 * descriptor is close-on-exec, here and below. -EFBIG: above RLIMIT_FSIZE. */
int ms_file_create(const char *directory, uint64_t size, int *ret_fd);

/* Give a file without a name its name. -EEXIST: taken. */
int ms_file_link(int fd, const char *path);

/* Open an existing file to read and write; never waits, never follows a symbolic
 * link. -EBADMSG: there is something, but nothing that opens as a file. */
int ms_file_open(const char *path, int *ret_fd);

/* A negative descriptor is allowed. Returns -1: `fd = ms_file_close(fd)`. */
int ms_file_close(int fd);

int ms_file_status(int fd, struct ms_file_status *ret_status);

/* As ms_file_status, of what lies at a path, a symbolic link included. */
int ms_file_look(const char *path, struct ms_file_status *ret_status);

/* Whether the path still means this file. */
bool ms_file_is_at(int fd, const char *path);

/* What has gone by itself is removed, too. */
int ms_file_remove(const char *path);

/* Read exactly size bytes. -EBADMSG: the file is shorter. */
int ms_file_read_at(int fd, void *buffer, size_t size, uint64_t offset);

/* Write all of it inside the file. */
int ms_file_write_at(int fd, const void *data, size_t size, uint64_t offset);

/* A copy of data, in a file that has no name and can never be changed any more.
 * -EFBIG: above RLIMIT_FSIZE. */
int ms_file_seal(const void *data, size_t size, int *ret_fd);

/* Whether a file is in memory and can be changed no more, by nobody. */
bool ms_file_is_sealed(int fd);

/* A lock on the whole file that lives as long as the open file: it is released when the
 * last process that has it has gone. -EAGAIN: held by somebody. */
int ms_file_lock(int fd);

/* Whether another open file holds that lock. */
bool ms_file_is_locked(int fd);

/* Make sure that the file has memory for this range. -ENOSPC: nothing changed; -ENOSYS:
 * its file system cannot do that. */
int ms_file_reserve(int fd, uint64_t offset, uint64_t size);

/* Give the memory of this range back; it reads as zeros afterwards. */
int ms_file_give_back(int fd, uint64_t offset, uint64_t size);

/* Bytes that are free in its file system; UINT64_MAX if that has no bound, 0 if it
 * cannot be told. */
uint64_t ms_file_space(int fd);

#endif
