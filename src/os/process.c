/* SPDX-License-Identifier: MIT */
/* Who this process is and where it runs. */
#include "os/process.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

uint32_t ms_process_pid(void) {
    return (uint32_t)getpid();
}

uint32_t ms_process_uid(void) {
    return geteuid();
}

uint32_t ms_process_gid(void) {
    return getegid();
}

uint32_t ms_process_thread(void) {
    return (uint32_t)gettid();
}

bool ms_process_has_thread(uint32_t thread) {
    return tgkill(getpid(), (pid_t)thread, 0) == 0 || errno != ESRCH;
}

int ms_process_watch(uint32_t pid) {
    long fd = pid ? syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
    if (fd < 0) {
        return pid && errno == ESRCH ? -ESRCH : -1;
    }
    return (int)fd;
}

bool ms_process_has_ended(int process) {
    struct pollfd polled = {.fd = process, .events = POLLIN};
    return process >= 0 && poll(&polled, 1, 0) > 0;
}

uint32_t ms_process_processors(void) {
    cpu_set_t set; /* too small on the largest machines: then there are many */
    return sched_getaffinity(0, sizeof set, &set) < 0 ? UINT32_MAX
                                                      : (uint32_t)CPU_COUNT(&set);
}

void ms_process_host_name(char ret_name[MS_HOST_NAME_SIZE]) {
    struct utsname system;
    _Static_assert(sizeof system.nodename == MS_HOST_NAME_SIZE, "a host name fits");
    uname(&system);
    memcpy(ret_name, system.nodename, MS_HOST_NAME_SIZE);
}

const char *ms_process_variable(const char *name) {
    return secure_getenv(name);
}
