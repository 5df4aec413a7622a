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
    const char *floor; /* NULL: what it measures is the peer */
};

extern const struct scenario scenario_throughput;
extern const struct scenario scenario_batch;
extern const struct scenario scenario_latency;
extern const struct scenario scenario_roundtrip;
extern const struct scenario scenario_pingpong;
extern const struct scenario scenario_oneshot;
extern const struct scenario scenario_burst;
extern const struct scenario scenario_depth;
extern const struct scenario scenario_writers;
extern const struct scenario scenario_registry;
extern const struct scenario scenario_idle;
extern const struct scenario scenario_memcpy;

#endif
