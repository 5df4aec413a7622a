/* SPDX-License-Identifier: MIT */
/* A scenario: what the roles of a run do. Each file of scenarios/ has a family. */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include "peer.h"

struct scenario {
    const char *name;
    const char *about;
    void (*read)(const struct job *job, int index);
    void (*write)(const struct job *job, int index); /* NULL: there is only a reader */
    bool (*has)(const struct peer *peer);            /* NULL: every peer can do it */
    const char *lua; /* the file in lua/ for it; NULL: none */
};

extern const struct scenario scenario_throughput;

#endif
