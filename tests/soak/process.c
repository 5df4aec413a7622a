/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

bool can_be_stranger(void) {
    return geteuid() == 0;
}

bool become_stranger(void) {
    bool is_done = setgroups(0, NULL) == 0 &&
                   setresgid(STRANGER, STRANGER, STRANGER) == 0 &&
                   setresuid(STRANGER, STRANGER, STRANGER) == 0;
    prepare_process();
    return is_done;
}

static void ignore(int number) {
    (void)number;
}

/* Another program and another user forget both. */
void prepare_process(void) {
    struct sigaction action = {.sa_handler = ignore};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGINT, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}
