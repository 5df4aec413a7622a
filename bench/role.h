/* SPDX-License-Identifier: MIT */
/* Roles: the processes of a run, as the driver sees them. */
#ifndef BENCH_ROLE_H
#define BENCH_ROLE_H

#include "bench.h"

#include <sys/types.h>

#define ROLES_MAX (WRITERS_MAX + 1)

/* In the new process: how it talks to the driver. */
void role_attach(int in, int out);

/* A figure that the roles have found: see role_collect. */
struct figure {
    char name[32];
    double value;
};

struct figures {
    struct figure all[16];
    int count;
};

struct role {
    pid_t pid;
    int in;  /* to it */
    int out; /* from it; -1 when it has ended */
    bool is_ready;
    char text[512]; /* an incomplete line */
    size_t length;
};

struct company {
    struct role roles[ROLES_MAX];
    int count;
    int64_t deadline_ns;
    bool has_failed;
    struct figures figures;
};

/* Start a role: a function in a fork, or, if argv is not NULL, a program. */
void role_start(struct company *company, const struct job *job,
                void (*run)(const struct job *job, int index), int index,
                char *const argv[]);

/* Wait until all roles have come to a barrier or ended. */
void role_meet(struct company *company);

/* Let all go on from barrier to barrier until they have ended; kills what is left at
 * the deadline. Figures of one name are joined: `start` by the least, `end` by the
 * greatest, the others by adding up. */
void role_finish(struct company *company);

/* Kill what runs. Async-signal-safe. */
void role_kill_all(void);

#endif
