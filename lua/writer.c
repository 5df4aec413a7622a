/* SPDX-License-Identifier: MIT */
/* The writer: opening and sending. */
#include "lmailslot.h"

#include <errno.h>

/* Messages that send_all hands over at a time. */
#define CHUNK 128

/* A number is sent as the string that it converts to; also in a list. */
static int l_send(lua_State *L) {
    size_t size;
    const char *data = lua_tolstring(L, 2, &size);
    if (!data) {
        data = luaL_checklstring(L, 2, &size); /* says what is wrong */
    }
    int64_t timeout_ms = ms_lua_opt_timeout(L, 3, 0);
    int64_t deadline_ms = ms_lua_deadline_after(timeout_ms);
    int r = mailslot_writer_send(ms_lua_to_writer(L), data, size, timeout_ms);
    while (r == -EINTR) {
        ms_lua_run_hook(L);
        timeout_ms = ms_lua_time_left(deadline_ms);
        r = mailslot_writer_send(ms_lua_to_writer(L), data, size, timeout_ms);
    }
    return ms_lua_push_result(L, r);
}

/* [-0, +1] A message of the list at argument 2. */
static const char *push_element(lua_State *L, lua_Integer index, size_t *ret_size) {
    lua_geti(L, 2, index);
    if (!lua_isstring(L, -1)) {
        const char *reason = lua_pushfstring(L, "message %I must be a string, not %s",
                                             (LUAI_UACINT)index, luaL_typename(L, -1));
        luaL_argerror(L, 2, reason);
    }
    return lua_tolstring(L, -1, ret_size);
}

static lua_Integer check_list(lua_State *L) {
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 2);
    for (lua_Integer i = 1; i <= count; i++) {
        size_t size;
        push_element(L, i, &size);
        lua_pop(L, 1);
    }
    return count;
}

/* Send the next messages of the list, up to CHUNK. They stay on the stack until then,
 * because a finalizer may take them out of the list. */
static int send_chunk(lua_State *L, lua_Integer count, int64_t timeout_ms,
                      lua_Integer *sent) {
    mailslot_buffer messages[CHUNK];
    lua_Integer left = count - *sent;
    size_t size = left < CHUNK ? (size_t)left : CHUNK;
    for (size_t i = 0; i < size; i++) {
        lua_Integer index = *sent + (lua_Integer)i + 1;
        messages[i].data = push_element(L, index, &messages[i].size);
    }
    size_t done = 0;
    mailslot_writer *writer = ms_lua_to_writer(L);
    int r = mailslot_writer_send_all(writer, messages, size, timeout_ms, &done);
    *sent += (lua_Integer)done;
    lua_settop(L, 2);
    return r;
}

static int l_send_all(lua_State *L) {
    int64_t timeout_ms = ms_lua_opt_timeout(L, 3, 0);
    lua_Integer count = check_list(L);
    ms_lua_to_writer(L);
    lua_settop(L, 2);
    luaL_checkstack(L, CHUNK + LUA_MINSTACK, NULL);
    int64_t deadline_ms = ms_lua_deadline_after(timeout_ms);
    lua_Integer sent = 0;
    int r = 0;
    while (r == 0 && sent < count) {
        r = send_chunk(L, count, timeout_ms, &sent);
        if (r == -EINTR) {
            ms_lua_run_hook(L);
            r = 0;
        }
        timeout_ms = ms_lua_time_left(deadline_ms);
    }
    int results = r < 0 ? ms_lua_push_error(L, r) : 0;
    lua_pushinteger(L, sent);
    return results + 1;
}

static int l_close(lua_State *L) {
    struct ms_lua_writer *handle = ms_lua_check_writer(L);
    handle->writer = mailslot_writer_close(handle->writer);
    return ms_lua_push_result(L, 0);
}

static int l_tostring(lua_State *L) {
    return ms_lua_push_description(L, MS_LUA_WRITER, ms_lua_check_writer(L)->writer);
}

int l_open(lua_State *L) {
    const char *name = ms_lua_check_name(L);
    struct ms_lua_writer *handle = ms_lua_push_writer(L);
    int r = mailslot_open(name, &handle->writer);
    return r < 0 ? ms_lua_push_error(L, r) : 1;
}

const luaL_Reg ms_lua_writer_methods[] = {
    {"send", l_send}, {"send_all", l_send_all}, {"info", l_info}, {"close", l_close},
    {NULL, NULL},
};

const luaL_Reg ms_lua_writer_metamethods[] = {
    {"__gc", l_close},
    {"__close", l_close},
    {"__tostring", l_tostring},
    {NULL, NULL},
};
