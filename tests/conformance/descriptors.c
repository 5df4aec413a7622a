/* SPDX-License-Identifier: MIT */
/* Descriptors to wait on, and the threads of this process, for Linux. */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Signals 1 to 31, but for SIGKILL and SIGSTOP. */
#define CAN_BE_BLOCKED 0x7ffbfeffu

bool descriptor_await(int fd, int timeout_ms) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    return poll(&entry, 1, timeout_ms) == 1 && entry.revents == POLLIN;
}

static bool is_readable_by_epoll(int fd) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    bool is_added = epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0;
    int ready = epoll_wait(set, &event, 1, 0);
    close(set);
    ck_assert(is_added);
    return ready == 1;
}

bool descriptor_is_readable(int fd) {
    bool is_readable = descriptor_await(fd, 0);
    ck_assert_int_eq(is_readable, is_readable_by_epoll(fd));
    return is_readable;
}

bool descriptor_blocks(int fd) {
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

bool descriptor_is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

bool descriptor_is_inherited(int fd) {
    return !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

int thread_count(void) {
    DIR *threads = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(threads);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(threads))) {
        count += entry->d_name[0] != '.';
    }
    closedir(threads);
    return count;
}

static bool blocks_signals(const char *thread) {
    char path[300];
    char line[200];
    unsigned long long blocked = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "SigBlk:", 7) == 0) {
            blocked = strtoull(line + 7, NULL, 16);
        }
    }
    fclose(file);
    return (blocked & CAN_BE_BLOCKED) == CAN_BE_BLOCKED;
}

bool thread_blocks_signals(void) {
    DIR *threads = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(threads);
    bool is_blocked = true;
    struct dirent *entry;
    while ((entry = readdir(threads))) {
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != getpid()) {
            is_blocked = is_blocked && blocks_signals(entry->d_name);
        }
    }
    closedir(threads);
    return is_blocked;
}
