/* SPDX-License-Identifier: MIT */
/* Who this process is and where it runs. */
#include "os/process.h"

#include <stdlib.h>
#include <string.h>
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

void ms_process_host_name(char ret_name[MS_HOST_NAME_SIZE]) {
    struct utsname system;
    _Static_assert(sizeof system.nodename == MS_HOST_NAME_SIZE, "a host name fits");
    uname(&system);
    memcpy(ret_name, system.nodename, MS_HOST_NAME_SIZE);
}

const char *ms_process_variable(const char *name) {
    return secure_getenv(name);
}
