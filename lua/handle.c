/* SPDX-License-Identifier: MIT */
/* Handles: how slots and writers enter C. */
#include "lmailslot.h"

#include <string.h>

/* A handle begins with the address of one of these. */
static const char slot_type[] = MS_LUA_SLOT;
static const char writer_type[] = MS_LUA_WRITER;

/* As luaL_testudata, without a look at metatables: nobody else has our addresses. */
static void *test_handle(lua_State *L, const char *type, size_t size) {
    void *handle = lua_touserdata(L, 1);
    bool is_ours =
        handle && lua_rawlen(L, 1) == size && *(const char *const *)handle == type;
    return is_ours ? handle : NULL;
}

static void *check_handle(lua_State *L, const char *type, size_t size) {
    void *handle = test_handle(L, type, size);
    if (!handle) {
        luaL_typeerror(L, 1, type);
    }
    return handle;
}

struct ms_lua_slot *ms_lua_test_slot(lua_State *L) {
    return test_handle(L, slot_type, sizeof(struct ms_lua_slot));
}

struct ms_lua_writer *ms_lua_test_writer(lua_State *L) {
    return test_handle(L, writer_type, sizeof(struct ms_lua_writer));
}

struct ms_lua_slot *ms_lua_check_slot(lua_State *L) {
    return check_handle(L, slot_type, sizeof(struct ms_lua_slot));
}

struct ms_lua_writer *ms_lua_check_writer(lua_State *L) {
    return check_handle(L, writer_type, sizeof(struct ms_lua_writer));
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
static void *push_handle(lua_State *L, const char *type, size_t size, int metatable) {
    void *handle = memset(lua_newuserdatauv(L, size, 1), 0, size);
    *(const char **)handle = type;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, metatable);
    lua_setmetatable(L, -2);
    return handle;
}

struct ms_lua_slot *ms_lua_push_slot(lua_State *L) {
    return push_handle(L, slot_type, sizeof(struct ms_lua_slot), MS_LUA_SLOT_METATABLE);
}

struct ms_lua_writer *ms_lua_push_writer(lua_State *L) {
    return push_handle(L, writer_type, sizeof(struct ms_lua_writer),
                       MS_LUA_WRITER_METATABLE);
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
