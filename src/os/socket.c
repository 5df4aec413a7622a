/* SPDX-License-Identifier: MIT */
/* Sockets between users of one machine. */
#include "os/socket.h"

#include "os/clock.h"
#include "os/error.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

/* An end that was told too early twice is told in time. */
#define LOOKS_AT_END 3

/* What comes with a packet: who sent it, and one descriptor. */
union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
};

/* Without the last one's padding, into which a second descriptor would fit. */
#define CONTROL_SIZE (CMSG_SPACE(sizeof(struct ucred)) + CMSG_LEN(sizeof(int)))

static int open_socket(int *ret_fd) {
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return ms_error(errno);
    }
    *ret_fd = fd;
    return 0;
}

/* A path may be longer than an address: so it goes through a descriptor. */
static struct sockaddr_un address_of(int fd, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/thread-self/fd/%d%s", fd,
             name);
    return address;
}

/* The name, with its slash, is what follows the directory. */
static int open_directory_of(const char *path, const char **ret_name) {
    char directory[4096];
    const char *name = strrchr(path, '/');
    if (!name || (size_t)snprintf(directory, sizeof directory, "%.*s/",
                                  (int)(name - path), path) >= sizeof directory) {
        return -ENAMETOOLONG;
    }
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    *ret_name = name;
    return fd < 0 ? ms_error(errno) : fd;
}

static int bind_at(int fd, const char *path) {
    const char *name;
    int directory = open_directory_of(path, &name);
    if (directory < 0) {
        return directory;
    }
    struct sockaddr_un address = address_of(directory, name);
    int r = bind(fd, (const struct sockaddr *)&address, sizeof address) < 0
                ? ms_error(errno)
                : 0;
    ms_file_close(directory);
    return r;
}

/* Only the last step lets anybody in. */
static int open_to(int fd, const char *path, uint32_t mode, uint32_t group) {
    if (listen(fd, BACKLOG) < 0 ||
        (group != MS_SOCKET_ANY_GROUP && lchown(path, (uid_t)-1, group) < 0) ||
        chmod(path, mode) < 0) {
        return ms_error(errno);
    }
    return 0;
}

/* fchmod: what bind makes has this mode at most, so that nobody gets in early. */
static int prepare(int fd) {
    static const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
        fchmod(fd, S_IRUSR | S_IWUSR) < 0) {
        return ms_error(errno);
    }
    return 0;
}

int ms_socket_listen(const char *path, uint32_t mode, uint32_t group, int *ret_fd) {
    int fd = -1;
    int r = open_socket(&fd);
    if (r < 0) {
        return r;
    }
    r = prepare(fd);
    if (r == 0) {
        r = bind_at(fd, path);
    }
    if (r == 0) {
        r = open_to(fd, path, mode, group);
        if (r < 0) {
            ms_file_remove(path);
        }
    }
    if (r < 0) {
        ms_file_close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

/* Whose socket it is is seen of what is connected to, not of a path that may change. */
static int connect_to(int fd, int target, uint32_t uid) {
    struct stat status;
    if (fstat(target, &status) < 0) {
        return ms_error(errno);
    }
    if (!S_ISSOCK(status.st_mode) || status.st_uid != uid) {
        return -EBADMSG;
    }
    struct sockaddr_un address = address_of(target, "");
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        return errno == EPROTOTYPE ? -EBADMSG : ms_error(errno);
    }
    struct ms_peer peer = {0};
    int r = ms_socket_peer(fd, &peer);
    return r == 0 && peer.uid != uid ? -EBADMSG : r;
}

int ms_socket_connect(const char *path, uint32_t uid, int *ret_fd) {
    int target = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0) {
        return ms_error(errno);
    }
    int fd = -1;
    int r = open_socket(&fd);
    if (r == 0) {
        r = connect_to(fd, target, uid);
    }
    ms_file_close(target);
    if (r < 0) {
        ms_file_close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

int ms_socket_accept(int fd, int *ret_fd) {
    int r = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (r < 0) {
        return ms_error(errno);
    }
    *ret_fd = r;
    return 0;
}

int ms_socket_peer(int fd, struct ms_peer *ret_peer) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
        return ms_error(errno);
    }
    *ret_peer = (struct ms_peer){.pid = (uint32_t)credentials.pid,
                                 .uid = credentials.uid,
                                 .gid = credentials.gid};
    return 0;
}

void ms_socket_set_buffer(int fd, uint64_t bytes) {
    int size = bytes < INT32_MAX ? (int)bytes : INT32_MAX;
    int now = 0;
    socklen_t length = sizeof now;
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &now, &length) == 0 && size < now) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
}

static void attach(struct msghdr *header, int type, const void *value, size_t size) {
    struct cmsghdr *control =
        (struct cmsghdr *)((char *)header->msg_control + header->msg_controllen);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(control), value, size);
    header->msg_controllen += CMSG_SPACE(size);
}

/* The system tells -EPIPE in three ways. */
static int send_error(int error) {
    return error == ECONNRESET || error == ENOTCONN ? -EPIPE : ms_error(error);
}

int ms_socket_send(int fd, const void *head, size_t head_size, const void *data,
                   size_t size, int passed_fd) {
    struct iovec parts[2] = {{(void *)head, head_size}, {(void *)data, size}};
    union control control = {{0}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = &control};
    struct ucred self = {.pid = getpid(), .uid = geteuid(), .gid = getegid()};
    attach(&header, SCM_CREDENTIALS, &self, sizeof self);
    if (passed_fd >= 0) {
        attach(&header, SCM_RIGHTS, &passed_fd, sizeof passed_fd);
    }
    ssize_t n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? send_error(errno) : 0;
}

static void note_control(struct cmsghdr *control, struct ms_packet *packet) {
    struct ucred credentials;
    if (control->cmsg_level != SOL_SOCKET) {
        return;
    }
    if (control->cmsg_type == SCM_CREDENTIALS) {
        memcpy(&credentials, CMSG_DATA(control), sizeof credentials);
        packet->sender = (struct ms_peer){.pid = (uint32_t)credentials.pid,
                                          .uid = credentials.uid,
                                          .gid = credentials.gid};
    } else if (control->cmsg_type == SCM_RIGHTS) {
        memcpy(&packet->fd, CMSG_DATA(control), sizeof packet->fd);
    }
}

/* A packet comes with its sender, if that is asked for, the end with nothing. */
static bool is_end(ssize_t n, const struct msghdr *header) {
    return n == 0 ? header->msg_control && header->msg_controllen == 0
                  : n < 0 && errno == ECONNRESET;
}

/* The system may tell the end of a connection too early: it looks for a packet first
 * and then whether the other end has closed, which may have sent in between; and when
 * that has not read all that was sent to it, this is told once before what it has sent.
 */
static ssize_t receive(int fd, struct msghdr *header, int flags) {
    const struct msghdr wanted = *header;
    ssize_t n = 0;
    for (int looks = 0; looks < LOOKS_AT_END; looks++) {
        *header = wanted;
        n = recvmsg(fd, header, flags);
        if (!is_end(n, header)) {
            break;
        }
    }
    return n;
}

int ms_socket_peek(int fd, void *head, size_t head_size, struct ms_packet *ret_packet) {
    struct iovec part = {head, head_size};
    union control control = {{0}};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = CONTROL_SIZE};
    ssize_t n =
        receive(fd, &header, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) {
        return send_error(errno);
    }
    struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (!first) {
        return -EPIPE; /* the end: every packet comes with its sender */
    }
    *ret_packet = (struct ms_packet){
        .size = (size_t)n, .fd = -1, .is_stripped = header.msg_flags & MSG_CTRUNC};
    for (struct cmsghdr *each = first; each; each = CMSG_NXTHDR(&header, each)) {
        note_control(each, ret_packet);
    }
    return 0;
}

uint64_t ms_socket_held(int fd) {
    int bytes = 0;
    ioctl(fd, FIONREAD, &bytes); /* cannot fail */
    return bytes > 0 ? (uint64_t)bytes : 0;
}

int ms_socket_take(int fd, void *head, size_t head_size, void *data, size_t size) {
    struct iovec parts[2] = {{head, head_size}, {data, size}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n = receive(fd, &header, MSG_TRUNC | MSG_DONTWAIT);
    if (n <= 0) {
        return n < 0 ? send_error(errno) : -EPIPE;
    }
    return (size_t)n == head_size + size ? 0 : -EBADMSG;
}

void ms_socket_refuse(int fd) {
    shutdown(fd, SHUT_RD);
}

int ms_socket_close(int fd) {
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
    return ms_file_close(fd);
}

static struct timespec until(int64_t deadline_ns) {
    int64_t left_ns = deadline_ns - ms_clock_now_ns();
    left_ns = left_ns > 0 ? left_ns : 0;
    return (struct timespec){.tv_sec = left_ns / 1000000000,
                             .tv_nsec = left_ns % 1000000000};
}

int ms_socket_wait(int fd, enum ms_direction direction, int process,
                   int64_t deadline_ns) {
    short events = direction == MS_INCOMING ? POLLIN : POLLIN | POLLOUT;
    struct pollfd polled[2] = {{.fd = fd, .events = events},
                               {.fd = process, .events = POLLIN}};
    struct timespec left = until(deadline_ns);
    int n = ppoll(polled, 2, &left, NULL);
    if (n < 0) {
        return ms_error(errno);
    }
    if (n == 0) {
        return -ETIMEDOUT;
    }
    return polled[1].revents && !(polled[0].revents & polled[0].events) ? -EPIPE : 0;
}
