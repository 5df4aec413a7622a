/* SPDX-License-Identifier: MIT */
/* A client of a letterbox that does not use the library. */
#include "raw.h"

#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FILES_MAX 64

int raw_connect(const char *name) {
    char slot_path[256];
    struct stat status;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    registry_path(name, slot_path);
    REQUIRE(lstat(slot_path, &status) == 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/mailslot-%llx",
             registry_directory(), (unsigned long long)status.st_ino);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    REQUIRE(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

struct greeting raw_hear(int fd) {
    struct greeting greeting;
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    REQUIRE(poll(&polled, 1, DEADLINE_MS) == 1);
    REQUIRE(recv(fd, &greeting, sizeof greeting, 0) == sizeof greeting);
    return greeting;
}

void raw_send(int fd, const void *data, size_t size, const int *fds, int count) {
    struct iovec part = {(void *)data, size};
    char control[CMSG_SPACE(FILES_MAX * sizeof(int))] = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (count) {
        size_t bytes = (size_t)count * sizeof *fds;
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(bytes);
        struct cmsghdr *first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(first), fds, bytes);
    }
    REQUIRE(sendmsg(fd, &header, MSG_NOSIGNAL) == (ssize_t)size);
}

int raw_file(size_t size, int seals) {
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    REQUIRE(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    REQUIRE(fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

void raw_require_shown_out(int fd) {
    struct pollfd polled = {.fd = fd, .events = 0};
    REQUIRE(poll(&polled, 1, DEADLINE_MS) == 1 && (polled.revents & POLLHUP));
    close(fd);
}
