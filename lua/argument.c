/* SPDX-License-Identifier: MIT */
/* Arguments: from Lua to C. */
#include "lmailslot.h"

#include <math.h>
#include <string.h>

#define LONGEST_SECONDS ((MAILSLOT_FOREVER - 1) / 1000.0)
#define MAX_BYTES_LIMIT ((lua_Integer)1 << 40)
#define MAX_BYTES_DEFAULT ((lua_Integer)1 << 30)
#define MODE_OF_GROUP 0020u

/* A name with a NUL byte in it is none, and to C no name is EINVAL, too. */
const char *ms_lua_check_name(lua_State *L) {
    size_t size;
    const char *name = luaL_checklstring(L, 1, &size);
    return strlen(name) == size ? name : NULL;
}

/* The seconds at index, which are of that type. Rounded up, but a number with up to
 * three decimals stays what it is, whatever its binary form. */
static int64_t to_milliseconds(lua_State *L, int index, int type, int argument) {
    lua_Number seconds = type == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
    if (seconds == HUGE_VAL) {
        return MAILSLOT_FOREVER;
    }
    if (!(seconds >= 0 && seconds <= LONGEST_SECONDS)) {
        luaL_argerror(L, argument,
                      "timeout must be 0 to 4294967.294 seconds or math.huge");
        return 0;
    }
    int64_t timeout_ms = (int64_t)(seconds * 1000);
    return (lua_Number)timeout_ms / 1000 < seconds ? timeout_ms + 1 : timeout_ms;
}

int64_t ms_lua_check_timeout(lua_State *L, int argument) {
    return to_milliseconds(L, argument, lua_type(L, argument), argument);
}

int64_t ms_lua_opt_timeout(lua_State *L, int argument, int64_t absent) {
    int type = lua_type(L, argument);
    return type <= LUA_TNIL ? absent : to_milliseconds(L, argument, type, argument);
}

static bool is_known(const char *key, const char *const known[]) {
    while (*known && strcmp(key, *known) != 0) {
        known++;
    }
    return *known;
}

/* Options are argument 2. */
static void check_keys(lua_State *L, const char *const known[]) {
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || !is_known(lua_tostring(L, -1), known)) {
            const char *key = luaL_tolstring(L, -1, NULL);
            luaL_argerror(L, 2, lua_pushfstring(L, "unknown option '%s'", key));
        }
    }
}

static int64_t timeout_option(lua_State *L, int64_t absent) {
    int type = lua_getfield(L, 2, "timeout");
    int64_t timeout_ms = type == LUA_TNIL ? absent : to_milliseconds(L, -1, type, 2);
    lua_pop(L, 1);
    return timeout_ms;
}

static lua_Integer integer_option(lua_State *L, const char *key, lua_Integer least,
                                  lua_Integer most, lua_Integer absent) {
    int type = lua_getfield(L, 2, key);
    int is_integer = 0;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    if (type == LUA_TNIL) {
        value = absent;
    } else if (type != LUA_TNUMBER || !is_integer || value < least || value > most) {
        const char *reason =
            lua_pushfstring(L, "%s must be an integer from %I to %I", key,
                            (LUAI_UACINT)least, (LUAI_UACINT)most);
        luaL_argerror(L, 2, reason);
    }
    lua_pop(L, 1);
    return value;
}

static bool boolean_option(lua_State *L, const char *key) {
    if (lua_getfield(L, 2, key) != LUA_TNIL && !lua_isboolean(L, -1)) {
        luaL_argerror(L, 2, lua_pushfstring(L, "%s must be a boolean", key));
    }
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* As chmod and info write it; a number would be taken for an octal one. */
static uint32_t mode_option(lua_State *L) {
    static const char *const names[] = {"0600", "0620", "0602", "0622", NULL};
    uint32_t modes[] = {0600, 0620, 0602, 0622};
    uint32_t mode = MAILSLOT_MODE_PRIVATE;
    if (lua_getfield(L, 2, "mode") != LUA_TNIL) {
        size_t i = 0;
        bool is_string = lua_type(L, -1) == LUA_TSTRING;
        while (is_string && names[i] && strcmp(names[i], lua_tostring(L, -1)) != 0) {
            i++;
        }
        if (!is_string || !names[i]) {
            luaL_argerror(L, 2,
                          "mode must be \"0600\", \"0620\", \"0602\" or \"0622\"");
            return 0;
        }
        mode = modes[i];
    }
    lua_pop(L, 1);
    return mode;
}

/* A name or a number. A mode that the group has no part in would not let it send. */
static uint32_t group_option(lua_State *L, uint32_t mode) {
    uint32_t gid = MAILSLOT_NO_GID;
    int type = lua_getfield(L, 2, "group");
    if (type == LUA_TSTRING) {
        if (!ms_lua_find_group(L, lua_tostring(L, -1), &gid)) {
            const char *name = lua_tostring(L, -1);
            luaL_argerror(L, 2,
                          lua_pushfstring(L, "group: there is no group '%s'", name));
        }
    } else if (type != LUA_TNIL) {
        gid = (uint32_t)integer_option(L, "group", 0, MAILSLOT_NO_GID - 1, 0);
    }
    if (type != LUA_TNIL && !(mode & MODE_OF_GROUP)) {
        luaL_argerror(L, 2, "group needs mode \"0620\" or \"0622\"");
    }
    lua_pop(L, 1);
    return gid;
}

mailslot_options ms_lua_opt_create(lua_State *L) {
    static const char *const known[] = {
        "max_message_size", "timeout", "max_bytes", "mode", "group",
        "user_max_bytes",   NULL};
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    if (lua_isnoneornil(L, 2)) {
        return options;
    }
    check_keys(L, known);
    options.max_message_size =
        (uint32_t)integer_option(L, "max_message_size", 0, UINT32_MAX, 0);
    lua_Integer max_bytes = integer_option(L, "max_bytes", 0, MAX_BYTES_LIMIT, 0);
    lua_Integer bound = max_bytes ? max_bytes : MAX_BYTES_DEFAULT;
    options.max_bytes = (uint64_t)max_bytes;
    options.user_max_bytes = (uint64_t)integer_option(L, "user_max_bytes", 0, bound, 0);
    options.timeout_ms = (uint32_t)timeout_option(L, 0);
    options.mode = mode_option(L);
    options.gid = group_option(L, options.mode);
    return options;
}

static const struct ms_lua_reading any_reading = {.timeout_ms = MAILSLOT_DEFAULT,
                                                  .max = LUA_MAXINTEGER};

/* Seconds, or a table. */
static struct ms_lua_reading check_reading(lua_State *L, int type,
                                           const char *const known[]) {
    struct ms_lua_reading how = any_reading;
    if (type != LUA_TTABLE) {
        how.timeout_ms = to_milliseconds(L, 2, type, 2);
        return how;
    }
    check_keys(L, known);
    how.timeout_ms = timeout_option(L, MAILSLOT_DEFAULT);
    how.max = integer_option(L, "max", 1, LUA_MAXINTEGER, LUA_MAXINTEGER);
    how.has_meta = boolean_option(L, "meta");
    return how;
}

inline struct ms_lua_reading ms_lua_opt_reading(lua_State *L,
                                                const char *const known[]) {
    int type = lua_type(L, 2);
    return type <= LUA_TNIL ? any_reading : check_reading(L, type, known);
}
