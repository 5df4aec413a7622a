/* SPDX-License-Identifier: MIT */
#include "gateway/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* The program has one thread when it asks, so the simple calls do. */
int ms_user_find_group(const char *name, uint32_t *ret_gid) {
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    const struct group *group = getgrnam(name); /* NOLINT(concurrency-mt-unsafe) */
    if (group) {
        *ret_gid = group->gr_gid;
    } else if (*end == '\0' && number < UINT32_MAX) {
        *ret_gid = (uint32_t)number;
    } else {
        return -ENOENT;
    }
    return 0;
}

bool ms_user_is_root(void) {
    return geteuid() == 0;
}

int ms_user_become(const char *name) {
    const struct passwd *user = getpwnam(name); /* NOLINT(concurrency-mt-unsafe) */
    if (!user) {
        return -ENOENT;
    }
    if (initgroups(user->pw_name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
        setuid(user->pw_uid) < 0) {
        return -errno;
    }
    return 0;
}
