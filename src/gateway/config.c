/* SPDX-License-Identifier: MIT */
/*
 * The file runs with a table of its own for its globals, which are the options; what it
 * sees of Lua is the standard library. An assignment is noted with its line, so that a
 * value that is wrong can be told with the place where it was written.
 */
#include "gateway/config.h"

#include "gateway/config_parts.h"
#include "gateway/settings.h"
#include "os/process.h"

#include <lauxlib.h>
#include <lualib.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX (1 << 20)
#define OUTBOX_MODE_DEFAULT 0622

/* Where things lie in the stack of read_config. */
enum { PATH_INDEX = 1, OPTIONS_INDEX, LINES_INDEX };

static bool is_same_letter(char a, char b) {
    char folded_a = (char)(a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a);
    char folded_b = (char)(b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
    return folded_a == folded_b;
}

bool ms_config_equals(const char *a, const char *b) {
    while (*a && is_same_letter(*a, *b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* __newindex of the options: upvalue 1 has the lines. */
static int l_note(lua_State *L) {
    lua_Debug place;
    if (lua_getstack(L, 1, &place) && lua_getinfo(L, "l", &place)) {
        lua_pushvalue(L, 2);
        lua_pushinteger(L, place.currentline);
        lua_rawset(L, lua_upvalueindex(1));
    }
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 0;
}

/* [-0, +2] The options, and the lines of their assignments. */
static void push_options(lua_State *L) {
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, l_note, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -3);
}

/* [-0, +1] The text of the file. */
static const char *push_file(lua_State *L, const char *path) {
    luaL_Buffer buffer;
    FILE *file = fopen(path, "re");
    if (!file) {
        luaL_error(L, "%s: %s", path, strerrordesc_np(errno));
        return NULL;
    }
    char *text = luaL_buffinitsize(L, &buffer, FILE_SIZE_MAX);
    size_t size = fread(text, 1, FILE_SIZE_MAX, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error || size == FILE_SIZE_MAX) {
        luaL_error(L, "%s: %s", path,
                   error ? strerrordesc_np(error) : "larger than 1 MiB");
    }
    luaL_pushresultsize(&buffer, size);
    return lua_tostring(L, -1);
}

static int l_traceless(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

static void run_file(lua_State *L, const char *path, const char *text) {
    lua_pushcfunction(L, l_traceless);
    int handler = lua_gettop(L);
    lua_pushfstring(L, "@%s", path);
    if (luaL_loadbufferx(L, text, strlen(text), lua_tostring(L, -1), "t") != LUA_OK) {
        lua_error(L);
    }
    lua_pushvalue(L, OPTIONS_INDEX);
    lua_setupvalue(L, -2, 1);
    if (lua_pcall(L, 0, 0, handler) != LUA_OK) {
        lua_error(L);
    }
    lua_settop(L, handler - 1);
}

/* The lines that an option takes in the file: from behind the option before it. */
static void find_lines(lua_State *L, const char *key, struct ms_settings *settings) {
    lua_getfield(L, LINES_INDEX, key);
    settings->last_line = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    settings->first_line = 1;
    lua_pushnil(L);
    while (lua_next(L, LINES_INDEX)) {
        int line = (int)lua_tointeger(L, -1);
        if (line < settings->last_line && line >= settings->first_line) {
            settings->first_line = line + 1;
        }
        lua_pop(L, 1);
    }
}

static void read_filter(lua_State *L, struct ms_settings *options,
                        struct ms_config *config) {
    lua_getfield(L, OPTIONS_INDEX, "filter");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (!lua_isfunction(L, -1)) {
        ms_settings_fail(options, "filter", "must be a function, not a %s",
                         luaL_typename(L, -1));
    }
    config->filter = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* A table among the options, with the lines where it was written. */
static bool read_table(lua_State *L, struct ms_settings *options, const char *key,
                       const char *prefix, struct ms_settings *ret_table) {
    find_lines(L, key, options);
    return ms_settings_table(options, key, prefix, ret_table);
}

static void read_names(lua_State *L, struct ms_settings *options,
                       struct ms_config *config) {
    find_lines(L, "host", options);
    if (!ms_settings_text(options, "host", config->host, sizeof config->host)) {
        char name[MS_HOST_NAME_SIZE];
        ms_process_host_name(name);
        snprintf(config->host, sizeof config->host, "%.*s", (int)strcspn(name, "."),
                 name);
    }
    find_lines(L, "domain", options);
    memcpy(config->domain, "workgroup", sizeof "workgroup");
    ms_settings_text(options, "domain", config->domain, sizeof config->domain);
    find_lines(L, "user", options);
    ms_settings_text(options, "user", config->user, sizeof config->user);
}

static void check_names(lua_State *L, struct ms_settings *options,
                        struct ms_config *config) {
    if (config->lan.is_on) {
        find_lines(L, "host", options);
        ms_config_check_name(options, "host", config->host);
        find_lines(L, "domain", options);
        ms_config_check_name(options, "domain", config->domain);
    }
}

static void check_options(lua_State *L, struct ms_settings *options,
                          const char *const known[]) {
    lua_pushnil(L);
    while (lua_next(L, OPTIONS_INDEX)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            find_lines(L, lua_tostring(L, -1), options);
        }
        ms_settings_check_key(options, known);
    }
}

static void read_options(lua_State *L, const struct ms_script *script,
                         struct ms_config *config) {
    static const char *const known[] = {"host",   "domain", "export", "lan",    "nats",
                                        "routes", "outbox", "user",   "filter", NULL};
    struct ms_settings options = {
        .L = L, .script = script, .index = OPTIONS_INDEX, .prefix = ""};
    check_options(L, &options, known);
    read_names(L, &options, config);
    struct ms_settings table;
    if (read_table(L, &options, "export", "export.", &table)) {
        ms_config_read_exports(&table, config);
    }
    if (read_table(L, &options, "lan", "lan.", &table)) {
        ms_config_read_lan(&table, config);
    }
    if (read_table(L, &options, "nats", "nats.", &table)) {
#ifndef MAILSLOT_NATS
        ms_settings_fail(&options, "nats", "is not in this build: it needs libnats");
#endif
        ms_config_read_nats(&table, config);
    }
    if (read_table(L, &options, "outbox", "outbox.", &table)) {
        ms_config_read_outbox(&table, config);
    }
    if (read_table(L, &options, "routes", "routes.", &table)) {
        ms_config_read_routes(&table, config);
    }
    find_lines(L, "filter", &options);
    read_filter(L, &options, config);
    ms_config_check(&options, config);
    check_names(L, &options, config);
}

/* Arguments: the path, and the structure as a light userdata. */
static int l_read_config(lua_State *L) {
    struct ms_script script = {.path = lua_tostring(L, PATH_INDEX)};
    struct ms_config *config = lua_touserdata(L, 2);
    lua_settop(L, PATH_INDEX);
    push_options(L);
    script.text = push_file(L, script.path);
    run_file(L, script.path, script.text);
    read_options(L, &script, config);
    return 0;
}

static char *error_text(lua_State *L) {
    const char *text = lua_tostring(L, -1);
    return strdup(text ? text : "an error that is not a text");
}

struct ms_config *ms_config_load(const char *path, char **ret_error) {
    struct ms_config *config = calloc(1, sizeof *config);
    lua_State *lua = config ? luaL_newstate() : NULL;
    if (!lua) {
        free(config);
        *ret_error = strdup("out of memory");
        return NULL;
    }
    config->lua = lua;
    config->filter = LUA_NOREF;
    config->outbox_mode = OUTBOX_MODE_DEFAULT;
    luaL_openlibs(lua);
    lua_pushcfunction(lua, l_read_config);
    lua_pushstring(lua, path);
    lua_pushlightuserdata(lua, config);
    if (lua_pcall(lua, 2, 0, 0) != LUA_OK) {
        *ret_error = error_text(lua);
        return ms_config_free(config);
    }
    return config;
}

struct ms_config *ms_config_free(struct ms_config *config) {
    if (config) {
        lua_close(config->lua);
        free(config->exports);
        free(config->routes);
        free(config);
    }
    return NULL;
}
