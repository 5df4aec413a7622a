/* SPDX-License-Identifier: MIT */
/*
 * The Lua 5.4 module `mailslot`: the calls of mailslot.h as functions and methods.
 *
 * Misuse raises: types, ranges, unknown options, closed handles. What the world can do
 * returns nil, message, code. Times are seconds.
 */
#include "lmailslot.h"

#include <errno.h>

static int get_info(lua_State *L, mailslot_info *info) {
    if (ms_lua_test_slot(L)) {
        return mailslot_get_info(ms_lua_to_slot(L)->slot, info);
    }
    if (ms_lua_test_writer(L)) {
        return mailslot_writer_get_info(ms_lua_to_writer(L), info);
    }
    if (!lua_isstring(L, 1)) {
        luaL_typeerror(L, 1, "slot, writer or name");
    }
    return mailslot_get_info_by_name(ms_lua_check_name(L), info);
}

int l_info(lua_State *L) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = get_info(L, &info);
    if (r < 0) {
        return ms_lua_push_error(L, r);
    }
    ms_lua_push_info(L, &info);
    return 1;
}

/* Open, send, close. */
static int l_send(lua_State *L) {
    const char *name = ms_lua_check_name(L);
    size_t size;
    const char *data = luaL_checklstring(L, 2, &size);
    int64_t timeout_ms = ms_lua_opt_timeout(L, 3, 0);
    int64_t deadline_ms = ms_lua_deadline_after(timeout_ms);
    int r = mailslot_send(name, data, size, timeout_ms);
    while (r == -EINTR) {
        ms_lua_run_hook(L);
        r = mailslot_send(name, data, size, ms_lua_time_left(deadline_ms));
    }
    return ms_lua_push_result(L, r);
}

static int l_type(lua_State *L) {
    luaL_checkany(L, 1);
    const struct ms_lua_slot *slot = ms_lua_test_slot(L);
    const struct ms_lua_writer *writer = ms_lua_test_writer(L);
    if (slot) {
        lua_pushstring(L, slot->slot ? "slot" : "closed slot");
    } else if (writer) {
        lua_pushstring(L, writer->writer ? "writer" : "closed writer");
    } else {
        luaL_pushfail(L);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"create", l_create}, {"open", l_open}, {"send", l_send}, {"read_all", l_read_all},
    {"info", l_info},     {"type", l_type}, {NULL, NULL},
};

/* Into the table on top. The metatables are at 1 and 2. */
static void set_functions(lua_State *L, const luaL_Reg *list) {
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    luaL_setfuncs(L, list, 2);
}

static void set_class(lua_State *L, int metatable, const luaL_Reg *metamethods,
                      const luaL_Reg *methods) {
    lua_pushvalue(L, metatable);
    set_functions(L, metamethods);
    lua_newtable(L);
    set_functions(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

MAILSLOT_API int luaopen_mailslot(lua_State *L);

int luaopen_mailslot(lua_State *L) {
    luaL_checkversion(L);
    lua_settop(L, 0);
    luaL_newmetatable(L, MS_LUA_SLOT);
    luaL_newmetatable(L, MS_LUA_WRITER);
    set_class(L, 1, ms_lua_slot_metamethods, ms_lua_slot_methods);
    set_class(L, 2, ms_lua_writer_metamethods, ms_lua_writer_methods);
    luaL_newlibtable(L, functions);
    set_functions(L, functions);
    lua_pushliteral(L, "mailslot " MAILSLOT_VERSION);
    lua_setfield(L, -2, "_VERSION");
    return 1;
}
