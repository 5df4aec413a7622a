/* SPDX-License-Identifier: MIT */
/* Files in a memory file system. */
#include "os/file.h"

#include "os/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

/* What makes a file that was written once the same for ever. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Writing beyond the limit would raise SIGXFSZ, so it is asked for first. */
static int check_limit(uint64_t size) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size ? -EFBIG : 0;
}

static int set_size(int fd, uint64_t size) {
    int r = check_limit(size);
    if (r < 0) {
        return r;
    }
    /* fchmod: the umask of the process must not lock it out of its own slot. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0 || ftruncate(fd, (off_t)size) < 0) {
        return ms_error(errno);
    }
    return 0;
}

static int open_error(int error) {
    switch (error) {
    case ELOOP: /* a symbolic link */
    case ENXIO: /* a socket */
        return -EBADMSG;
    case ENOTDIR:
    case EISDIR:
    case EOPNOTSUPP: /* a directory whose file system has no files without a name */
        return -ENOENT;
    default:
        return ms_error(error);
    }
}

int ms_file_create(const char *directory, uint64_t size, int *ret_fd) {
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return open_error(errno);
    }
    int r = set_size(fd, size);
    if (r < 0) {
        ms_file_close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

int ms_file_link(int fd, const char *path) {
    char self[sizeof "/proc/thread-self/fd/" + 3 * sizeof fd];
    snprintf(self, sizeof self, "/proc/thread-self/fd/%d", fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0) {
        return ms_error(errno);
    }
    return 0;
}

int ms_file_open(const char *path, int *ret_fd) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return errno == EISDIR ? -EBADMSG : open_error(errno);
    }
    *ret_fd = fd;
    return 0;
}

int ms_file_close(int fd) {
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static struct ms_file_status describe(const struct stat *status) {
    return (struct ms_file_status){.device = status->st_dev,
                                   .inode = status->st_ino,
                                   .size = (uint64_t)status->st_size,
                                   .uid = status->st_uid,
                                   .is_regular = S_ISREG(status->st_mode)};
}

int ms_file_status(int fd, struct ms_file_status *ret_status) {
    struct stat status;
    if (fstat(fd, &status) < 0) {
        return ms_error(errno);
    }
    *ret_status = describe(&status);
    return 0;
}

int ms_file_look(const char *path, struct ms_file_status *ret_status) {
    struct stat status;
    if (lstat(path, &status) < 0) {
        return ms_error(errno);
    }
    *ret_status = describe(&status);
    return 0;
}

bool ms_file_is_at(int fd, const char *path) {
    struct stat here;
    struct stat there;
    return fstat(fd, &here) == 0 && lstat(path, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int ms_file_remove(const char *path) {
    return unlink(path) < 0 && errno != ENOENT ? ms_error(errno) : 0;
}

/* The system moves at most 2 GiB at once. Not with the C library's functions, for the
 * reason at allocate: both are called in turns. */
int ms_file_read_at(int fd, void *buffer, size_t size, uint64_t offset) {
    size_t done = 0;
    while (done < size) {
        long n = syscall(SYS_pread64, fd, (char *)buffer + done, size - done,
                         (off_t)(offset + done));
        if (n < 0 && errno != EINTR) {
            return ms_error(errno);
        }
        if (n == 0) {
            return -EBADMSG;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int ms_file_write_at(int fd, const void *data, size_t size, uint64_t offset) {
    int r = check_limit(offset + size);
    size_t done = 0;
    while (r == 0 && done < size) {
        long n = syscall(SYS_pwrite64, fd, (const char *)data + done, size - done,
                         (off_t)(offset + done));
        if (n < 0 && errno != EINTR) {
            r = ms_error(errno);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return r;
}

static int write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR) {
            return ms_error(errno);
        }
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Some systems refuse files that could be executed, others do not know the difference.
 */
static int create_sealable(void) {
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("mailslot", flags | MFD_NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("mailslot", flags) : fd;
}

int ms_file_seal(const void *data, size_t size, int *ret_fd) {
    int r = check_limit(size);
    if (r < 0) {
        return r;
    }
    int fd = create_sealable();
    if (fd < 0) {
        return ms_error(errno);
    }
    r = write_all(fd, data, size);
    if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0) {
        r = ms_error(errno);
    }
    if (r < 0) {
        ms_file_close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

bool ms_file_is_sealed(int fd) {
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS;
}

int ms_file_lock(int fd) {
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? ms_error(errno) : 0;
}

bool ms_file_is_locked(int fd) {
    /* Shared: two that ask at once must not see each other. */
    if (flock(fd, LOCK_SH | LOCK_NB) < 0) {
        return true;
    }
    flock(fd, LOCK_UN);
    return false;
}

/* A signal that arrives meanwhile makes it start again. Not with the C library's
 * function, in which a thread can be cancelled: that would leave a turn without an end.
 */
static int allocate(int fd, int mode, uint64_t offset, uint64_t size) {
    _Static_assert(sizeof(off_t) == sizeof(long), "one register for an offset");
    long r;
    do {
        r = syscall(SYS_fallocate, fd, mode, (off_t)offset, (off_t)size);
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        return errno == EOPNOTSUPP ? -ENOSYS : ms_error(errno);
    }
    return 0;
}

int ms_file_reserve(int fd, uint64_t offset, uint64_t size) {
    return allocate(fd, 0, offset, size);
}

int ms_file_give_back(int fd, uint64_t offset, uint64_t size) {
    return allocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
}

uint64_t ms_file_space(int fd) {
    struct statfs status;
    if (fstatfs(fd, &status) < 0) {
        return 0;
    }
    return status.f_blocks ? status.f_bavail * (uint64_t)status.f_bsize : UINT64_MAX;
}
