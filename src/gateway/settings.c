/* SPDX-License-Identifier: MIT */
#include "gateway/settings.h"

#include <lauxlib.h>

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 512

/* Is this line of the file one that sets the key: `key =`, or `"key"` in a list? */
static bool sets_key(const char *line, size_t size, const char *key) {
    size_t key_size = strlen(key);
    for (size_t i = 0; i + key_size <= size; i++) {
        if (line[i] == '-' && i + 1 < size && line[i + 1] == '-') {
            return false; /* a comment */
        }
        bool begins =
            i == 0 || !(isalnum((unsigned char)line[i - 1]) || line[i - 1] == '_');
        if (!begins || memcmp(line + i, key, key_size) != 0) {
            continue;
        }
        size_t end = i + key_size;
        bool is_quoted = i > 0 && strchr("\"'[", line[i - 1]);
        while (end < size && strchr(" \t\"']", line[end])) {
            end++;
        }
        if (is_quoted || (end < size && line[end] == '=')) {
            return true;
        }
    }
    return false;
}

/* The line of a key; if it cannot be found, the last of its table. */
static int find_line(const struct ms_settings *settings, const char *key) {
    const char *line = settings->script->text;
    for (int number = 1; *line && number <= settings->last_line; number++) {
        size_t size = strcspn(line, "\n");
        if (number >= settings->first_line && sets_key(line, size, key)) {
            return number;
        }
        line += size;
        line += *line == '\n';
    }
    return settings->last_line;
}

_Noreturn void ms_settings_fail(const struct ms_settings *settings, const char *key,
                                const char *format, ...) {
    char text[TEXT_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    int line = find_line(settings, key);
    if (line > 0) {
        luaL_error(settings->L, "%s:%d: %s%s %s", settings->script->path, line,
                   settings->prefix, key, text);
    }
    luaL_error(settings->L, "%s: %s%s %s", settings->script->path, settings->prefix,
               key, text);
    __builtin_unreachable(); /* luaL_error does not return */
}

static bool is_known(const char *const known[], const char *key) {
    for (; *known; known++) {
        if (strcmp(*known, key) == 0) {
            return true;
        }
    }
    return false;
}

void ms_settings_check_key(const struct ms_settings *settings,
                           const char *const known[]) {
    lua_State *lua = settings->L;
    if (lua_type(lua, -1) != LUA_TSTRING) {
        ms_settings_fail(settings, luaL_tolstring(lua, -1, NULL), "is not an option");
    }
    const char *key = lua_tostring(lua, -1);
    if (!is_known(known, key)) {
        ms_settings_fail(settings, key, "is not an option");
    }
}

void ms_settings_check_keys(const struct ms_settings *settings,
                            const char *const known[]) {
    lua_pushnil(settings->L);
    while (lua_next(settings->L, settings->index)) {
        lua_pop(settings->L, 1);
        ms_settings_check_key(settings, known);
    }
}

/* [-0, +1, or 0 if it is absent] */
static bool push(const struct ms_settings *settings, const char *key) {
    lua_getfield(settings->L, settings->index, key);
    if (lua_isnil(settings->L, -1)) {
        lua_pop(settings->L, 1);
        return false;
    }
    return true;
}

static void expect_type(const struct ms_settings *settings, const char *key, int type,
                        const char *what) {
    if (lua_type(settings->L, -1) != type) {
        ms_settings_fail(settings, key, "must be %s, not a %s", what,
                         luaL_typename(settings->L, -1));
    }
}

/* The text on top, without zeros inside. */
static const char *to_text(const struct ms_settings *settings, const char *key) {
    size_t size;
    const char *text = lua_tolstring(settings->L, -1, &size);
    if (size == 0 || strlen(text) != size) {
        ms_settings_fail(settings, key, "must be a text that is not empty");
    }
    return text;
}

bool ms_settings_text(const struct ms_settings *settings, const char *key,
                      char *ret_text, size_t capacity) {
    if (!push(settings, key)) {
        return false;
    }
    expect_type(settings, key, LUA_TSTRING, "a string");
    const char *text = to_text(settings, key);
    if (strlen(text) >= capacity) {
        ms_settings_fail(settings, key, "is longer than %d bytes", (int)capacity - 1);
    }
    memcpy(ret_text, text, strlen(text) + 1);
    lua_pop(settings->L, 1);
    return true;
}

bool ms_settings_integer(const struct ms_settings *settings, const char *key,
                         int64_t least, int64_t most, int64_t *ret_value) {
    if (!push(settings, key)) {
        return false;
    }
    int is_integer;
    lua_Integer value = lua_tointegerx(settings->L, -1, &is_integer);
    if (!is_integer || lua_type(settings->L, -1) != LUA_TNUMBER || value < least ||
        value > most) {
        ms_settings_fail(settings, key, "must be an integer from %lld to %lld",
                         (long long)least, (long long)most);
    }
    *ret_value = value;
    lua_pop(settings->L, 1);
    return true;
}

bool ms_settings_number(const struct ms_settings *settings, const char *key,
                        double least, double most, double *ret_value) {
    if (!push(settings, key)) {
        return false;
    }
    double value = lua_tonumber(settings->L, -1);
    if (lua_type(settings->L, -1) != LUA_TNUMBER ||
        !(value >= least && value <= most)) {
        ms_settings_fail(settings, key, "must be a number from %g to %g", least, most);
    }
    *ret_value = value;
    lua_pop(settings->L, 1);
    return true;
}

bool ms_settings_flag(const struct ms_settings *settings, const char *key,
                      bool *ret_flag) {
    if (!push(settings, key)) {
        return false;
    }
    expect_type(settings, key, LUA_TBOOLEAN, "true or false");
    *ret_flag = lua_toboolean(settings->L, -1);
    lua_pop(settings->L, 1);
    return true;
}

bool ms_settings_list(const struct ms_settings *settings, const char *key,
                      void (*take)(const struct ms_settings *settings, const char *key,
                                   const char *text, void *context),
                      void *context) {
    lua_State *lua = settings->L;
    if (!push(settings, key)) {
        return false;
    }
    expect_type(settings, key, LUA_TTABLE, "a list of strings");
    lua_Integer count = luaL_len(lua, -1);
    lua_Integer keys = 0;
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        keys++;
        lua_pop(lua, 1);
    }
    if (keys != count) {
        ms_settings_fail(settings, key, "must be a list of strings");
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(lua, -1, i);
        expect_type(settings, key, LUA_TSTRING, "a list of strings");
        take(settings, key, to_text(settings, key), context);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    return true;
}

bool ms_settings_table(const struct ms_settings *settings, const char *key,
                       const char *prefix, struct ms_settings *ret_table) {
    if (!push(settings, key)) {
        return false;
    }
    expect_type(settings, key, LUA_TTABLE, "a table");
    *ret_table = *settings;
    ret_table->index = lua_gettop(settings->L);
    ret_table->prefix = prefix;
    return true;
}
