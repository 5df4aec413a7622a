/* SPDX-License-Identifier: MIT */
/* The calls of the system that the library makes. */
#include "calls.h"

#include "queue/step.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* What each can fail with where the library makes it, as its manual page has it. Calls
 * without an error fail only for arguments that the library does not pass. */
const struct call calls[] = {
    {"accept4", {EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM}},
    {"bind", {EACCES, EADDRINUSE, EDQUOT, ENOMEM, ENOSPC, EROFS}},
    {"calloc", {ENOMEM}},
    {"chmod", {EACCES, ENOENT, ENOMEM, EPERM, EROFS}},
    {"close", {EINTR, EIO}},
    {"closedir", {EINTR}},
    {"connect",
     {EACCES, EAGAIN, ECONNREFUSED, EINTR, ENOBUFS, ENOMEM, EPERM, EPROTOTYPE}},
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", {ENOMEM, ENOSPC}},
    {"epoll_wait", {EINTR}},
    {"eventfd", {EMFILE, ENFILE, ENOMEM}},
    {"eventfd_read", {0}},
    {"eventfd_write", {0}},
    {"fallocate", {EDQUOT, EINTR, EIO, ENOMEM, ENOSPC, EOPNOTSUPP}},
    {"fallocate.punch", {EINTR, EIO, ENOMEM, ENOSPC, EOPNOTSUPP}},
    {"fchmod", {EIO, ENOMEM, EPERM, EROFS}},
    {"fcntl.pipe", {ENOMEM, EPERM}},
    {"fcntl.seal", {0}},
    {"fcntl.seals", {0}},
    {"flock", {ENOLCK}},
    {"fstat", {ENOMEM}},
    {"fstatfs", {EIO, ENOMEM, ENOSYS}},
    {"ftruncate", {EDQUOT, EFBIG, EIO, ENOMEM, ENOSPC, EPERM}},
    {"futex.wait", {EAGAIN, EINTR, ENOMEM, ETIMEDOUT}},
    {"futex.wake", {0}},
    {"get_robust_list", {ENOSYS, EPERM}},
    {"getrlimit", {0}},
    {"gettid", {0}},
    {"getsockopt", {0}},
    {"lchown", {EACCES, EDQUOT, ENOENT, ENOMEM, EPERM, EROFS}},
    {"linkat",
     {EACCES, EDQUOT, EIO, ENAMETOOLONG, ENOENT, ENOMEM, ENOSPC, EPERM, EROFS}},
    {"listen", {0}},
    {"lstat", {EACCES, ENOENT, ENOMEM}},
    {"madvise", {EAGAIN, ENOMEM}},
    {"malloc", {ENOMEM}},
    {"membarrier", {ENOSYS, EPERM}},
    {"memfd_create", {EINVAL, EMFILE, ENFILE, ENOMEM}},
    {"mmap", {EAGAIN, ENFILE, ENOMEM}},
    {"mprotect", {ENOMEM}},
    {"munmap", {0}},
    {"open",
     {EACCES, EIO, EISDIR, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, ENOTDIR, ENXIO, EPERM,
      EROFS}},
    {"open.new",
     {EACCES, EDQUOT, EIO, EISDIR, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC,
      ENOTDIR, EOPNOTSUPP, EPERM, EROFS}},
    {"open.directory", {EACCES, EIO, EMFILE, ENFILE, ENOENT, ENOMEM}},
    {"open.path", {EACCES, EIO, EMFILE, ENFILE, ENOENT, ENOMEM}},
    {"opendir", {EACCES, EMFILE, ENFILE, ENOENT, ENOMEM, ENOTDIR}},
    {"pidfd_open", {EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM}},
    {"pipe2", {EMFILE, ENFILE}},
    {"poll", {EINTR, ENOMEM}},
    {"ppoll", {EINTR, ENOMEM}},
    {"ppoll.nap", {EINTR}},
    {"pread", {CALL_SHORT, EINTR, EIO, ENOMEM}},
    {"pthread_atfork", {ENOMEM}},
    {"pthread_create", {EAGAIN}},
    {"pthread_join", {0}},
    {"pthread_setcancelstate", {0}},
    {"pthread_sigmask", {0}},
    {"pwrite", {CALL_SHORT, EDQUOT, EFBIG, EINTR, EIO, ENOMEM, ENOSPC}},
    {"read", {0}},
    {"readdir", {EIO, ENOENT}},
    {"recvmsg", {EAGAIN, ENOMEM}},
    {"sched_getaffinity", {EINVAL}},
    {"sendmsg", {EAGAIN, ECONNRESET, EMSGSIZE, ENOBUFS, ENOMEM, EPIPE}},
    {"sendmsg.passing", {EAGAIN, ECONNRESET, ENOBUFS, ENOMEM, EPIPE, ETOOMANYREFS}},
    {"setsockopt", {0}},
    {"shutdown", {ENOTCONN}},
    {"socket", {EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM}},
    {"tgkill", {0}},
    {"unlink", {EACCES, EBUSY, EIO, EISDIR, ENOENT, ENOMEM, EPERM, EROFS}},
    {"write", {CALL_SHORT, EDQUOT, EFBIG, EINTR, EIO, ENOMEM, ENOSPC}},
    {"write.pipe", {0}},
};
const size_t call_count = sizeof calls / sizeof *calls;

const struct call *call_find(const char *name) {
    for (size_t i = 0; i < call_count; i++) {
        if (strcmp(calls[i].name, name) == 0) {
            return &calls[i];
        }
    }
    return NULL;
}

static _Thread_local int planned;

void call_fail(int error) {
    planned = error;
}

/* Passes the step. Returns 0, or how the call has to fail. */
static int pass(const char *name) {
    int before = errno;
    MS_STEP(name);
    int error = planned;
    planned = 0;
    errno = error > 0 ? error : before;
    return error;
}

#define CALL(type, failure, name, parameters, ...)        \
    type fault_##name parameters;                         \
    type fault_##name parameters {                        \
        return pass(#name) ? failure : name(__VA_ARGS__); \
    }

/* As CALL, of what is done even if it fails. */
#define DONE(type, name, parameters, argument) \
    type fault_##name parameters;              \
    type fault_##name parameters {             \
        int error = pass(#name);               \
        type r = name(argument);               \
        errno = error ? error : errno;         \
        return error ? -1 : r;                 \
    }

CALL(int, -1, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),
     fd, address, length, flags)
CALL(int, -1, bind, (int fd, const struct sockaddr *address, socklen_t length), fd,
     address, length)
CALL(void *, NULL, calloc, (size_t count, size_t size), count, size)
CALL(int, -1, chmod, (const char *path, mode_t mode), path, mode)
DONE(int, close, (int fd), fd)
DONE(int, closedir, (DIR * stream), stream)
CALL(int, -1, connect, (int fd, const struct sockaddr *address, socklen_t length), fd,
     address, length)
CALL(int, -1, epoll_create1, (int flags), flags)
CALL(int, -1, epoll_ctl, (int poll, int what, int fd, struct epoll_event *event), poll,
     what, fd, event)
CALL(int, -1, epoll_wait,
     (int poll, struct epoll_event *events, int count, int wait_ms), poll, events,
     count, wait_ms)
CALL(int, -1, eventfd, (unsigned count, int flags), count, flags)
CALL(int, -1, eventfd_read, (int fd, eventfd_t *count), fd, count)
CALL(int, -1, eventfd_write, (int fd, eventfd_t count), fd, count)
CALL(int, -1, fchmod, (int fd, mode_t mode), fd, mode)
CALL(int, -1, flock, (int fd, int what), fd, what)
CALL(int, -1, fstat, (int fd, struct stat *status), fd, status)
CALL(int, -1, fstatfs, (int fd, struct statfs *status), fd, status)
CALL(int, -1, ftruncate, (int fd, off_t size), fd, size)
CALL(int, -1, getrlimit, (__rlimit_resource_t resource, struct rlimit *limit), resource,
     limit)
CALL(int, -1, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
     fd, level, name, value, length)
CALL(int, -1, lchown, (const char *path, uid_t user, gid_t group), path, user, group)
CALL(int, -1, linkat, (int from, const char *old, int to, const char *path, int flags),
     from, old, to, path, flags)
CALL(int, -1, listen, (int fd, int backlog), fd, backlog)
CALL(int, -1, lstat, (const char *path, struct stat *status), path, status)
CALL(int, -1, madvise, (void *memory, size_t size, int advice), memory, size, advice)
CALL(void *, NULL, malloc, (size_t size), size)
CALL(int, -1, memfd_create, (const char *name, unsigned flags), name, flags)
CALL(void *, MAP_FAILED, mmap,
     (void *at, size_t size, int protection, int flags, int fd, off_t offset), at, size,
     protection, flags, fd, offset)
CALL(int, -1, mprotect, (void *memory, size_t size, int protection), memory, size,
     protection)
CALL(int, -1, munmap, (void *memory, size_t size), memory, size)
CALL(DIR *, NULL, opendir, (const char *path), path)
CALL(int, -1, pipe2, (int *ends, int flags), ends, flags)
CALL(int, -1, poll, (struct pollfd * polled, nfds_t count, int wait_ms), polled, count,
     wait_ms)
CALL(int, -1, ppoll,
     (struct pollfd * polled, nfds_t count, const struct timespec *wait,
      const sigset_t *mask),
     polled, count, wait, mask)
CALL(int, errno, pthread_atfork,
     (void (*before)(void), void (*parent)(void), void (*child)(void)), before, parent,
     child)
CALL(int, errno, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
      void *context),
     thread, attributes, run, context)
CALL(int, errno, pthread_join, (pthread_t thread, void **result), thread, result)
CALL(int, errno, pthread_setcancelstate, (int state, int *before), state, before)
CALL(int, errno, pthread_sigmask, (int how, const sigset_t *mask, sigset_t *before),
     how, mask, before)
CALL(ssize_t, -1, read, (int fd, void *buffer, size_t size), fd, buffer, size)
CALL(struct dirent *, NULL, readdir, (DIR * stream), stream)
CALL(ssize_t, -1, recvmsg, (int fd, struct msghdr *header, int flags), fd, header,
     flags)
CALL(int, -1, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set), pid, size,
     set)
CALL(int, -1, setsockopt,
     (int fd, int level, int name, const void *value, socklen_t length), fd, level,
     name, value, length)
CALL(int, -1, shutdown, (int fd, int how), fd, how)
CALL(int, -1, socket, (int domain, int type, int protocol), domain, type, protocol)
CALL(int, -1, tgkill, (pid_t process, pid_t thread, int signal), process, thread,
     signal)

/* Whose file is not there any more: somebody has been quicker. */
int fault_unlink(const char *path);
int fault_unlink(const char *path) {
    int error = pass("unlink");
    int r = error == 0 || error == ENOENT ? unlink(path) : -1;
    errno = error ? error : errno;
    return error ? -1 : r;
}

/* With a descriptor, or without one: more than the sender comes with it. */
ssize_t fault_sendmsg(int fd, const struct msghdr *header, int flags);
ssize_t fault_sendmsg(int fd, const struct msghdr *header, int flags) {
    bool is_passing = header->msg_controllen > CMSG_SPACE(sizeof(struct ucred));
    return pass(is_passing ? "sendmsg.passing" : "sendmsg")
               ? -1
               : sendmsg(fd, header, flags);
}

/* Half of size, but not nothing, which would mean the end. */
static size_t part_of(size_t size, int error) {
    return error == CALL_SHORT && size > 1 ? size / 2 : size;
}

ssize_t fault_write(int fd, const void *data, size_t size);
ssize_t fault_write(int fd, const void *data, size_t size) {
    int error = pass(size == 1 ? "write.pipe" : "write");
    return error > 0 ? -1 : write(fd, data, part_of(size, error));
}

int fault_open(const char *path, int flags, ...);
int fault_open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    const char *name = "open";
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        name = "open.new";
    } else if (flags & O_DIRECTORY) {
        name = "open.directory";
    } else if (flags & O_PATH) {
        name = "open.path";
    }
    return pass(name) ? -1 : open(path, flags, mode);
}

int fault_fcntl(int fd, int what, ...);
int fault_fcntl(int fd, int what, ...) {
    va_list rest;
    va_start(rest, what);
    int argument = what == F_GET_SEALS ? 0 : va_arg(rest, int);
    va_end(rest);
    const char *name = "fcntl.seals";
    if (what == F_ADD_SEALS) {
        name = "fcntl.seal";
    } else if (what == F_SETPIPE_SZ) {
        name = "fcntl.pipe";
    }
    return pass(name) ? -1 : fcntl(fd, what, argument);
}

/* A call that has no function in the C library. */
struct entry {
    long number;
    int arguments;
    long
        mask; /* bits of the second argument, which tell it from others of its number */
    long bits;
    const char *name;
};

static const struct entry entries[] = {
    {SYS_futex, 6, FUTEX_CMD_MASK, FUTEX_WAIT_BITSET, "futex.wait"},
    {SYS_futex, 6, FUTEX_CMD_MASK, FUTEX_WAKE, "futex.wake"},
    {SYS_fallocate, 4, FALLOC_FL_PUNCH_HOLE, 0, "fallocate"},
    {SYS_fallocate, 4, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_PUNCH_HOLE, "fallocate.punch"},
    {SYS_get_robust_list, 3, 0, 0, "get_robust_list"},
    {SYS_gettid, 0, 0, 0, "gettid"},
    {SYS_membarrier, 3, 0, 0, "membarrier"},
    {SYS_pidfd_open, 2, 0, 0, "pidfd_open"},
    {SYS_ppoll, 5, 0, 0, "ppoll.nap"},
    {SYS_pread64, 4, 0, 0, "pread"},
    {SYS_pwrite64, 4, 0, 0, "pwrite"},
};

/* One that is not listed must be. */
static const struct entry *find_entry(long number, long second) {
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (entries[i].number == number &&
            (second & entries[i].mask) == entries[i].bits) {
            return &entries[i];
        }
    }
    fprintf(stderr, "system call %ld is not listed\n", number);
    abort();
}

static int count_arguments(long number) {
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (entries[i].number == number) {
            return entries[i].arguments;
        }
    }
    return 0;
}

long fault_syscall(long number, ...);
long fault_syscall(long number, ...) {
    long a[6] = {0};
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < count_arguments(number); i++) {
        a[i] = va_arg(rest, long);
    }
    va_end(rest);
    int error = pass(find_entry(number, a[1])->name);
    if (error == CALL_SHORT) { /* only those that have a size there have this */
        a[2] = (long)part_of((size_t)a[2], error);
    }
    return error > 0 ? -1 : syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
