/* SPDX-License-Identifier: MIT */
/*
 * The Lua module `bench_floor`: what a queue in Lua costs at least. fresh(size,
 * is_last) returns a string that is new each time, as a read does: one that role.lua
 * takes for the next message of the first writer. lock(what, message) takes and frees a
 * robust lock that nobody else wants, as a send does.
 */
#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <stdint.h>

#define SIZE_MAX_HERE 65536

__attribute__((visibility("default"))) int luaopen_bench_floor(lua_State *L);

static int l_fresh(lua_State *L) {
    static union {
        struct head {
            uint64_t sequence;
            uint32_t writer;
            uint32_t is_last;
        } head;
        char bytes[SIZE_MAX_HERE];
    } message;
    size_t size = (size_t)luaL_checkinteger(L, 1);
    luaL_argcheck(L, size >= sizeof(struct head) && size <= sizeof message, 1, "size");
    message.head.sequence++;
    message.head.is_last = (uint32_t)lua_toboolean(L, 2);
    lua_pushlstring(L, message.bytes, size);
    return 1;
}

static int l_lock(lua_State *L) {
    pthread_mutex_t *lock = lua_touserdata(L, lua_upvalueindex(1));
    luaL_checkstring(L, 2);
    if (pthread_mutex_lock(lock) != 0 || pthread_mutex_unlock(lock) != 0) {
        return luaL_error(L, "the lock is broken");
    }
    lua_pushboolean(L, 1);
    return 1;
}

int luaopen_bench_floor(lua_State *L) {
    pthread_mutexattr_t attributes;
    lua_newtable(L);
    lua_pushcfunction(L, l_fresh);
    lua_setfield(L, -2, "fresh");
    pthread_mutex_t *lock = lua_newuserdatauv(L, sizeof *lock, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    lua_pushcclosure(L, l_lock, 1);
    lua_setfield(L, -2, "lock");
    return 1;
}
