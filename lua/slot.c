/* SPDX-License-Identifier: MIT */
/* The slot: creating and reading. */
#include "lmailslot.h"

#include <errno.h>

/* A signal that comes just before a wait does not end it: look this often. */
#define LOOK_AGAIN_MS 1000

/* Lists for more messages grow as they fill, so that a damaged count costs nothing. */
#define LIST_SIZE_LIMIT 65536

/* Further upvalues of the iterator that slot:messages returns. */
#define ITERATOR_SLOT lua_upvalueindex(3)
#define ITERATOR_TIMEOUT lua_upvalueindex(4)
#define ITERATOR_META lua_upvalueindex(5)

static const char *const read_options[] = {"timeout", "meta", NULL};
static const char *const read_all_options[] = {"timeout", "max", "meta", NULL};

static bool is_nothing(int r) {
    return r == -EAGAIN || r == -ETIMEDOUT;
}

/* Start to look at the queue from its head: an earlier call may have ended in an error
 * of Lua, with messages shown but not removed. */
static inline void begin_reading(lua_State *L, struct ms_lua_slot *handle) {
    ms_lua_check_open(L, handle);
    mailslot_unpeek(handle->slot);
    handle->turn++;
}

/* Remove what was shown since turn, unless a finalizer has used the slot since. */
static bool finish_reading(struct ms_lua_slot *handle, unsigned int turn) {
    if (handle->turn != turn) {
        return false;
    }
    mailslot_consume(handle->slot);
    return true;
}

static int sleep_until_message(lua_State *L, struct ms_lua_slot *handle,
                               int64_t timeout_ms) {
    int64_t deadline_ms = ms_lua_deadline_after(timeout_ms);
    for (;;) {
        int64_t nap_ms = timeout_ms < LOOK_AGAIN_MS ? timeout_ms : LOOK_AGAIN_MS;
        int r = mailslot_wait(handle->slot, nap_ms);
        bool is_over = nap_ms == timeout_ms;
        if (r != -EINTR && (r != -ETIMEDOUT || is_over)) {
            return r;
        }
        ms_lua_run_hook(L);
        begin_reading(L, handle);
        timeout_ms = ms_lua_time_left(deadline_ms);
    }
}

/* Nothing is queued, and none is shown. 0: now a message is. */
static int await_next(lua_State *L, struct ms_lua_slot *handle, int64_t timeout_ms) {
    if (timeout_ms == MAILSLOT_DEFAULT) {
        mailslot_info info = MAILSLOT_INFO_INIT;
        int r = mailslot_get_info(handle->slot, &info);
        if (r < 0) {
            return r;
        }
        timeout_ms = info.timeout_ms;
    }
    return timeout_ms == 0 ? -EAGAIN : sleep_until_message(L, handle, timeout_ms);
}

/* 0: a message is queued, and none is shown. */
static int await_message(lua_State *L, struct ms_lua_slot *handle, int64_t timeout_ms) {
    begin_reading(L, handle);
    int r = mailslot_wait(handle->slot, 0);
    return r == -EAGAIN ? await_next(L, handle, timeout_ms) : r;
}

/* [-0, +1] The next message, unless an error is returned. */
static int read_message(lua_State *L, struct ms_lua_slot *handle,
                        const struct ms_lua_reading *how) {
    for (;;) {
        begin_reading(L, handle);
        mailslot_message message;
        int r = mailslot_peek(handle->slot, 0, &message);
        if (r == -EAGAIN) {
            r = await_next(L, handle, how->timeout_ms);
            r = r < 0 ? r : mailslot_peek(handle->slot, 0, &message);
        }
        if (r < 0) {
            return r;
        }
        unsigned int turn = handle->turn;
        ms_lua_push_message(L, &message, how->has_meta);
        if (finish_reading(handle, turn)) {
            return 0;
        }
        lua_pop(L, 1);
    }
}

static int l_read(lua_State *L) {
    struct ms_lua_reading how = ms_lua_opt_reading(L, read_options);
    int r = read_message(L, ms_lua_to_slot(L), &how);
    return r < 0 ? ms_lua_push_error(L, r) : 1;
}

/* Append what the slot shows to the list on top, up to limit messages. Fewer when a
 * finalizer came between, or when the rest is damaged: the next call will say so. */
static int append_messages(lua_State *L, struct ms_lua_slot *handle, uint64_t limit,
                           bool has_meta) {
    unsigned int turn = handle->turn;
    for (uint64_t count = 0; count < limit && handle->turn == turn; count++) {
        mailslot_message message;
        int r = mailslot_peek(handle->slot, 0, &message);
        if (r < 0) {
            return count || is_nothing(r) ? 0 : r;
        }
        ms_lua_push_message(L, &message, has_meta);
        lua_rawseti(L, -2, (lua_Integer)count + 1);
    }
    return 0;
}

/* [-0, +1] A list of what is queued when it looks, unless an error is returned. */
static int read_queued(lua_State *L, struct ms_lua_slot *handle,
                       const struct ms_lua_reading *how) {
    unsigned int turn;
    do {
        lua_settop(L, 1);
        mailslot_info info = MAILSLOT_INFO_INIT;
        int r = mailslot_get_info(handle->slot, &info);
        if (r < 0) {
            return r;
        }
        uint64_t max = (uint64_t)how->max;
        uint64_t limit = info.count < max ? info.count : max;
        lua_createtable(L, (int)(limit < LIST_SIZE_LIMIT ? limit : LIST_SIZE_LIMIT), 0);
        begin_reading(L, handle);
        turn = handle->turn;
        r = append_messages(L, handle, limit, how->has_meta);
        if (r < 0) {
            return r;
        }
    } while (!finish_reading(handle, turn));
    return 0;
}

int l_read_all(lua_State *L) {
    struct ms_lua_reading how = ms_lua_opt_reading(L, read_all_options);
    struct ms_lua_slot *handle = ms_lua_to_slot(L);
    int r = await_message(L, handle, how.timeout_ms);
    if (is_nothing(r)) {
        lua_newtable(L);
        return 1;
    }
    if (r == 0) {
        r = read_queued(L, handle, &how);
    }
    return r < 0 ? ms_lua_push_error(L, r) : 1;
}

static int l_next_message(lua_State *L) {
    lua_settop(L, 0);
    lua_pushvalue(L, ITERATOR_SLOT);
    struct ms_lua_reading how = {.timeout_ms = lua_tointeger(L, ITERATOR_TIMEOUT),
                                 .has_meta = lua_toboolean(L, ITERATOR_META)};
    int r = read_message(L, lua_touserdata(L, 1), &how);
    if (is_nothing(r)) {
        lua_pushnil(L);
        return 1;
    }
    return r < 0 ? ms_lua_raise_error(L, r) : 1;
}

static int l_messages(lua_State *L) {
    struct ms_lua_reading how = ms_lua_opt_reading(L, read_options);
    ms_lua_to_slot(L);
    lua_pushvalue(L, MS_LUA_SLOT_METATABLE);
    lua_pushvalue(L, MS_LUA_WRITER_METATABLE);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, how.timeout_ms);
    lua_pushboolean(L, how.has_meta);
    lua_pushcclosure(L, l_next_message, 5);
    return 1;
}

static int l_wait(lua_State *L) {
    int64_t timeout_ms = ms_lua_opt_timeout(L, 2, MAILSLOT_DEFAULT);
    return ms_lua_push_result(L, await_message(L, ms_lua_to_slot(L), timeout_ms));
}

static int l_settimeout(lua_State *L) {
    mailslot *slot = ms_lua_to_slot(L)->slot;
    int64_t timeout_ms = ms_lua_check_timeout(L, 2);
    return ms_lua_push_result(L, mailslot_set_timeout(slot, (uint32_t)timeout_ms));
}

static int l_gettimeout(lua_State *L) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = mailslot_get_info(ms_lua_to_slot(L)->slot, &info);
    if (r < 0) {
        return ms_lua_push_error(L, r);
    }
    ms_lua_push_seconds(L, info.timeout_ms);
    return 1;
}

/* For event loops: luv and whatever takes a number; socket.select of luasocket calls
 * getfd and dirty; cqueues calls pollfd, events and timeout. */
static int l_getfd(lua_State *L) {
    int fd;
    int r = mailslot_get_fd(ms_lua_to_slot(L)->slot, &fd);
    if (r < 0) {
        return ms_lua_push_error(L, r);
    }
    lua_pushinteger(L, fd);
    return 1;
}

/* The descriptor tells all: there is nothing that it hides. */
static int l_dirty(lua_State *L) {
    ms_lua_to_slot(L);
    lua_pushboolean(L, 0);
    return 1;
}

static int l_events(lua_State *L) {
    ms_lua_to_slot(L);
    lua_pushliteral(L, "r");
    return 1;
}

/* nil: it need not be looked at before it is readable. */
static int l_timeout(lua_State *L) {
    ms_lua_to_slot(L);
    lua_pushnil(L);
    return 1;
}

static int l_len(lua_State *L) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = mailslot_get_info(ms_lua_to_slot(L)->slot, &info);
    if (r < 0) {
        return ms_lua_raise_error(L, r);
    }
    lua_pushinteger(L, (lua_Integer)info.count);
    return 1;
}

static int l_close(lua_State *L) {
    struct ms_lua_slot *handle = ms_lua_check_slot(L);
    handle->turn++;
    handle->slot = mailslot_close(handle->slot);
    return ms_lua_push_result(L, 0);
}

static int l_tostring(lua_State *L) {
    return ms_lua_push_description(L, MS_LUA_SLOT, ms_lua_check_slot(L)->slot);
}

int l_create(lua_State *L) {
    const char *name = ms_lua_check_name(L);
    mailslot_options options = ms_lua_opt_create(L);
    struct ms_lua_slot *handle = ms_lua_push_slot(L);
    int r = mailslot_create(name, &options, &handle->slot);
    return r < 0 ? ms_lua_push_error(L, r) : 1;
}

const luaL_Reg ms_lua_slot_methods[] = {
    {"read", l_read},
    {"read_all", l_read_all},
    {"messages", l_messages},
    {"wait", l_wait},
    {"info", l_info},
    {"settimeout", l_settimeout},
    {"gettimeout", l_gettimeout},
    {"getfd", l_getfd},
    {"dirty", l_dirty},
    {"pollfd", l_getfd},
    {"events", l_events},
    {"timeout", l_timeout},
    {"close", l_close},
    {NULL, NULL},
};

const luaL_Reg ms_lua_slot_metamethods[] = {
    {"__len", l_len},           {"__gc", l_close}, {"__close", l_close},
    {"__tostring", l_tostring}, {NULL, NULL},
};
