/* SPDX-License-Identifier: MIT */
/* Waiting for many descriptors at once. */
#include "os/poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS 64

int ms_poll_create(int *ret_poll) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0) {
        return -errno;
    }
    *ret_poll = poll;
    return 0;
}

int ms_poll_add(int poll, int fd, uint32_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
    return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void ms_poll_remove(int poll, int fd) {
    struct epoll_event unused = {0};
    epoll_ctl(poll, EPOLL_CTL_DEL, fd, &unused);
}

int ms_poll_wait(int poll, uint32_t *ret_tags, int count, int timeout_ms) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(poll, events, count < EVENTS ? count : EVENTS, timeout_ms);
    for (int i = 0; i < n; i++) {
        ret_tags[i] = events[i].data.u32;
    }
    return n > 0 ? n : 0;
}

int ms_event_create(int *ret_fd) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    *ret_fd = fd;
    return 0;
}

void ms_event_set(int fd) {
    eventfd_write(fd, 1);
}

void ms_event_clear(int fd) {
    eventfd_t count;
    eventfd_read(fd, &count);
}
