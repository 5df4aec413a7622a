/* SPDX-License-Identifier: MIT */
/* Results: from C to Lua. */
#include "lmailslot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* [-0, +1] The name of the slot that argument 1 is about. */
static const char *push_name(lua_State *L) {
    if (lua_isuserdata(L, 1)) {
        lua_getiuservalue(L, 1, 1);
    } else {
        lua_pushvalue(L, 1);
    }
    return lua_tostring(L, -1);
}

/* What is wrong with the name on top, if that is what the error says; else NULL. */
static const char *name_fault(lua_State *L, int error, const char *name) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    if (error != -EINVAL && error != -ENAMETOOLONG) {
        return NULL;
    }
    if (strlen(name) != lua_rawlen(L, -1)) {
        return "it has a NUL byte";
    }
    const char *fault = mailslot_name_fault(name);
    if (!fault && mailslot_get_info_by_name(name, &info) == -EOPNOTSUPP) {
        return "it is another machine's, and can only be sent to";
    }
    return fault;
}

/* It would be another one for each process. */
static bool is_directory_relative(void) {
    const char *directory = secure_getenv("MAILSLOT_DIR");
    return directory && *directory && *directory != '/';
}

/* [-0, +1] Who is refused wants to know by whom, or by which rule. */
static void push_text(lua_State *L, int error, const char *name, const char *fault) {
    uint32_t uid;
    if (fault) {
        lua_pushfstring(L, "not a name for a slot: %s", fault);
        return;
    }
    if (error == -EINVAL && is_directory_relative()) {
        lua_pushliteral(L, "MAILSLOT_DIR must be an absolute path");
    } else if (error == -EACCES && mailslot_get_owner(name, &uid) == 0) {
        lua_pushliteral(L, "permission denied: it belongs to ");
        ms_lua_push_user(L, uid);
        lua_concat(L, 2);
    } else {
        lua_pushstring(L, mailslot_error_text(error));
    }
}

int ms_lua_push_error(lua_State *L, int error) {
    luaL_pushfail(L);
    lua_pushliteral(L, "mailslot '");
    const char *name = push_name(L);
    const char *fault = name_fault(L, error, name);
    lua_pushliteral(L, "': ");
    push_text(L, error, name, fault);
    lua_concat(L, 4);
    lua_pushstring(L, mailslot_error_name(error));
    return 3;
}

int ms_lua_raise_error(lua_State *L, int error) {
    ms_lua_push_error(L, error);
    return luaL_error(L, "%s", lua_tostring(L, -2));
}

int ms_lua_push_result(lua_State *L, int r) {
    if (r < 0) {
        return ms_lua_push_error(L, r);
    }
    lua_pushboolean(L, 1);
    return 1;
}

void ms_lua_push_seconds(lua_State *L, uint32_t timeout_ms) {
    lua_pushnumber(L, timeout_ms == MAILSLOT_FOREVER ? HUGE_VAL : timeout_ms / 1000.0);
}

/* Into the table on top. */
static void set_integer(lua_State *L, const char *key, uint64_t value) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

static void set_time(lua_State *L, const char *key, int64_t time_ns) {
    lua_pushnumber(L, (lua_Number)time_ns / 1e9);
    lua_setfield(L, -2, key);
}

void ms_lua_push_info(lua_State *L, const mailslot_info *info) {
    char mode[16];
    snprintf(mode, sizeof mode, "%04o", (unsigned int)info->mode);
    lua_createtable(L, 0, 13);
    set_integer(L, "count", info->count);
    set_integer(L, "bytes", info->bytes);
    if (info->next_size != MAILSLOT_NO_MESSAGE) {
        set_integer(L, "next_size", info->next_size);
    }
    set_integer(L, "max_message_size", info->max_message_size);
    set_integer(L, "max_bytes", info->max_bytes);
    set_integer(L, "received", info->received);
    set_integer(L, "rejected", info->rejected);
    set_integer(L, "pid", info->pid);
    set_integer(L, "uid", info->uid);
    set_time(L, "created", info->created_ns);
    ms_lua_push_seconds(L, info->timeout_ms);
    lua_setfield(L, -2, "timeout");
    lua_pushstring(L, info->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "mode");
}

/* Copies what it points to first: once a finalizer has run, it may not be there any
 * more. */
static void push_with_meta(lua_State *L, const mailslot_message *message) {
    char host[MAILSLOT_HOST_MAX + 1] = "";
    if (message->host) {
        snprintf(host, sizeof host, "%s", message->host);
    }
    lua_pushlstring(L, message->data, message->size);
    lua_createtable(L, 0, 8);
    lua_insert(L, -2);
    lua_setfield(L, -2, "data");
    set_integer(L, "pid", message->pid);
    set_integer(L, "uid", message->uid);
    set_integer(L, "gid", message->gid);
    set_integer(L, "seq", message->sequence);
    set_time(L, "time", message->time_ns);
    if (*host) {
        lua_pushstring(L, host);
        lua_setfield(L, -2, "host");
        lua_pushboolean(L, message->is_host_verified);
        lua_setfield(L, -2, "host_verified");
    }
}

void ms_lua_push_message(lua_State *L, const mailslot_message *message, bool has_meta) {
    if (has_meta) {
        push_with_meta(L, message);
    } else {
        lua_pushlstring(L, message->data, message->size);
    }
}
