/* SPDX-License-Identifier: MIT */
/* Handles: how slots and writers enter C. */
#include "lmailslot.h"

#include <string.h>

/* What a handle begins with: the address of one of these. */
static const char slot_tag, writer_tag;

/* As luaL_testudata, without a look at metatables: nobody else has our addresses. */
static void *test_handle(lua_State *L, const char *tag, size_t size) {
    void *handle = lua_touserdata(L, 1);
    bool is_ours =
        handle && lua_rawlen(L, 1) == size && *(const char *const *)handle == tag;
    return is_ours ? handle : NULL;
}

struct ms_lua_slot *ms_lua_test_slot(lua_State *L) {
    return test_handle(L, &slot_tag, sizeof(struct ms_lua_slot));
}

struct ms_lua_writer *ms_lua_test_writer(lua_State *L) {
    return test_handle(L, &writer_tag, sizeof(struct ms_lua_writer));
}

struct ms_lua_slot *ms_lua_check_slot(lua_State *L) {
    struct ms_lua_slot *handle = ms_lua_test_slot(L);
    if (!handle) {
        luaL_typeerror(L, 1, MS_LUA_SLOT);
    }
    return handle;
}

struct ms_lua_writer *ms_lua_check_writer(lua_State *L) {
    struct ms_lua_writer *handle = ms_lua_test_writer(L);
    if (!handle) {
        luaL_typeerror(L, 1, MS_LUA_WRITER);
    }
    return handle;
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
    struct ms_lua_slot *handle = push_handle(L, sizeof *handle, MS_LUA_SLOT_METATABLE);
    handle->tag = &slot_tag;
    return handle;
}

struct ms_lua_writer *ms_lua_push_writer(lua_State *L) {
    struct ms_lua_writer *handle =
        push_handle(L, sizeof *handle, MS_LUA_WRITER_METATABLE);
    handle->tag = &writer_tag;
    return handle;
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
