/* SPDX-License-Identifier: MIT */
/*
 * A scenario: what the roles of a run do. Each file of scenarios/ has a family. Those
 * in Lua name what lua/role.lua is to do, and have no functions here.
 */
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
    const char *lua;   /* NULL: it is in C */
    bool is_long;      /* may take two minutes instead of 20 seconds */
    bool is_alone;     /* in Lua: there is only a reader */
};

/* The peers in Lua. */
extern const struct peer *const lua_peers[];

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
extern const struct scenario scenario_latency_fd;
extern const struct scenario scenario_lua_throughput;
extern const struct scenario scenario_lua_ready;
extern const struct scenario scenario_lua_batch;
extern const struct scenario scenario_lua_pair;
extern const struct scenario scenario_lua_latency;
extern const struct scenario scenario_lua_latency_fd;
extern const struct scenario scenario_lua_pingpong;
extern const struct scenario scenario_lua_oneshot;

#endif
