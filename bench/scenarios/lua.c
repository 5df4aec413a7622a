/* SPDX-License-Identifier: MIT */
/* What is measured in Lua: each runs lua/role.lua, where it is done. */
#include "scenario.h"

#include <string.h>
#include <unistd.h>

static void remove_files(const char *name) {
    static const char *const suffixes[] = {".socket", ".pipe", ".fifo"};
    for (int i = 0; i < 3; i++) {
        unlink(peer_path(name, suffixes[i]));
    }
}

static const struct peer lua_mailslot = {.name = "mailslot", .remove = remove_files};
static const struct peer lua_luasocket = {.name = "luasocket", .remove = remove_files};
static const struct peer lua_luv = {.name = "luv", .remove = remove_files};
static const struct peer lua_fifo = {.name = "fifo", .remove = remove_files};
static const struct peer lua_floor = {
    .name = "floor", .is_floor = true, .is_for_one = true, .remove = remove_files};

const struct peer *const lua_peers[] = {&lua_mailslot, &lua_luasocket, &lua_luv,
                                        &lua_fifo,     &lua_floor,     NULL};

static bool is_real(const struct peer *peer) {
    return !peer->is_floor;
}

static bool is_ours(const struct peer *peer) {
    return peer == &lua_mailslot;
}

static bool is_ours_or_floor(const struct peer *peer) {
    return peer == &lua_mailslot || peer == &lua_floor;
}

const struct scenario scenario_lua_throughput = {
    .name = "lua-throughput",
    .about = "in Lua: messages a second, each made and checked in Lua",
    .lua = "throughput",
};

const struct scenario scenario_lua_ready = {
    .name = "lua-ready",
    .about = "in Lua: the same with messages made beforehand",
    .lua = "ready",
    .has = is_real,
};

const struct scenario scenario_lua_batch = {
    .name = "lua-batch",
    .about = "in Lua: the same, many in a call where there is one for it",
    .lua = "batch",
    .has = is_real,
};

const struct scenario scenario_lua_pair = {
    .name = "lua-pair",
    .about = "in Lua: a send and a read in one process, and their floor",
    .lua = "pair",
    .has = is_ours_or_floor,
    .is_alone = true,
};

const struct scenario scenario_lua_latency = {
    .name = "lua-latency",
    .about = "in Lua: one way, to a reader that sleeps",
    .lua = "latency",
    .has = is_real,
};

const struct scenario scenario_lua_latency_fd = {
    .name = "lua-latency-fd",
    .about = "in Lua: the same to an event loop",
    .lua = "latency-fd",
    .has = is_ours,
};

const struct scenario scenario_lua_pingpong = {
    .name = "lua-pingpong",
    .about = "in Lua: there and back, both at work",
    .lua = "pingpong",
    .has = is_real,
};

const struct scenario scenario_lua_oneshot = {
    .name = "lua-oneshot",
    .about = "in Lua: open, send, close",
    .lua = "oneshot",
    .has = is_real,
};
