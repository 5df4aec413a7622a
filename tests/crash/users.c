/* SPDX-License-Identifier: MIT */
/* Other users, as real processes of theirs. */
#include "users.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

bool can_become_others(void) {
    if (geteuid() != 0) {
        printf("skipped: only root can become other users\n");
        return false;
    }
    char root[256];
    snprintf(root, sizeof root, "%s", registry_directory());
    *strrchr(root, '/') = '\0';
    ck_assert_int_eq(chmod(root, 0755), 0);
    ck_assert_int_eq(chmod(registry_directory(), 01777), 0);
    return true;
}

void become(uid_t user) {
    REQUIRE(setgroups(0, NULL) == 0);
    REQUIRE(setresgid(user, user, user) == 0);
    REQUIRE(setresuid(user, user, user) == 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it is forgotten with the user */
}
