/* SPDX-License-Identifier: MIT */
/* Handles: how slots and writers enter C. */
#include "lmailslot.h"

#include <string.h>

/* As luaL_testudata, without a look into the registry. */
void *ms_lua_test_handle(lua_State *L, int metatable) {
    void *handle = lua_touserdata(L, 1);
    if (!handle || !lua_getmetatable(L, 1)) {
        return NULL;
    }
    bool is_same = lua_rawequal(L, -1, metatable);
    lua_pop(L, 1);
    return is_same ? handle : NULL;
}

struct ms_lua_slot *ms_lua_check_slot(lua_State *L) {
    void *handle = ms_lua_test_handle(L, MS_LUA_SLOT_METATABLE);
    return handle ? handle : luaL_checkudata(L, 1, MS_LUA_SLOT);
}

struct ms_lua_writer *ms_lua_check_writer(lua_State *L) {
    void *handle = ms_lua_test_handle(L, MS_LUA_WRITER_METATABLE);
    return handle ? handle : luaL_checkudata(L, 1, MS_LUA_WRITER);
}

void ms_lua_check_open(lua_State *L, const struct ms_lua_slot *handle) {
    if (!handle->slot) {
        luaL_error(L, "attempt to use a closed slot");
    }
}

struct ms_lua_slot *ms_lua_to_slot(lua_State *L) {
    struct ms_lua_slot *handle = ms_lua_check_slot(L);
    ms_lua_check_open(L, handle);
    return handle;
}

mailslot_writer *ms_lua_to_writer(lua_State *L) {
    struct ms_lua_writer *handle = ms_lua_check_writer(L);
    if (!handle->writer) {
        luaL_error(L, "attempt to use a closed writer");
    }
    return handle->writer;
}

/* [-0, +1] For the name at argument 1. */
static void *push_handle(lua_State *L, size_t size, int metatable) {
    void *handle = memset(lua_newuserdatauv(L, size, 1), 0, size);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, metatable);
    lua_setmetatable(L, -2);
    return handle;
}

struct ms_lua_slot *ms_lua_push_slot(lua_State *L) {
    return push_handle(L, sizeof(struct ms_lua_slot), MS_LUA_SLOT_METATABLE);
}

struct ms_lua_writer *ms_lua_push_writer(lua_State *L) {
    return push_handle(L, sizeof(struct ms_lua_writer), MS_LUA_WRITER_METATABLE);
}

int ms_lua_push_description(lua_State *L, const char *type, bool is_open) {
    const char *name = "closed";
    if (is_open) {
        lua_getiuservalue(L, 1, 1);
        name = lua_tostring(L, -1);
    }
    lua_pushfstring(L, "%s (%s)", type, name);
    return 1;
}
