/* SPDX-License-Identifier: MIT */
/*
 * The cast: the processes of a soak, owners first, and what happens to them at random.
 * A process that is killed is replaced at once.
 */
#ifndef SOAK_CAST_H
#define SOAK_CAST_H

#include "ledger.h"

enum role {
    OWNER,
    LUA_OWNER,
    WRITER,
    LUA_WRITER,
    STRANGER_WRITER,
    LUA_STRANGER,
    ROLES
};

struct deeds {
    uint64_t kills[ROLES];
    uint64_t stops[ROLES];
    uint64_t signals;
};

extern struct deeds deeds;

/* fault: for owners in C, or with "lua-" before it in Lua; NULL: none. */
void cast_start(int ledger_fd, const char *fault);

/* Kill, stop or interrupt one of them; and let go on who was stopped long enough. */
void cast_disturb(void);

/* The soak is over: wait for all of them. */
void cast_end(void);

#endif
