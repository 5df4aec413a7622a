/* SPDX-License-Identifier: MIT */
#include "gateway/filter.h"

#include "gateway/log.h"

#include <lauxlib.h>

#include <stdio.h>
#include <string.h>

/* Instructions of Lua that a call may take: some milliseconds. */
#define INSTRUCTIONS_MAX 1000000

static void on_limit(lua_State *L, lua_Debug *place) {
    (void)place;
    luaL_error(L, "the filter takes too long");
}

static void set_text(lua_State *L, const char *key, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void push_message(lua_State *L, const struct ms_filtered *message) {
    lua_createtable(L, 0, 9);
    set_text(L, "direction", message->is_out ? "out" : "in");
    set_text(L, "from", message->from);
    set_text(L, "to", message->to);
    set_text(L, "slot", message->slot);
    set_text(L, "road", message->road);
    lua_pushlstring(L, message->data, message->size);
    lua_setfield(L, -2, "data");
    set_integer(L, "size", (lua_Integer)message->size);
    if (message->is_out) {
        set_integer(L, "pid", message->pid);
        set_integer(L, "uid", message->uid);
    }
}

/* What the filter has returned: at -2 and -1. */
static int understand(lua_State *L, const struct ms_config *config,
                      const struct ms_filtered *message) {
    if (lua_type(L, -2) == LUA_TSTRING && message->is_out) {
        const char *road = lua_tostring(L, -2);
        if (strcmp(road, "lan") == 0 && config->lan.is_on) {
            return MS_ROAD_LAN;
        }
        if (strcmp(road, "nats") == 0 && config->nats.is_on) {
            return MS_ROAD_NATS;
        }
        luaL_error(L, "the filter names a road that is not configured: '%s'", road);
    }
    if (!lua_isnoneornil(L, -2) && lua_type(L, -2) != LUA_TBOOLEAN) {
        luaL_error(L, "the filter returned a %s", luaL_typename(L, -2));
    }
    return lua_toboolean(L, -2) ? MS_ROAD_COUNT : -1;
}

/* Arguments: configuration and message, as light userdata. */
static int l_filter(lua_State *L) {
    const struct ms_config *config = lua_touserdata(L, 1);
    const struct ms_filtered *message = lua_touserdata(L, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, config->filter);
    push_message(L, message);
    lua_call(L, 1, 2);
    lua_pushinteger(L, understand(L, config, message));
    lua_insert(L, -2);
    return 2; /* the verdict, and the reason */
}

bool ms_filter_passes(const struct ms_config *config, const struct ms_filtered *message,
                      char ret_reason[MS_FILTER_REASON_SIZE], int *road) {
    lua_State *lua = config->lua;
    if (config->filter == LUA_NOREF) {
        return true;
    }
    lua_sethook(lua, on_limit, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
    lua_pushcfunction(lua, l_filter);
    lua_pushlightuserdata(lua, (void *)config);
    lua_pushlightuserdata(lua, (void *)message);
    int verdict = -1;
    if (lua_pcall(lua, 2, 2, 0) == LUA_OK) {
        verdict = (int)lua_tointeger(lua, -2);
    }
    const char *reason = lua_tostring(lua, -1);
    snprintf(ret_reason, MS_FILTER_REASON_SIZE, "%s",
             reason ? reason : "no reason given");
    lua_sethook(lua, NULL, 0, 0);
    lua_settop(lua, 0);
    if (verdict >= 0 && verdict < MS_ROAD_COUNT) {
        *road = verdict;
    }
    return verdict >= 0;
}
