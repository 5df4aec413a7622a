/* SPDX-License-Identifier: MIT */
/*
 * What the files of the Lua module share.
 *
 * A handle is a userdata that exists, closed, before its slot or writer does, so an
 * error of Lua leaks nothing. Its user value is the name it was made with. Argument 1
 * of every function is a handle or a name.
 *
 * Whatever allocates may collect garbage, and a finalizer may use or close any handle.
 * So C pointers are taken from a handle again after each such call, and what
 * mailslot_peek shows is copied before anything else is allocated.
 *
 * [-0, +1] is what a function takes from Lua's stack and puts there.
 */
#ifndef LMAILSLOT_H
#define LMAILSLOT_H

#include <mailslot.h>

#include <lauxlib.h>
#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_LUA_SLOT "mailslot"
#define MS_LUA_WRITER "mailslot writer"

/* Upvalues of every function. */
#define MS_LUA_SLOT_METATABLE lua_upvalueindex(1)
#define MS_LUA_WRITER_METATABLE lua_upvalueindex(2)

struct ms_lua_slot {
    const char *type;  /* that of all slots, */
    mailslot *slot;    /* NULL: closed */
    unsigned int turn; /* counts the calls that move what mailslot_peek shows */
};

struct ms_lua_writer {
    const char *type;        /* and that of all writers */
    mailslot_writer *writer; /* NULL: closed */
};

/* How to read. */
struct ms_lua_reading {
    int64_t timeout_ms;
    lua_Integer max;
    bool has_meta;
};

/* handle.c. Handles are at argument 1. */
struct ms_lua_slot *ms_lua_test_slot(lua_State *L);      /* else NULL */
struct ms_lua_writer *ms_lua_test_writer(lua_State *L);  /* else NULL */
struct ms_lua_slot *ms_lua_check_slot(lua_State *L);     /* open or closed */
struct ms_lua_writer *ms_lua_check_writer(lua_State *L); /* open or closed */
struct ms_lua_slot *ms_lua_to_slot(lua_State *L);        /* open */
void ms_lua_check_open(lua_State *L, const struct ms_lua_slot *handle);
mailslot_writer *ms_lua_to_writer(lua_State *L);            /* open */
struct ms_lua_slot *ms_lua_push_slot(lua_State *L);         /* [-0, +1] closed */
struct ms_lua_writer *ms_lua_push_writer(lua_State *L);     /* [-0, +1] closed */
int ms_lua_push_description(lua_State *L, const char *type, /* [-0, +1] */
                            bool is_open);

/* argument.c. Misuse raises. */
const char *ms_lua_check_name(lua_State *L); /* NULL for one that C cannot see whole */
int64_t ms_lua_check_timeout(lua_State *L, int argument);
int64_t ms_lua_opt_timeout(lua_State *L, int argument, int64_t absent);
mailslot_options ms_lua_opt_create(lua_State *L);
struct ms_lua_reading ms_lua_opt_reading(lua_State *L, const char *const known[]);

/* result.c */
int ms_lua_push_error(lua_State *L, int error);  /* [-0, +3] nil, message, code */
int ms_lua_raise_error(lua_State *L, int error); /* where these have no place */
int ms_lua_push_result(lua_State *L, int r);     /* [-0, +1] true, or the error */
void ms_lua_push_seconds(lua_State *L, uint32_t timeout_ms);
void ms_lua_push_info(lua_State *L, const mailslot_info *info);
void ms_lua_push_message(lua_State *L, const mailslot_message *message, bool has_meta);

/* user.c */
void ms_lua_push_user(lua_State *L, uint32_t uid); /* [-0, +1] a text */
bool ms_lua_find_group(lua_State *L, const char *name, uint32_t *ret_gid);

/* wait.c. Deadlines are points on mailslot_now_ms. */
int64_t ms_lua_deadline_after(int64_t timeout_ms);
int64_t ms_lua_time_left(int64_t deadline_ms);
void ms_lua_run_hook(lua_State *L); /* any handle may be closed after it */

/* slot.c, writer.c */
int l_create(lua_State *L);
int l_read_all(lua_State *L);
int l_open(lua_State *L);
int l_info(lua_State *L);
extern const luaL_Reg ms_lua_slot_methods[], ms_lua_slot_metamethods[];
extern const luaL_Reg ms_lua_writer_methods[], ms_lua_writer_metamethods[];

#endif
