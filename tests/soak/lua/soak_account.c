/* SPDX-License-Identifier: MIT */
/*
 * A Lua module: the account, for owners and writers in Lua. It sees only what Lua got
 * from, and hands to, the module `mailslot`.
 */
#include "chance.h"
#include "process.h"
#include "reading.h"
#include "sending.h"

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

static struct sending sending;
static struct reading reading;

/* attach(descriptor, seed) */
static int l_attach(lua_State *L) {
    random_state = (uint64_t)luaL_checkinteger(L, 2);
    prepare_process();
    luaL_argcheck(L, ledger_attach((int)luaL_checkinteger(L, 1)), 1, "no ledger");
    return 0;
}

static int l_become_stranger(lua_State *L) {
    return become_stranger() ? 0 : luaL_error(L, "cannot become another user");
}

/* chance(limit): 0 to limit - 1. */
static int l_chance(lua_State *L) {
    lua_pushinteger(L, next_random((uint32_t)luaL_checkinteger(L, 1)));
    return 1;
}

static int l_nap(lua_State *L) {
    nap_ms((uint32_t)luaL_checkinteger(L, 1));
    return 0;
}

static int l_now_ms(lua_State *L) {
    lua_pushinteger(L, now_ms());
    return 1;
}

static int l_is_over(lua_State *L) {
    lua_pushboolean(L, ledger->is_over);
    return 1;
}

/* The negative errno that a word such as "EAGAIN" is; a new one is wrong everywhere. */
static int to_errno(lua_State *L, int argument) {
    const char *code = luaL_optstring(L, argument, NULL);
    int number = 1;
    while (code && number < ERRORS - 1) {
        const char *name = strerrorname_np(number);
        if (name && strcmp(name, code) == 0) {
            break;
        }
        number++;
    }
    return code ? -number : 0;
}

/* report(what, code) */
static int l_report(lua_State *L) {
    const char *what = luaL_checkstring(L, 1);
    report(OTHERWISE, what, reading.life, (uint32_t)-to_errno(L, 2), 0);
    return 0;
}

/* note_refusal(code) */
static int l_note_refusal(lua_State *L) {
    note_refusal(to_errno(L, 1));
    return 0;
}

/* enter(writer, is_stranger): the name of a slot to send to, or nil. */
static int l_enter(lua_State *L) {
    uint32_t writer = (uint32_t)luaL_checkinteger(L, 1);
    if (!sending_enter(&sending, writer, lua_toboolean(L, 2))) {
        return 0;
    }
    lua_pushstring(L, slot_name(sending.slot));
    return 1;
}

/* begin(is_loose): whether the stream has begun. */
static int l_begin(lua_State *L) {
    lua_pushboolean(L, sending_begin(&sending, lua_toboolean(L, 1)));
    return 1;
}

/* compose(ahead, limit): a message. */
static int l_compose(lua_State *L) {
    static unsigned char bytes[LARGEST_MESSAGE];
    lua_Integer ahead = luaL_checkinteger(L, 1);
    lua_Integer limit = luaL_checkinteger(L, 2);
    luaL_argcheck(L, ahead >= 0 && ahead < BATCH, 1, "not in a batch");
    luaL_argcheck(L, limit <= (lua_Integer)LARGEST_MESSAGE, 2, "too large");
    uint32_t size = sending_compose(&sending, (uint32_t)ahead, bytes, (uint32_t)limit);
    lua_pushlstring(L, (const char *)bytes, size);
    return 1;
}

static int l_about(lua_State *L) {
    sending_about(&sending, (uint32_t)luaL_checkinteger(L, 1));
    return 0;
}

/* note(sent, code): whether the stream may go on. */
static int l_note(lua_State *L) {
    uint32_t sent = (uint32_t)luaL_checkinteger(L, 1);
    lua_pushboolean(L, sending_note(&sending, sent, to_errno(L, 2)));
    return 1;
}

/* note_closed(code): the slot could not be opened. */
static int l_note_closed(lua_State *L) {
    luaL_checkstring(L, 1);
    sending_note_closed(to_errno(L, 1));
    return 0;
}

static int l_leave(lua_State *L) {
    (void)L;
    sending_leave(&sending);
    return 0;
}

/* begin_life(slot): name, max_bytes, mode, group; group is nil without strangers. */
static int l_begin_life(lua_State *L) {
    uint32_t slot = (uint32_t)luaL_checkinteger(L, 1);
    reading_begin(&reading, slot);
    lua_pushstring(L, slot_name(slot));
    lua_pushinteger(L, ledger->slots[slot].max_bytes);
    lua_pushfstring(L, "06%d%d", (int)(ledger->slots[slot].mode >> 3 & 7),
                    (int)(ledger->slots[slot].mode & 7));
    if (!can_be_stranger()) {
        return 3;
    }
    lua_pushinteger(L, STRANGER);
    return 4;
}

/* take(message, sequence): with or without the sequence number of its envelope. */
static int l_take(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    if (!lua_isnoneornil(L, 2)) {
        reading_check_sequence(&reading, (uint64_t)luaL_checkinteger(L, 2));
    }
    reading.count++;
    reading_take(&reading, bytes, size);
    return 0;
}

/* From now on writers leave. */
static int l_prepare_end(lua_State *L) {
    (void)L;
    reading_prepare_end(&reading);
    return 0;
}

static int l_is_sent_to(lua_State *L) {
    lua_pushboolean(L, is_sent_to(reading.slot));
    return 1;
}

/* end_life(is_in_order): before the slot is closed. */
static int l_end_life(lua_State *L) {
    reading_end(&reading, lua_toboolean(L, 1) ? ENDED_IN_ORDER : DIED);
    return 0;
}

static const luaL_Reg functions[] = {
    {"attach", l_attach},
    {"become_stranger", l_become_stranger},
    {"chance", l_chance},
    {"nap", l_nap},
    {"now_ms", l_now_ms},
    {"is_over", l_is_over},
    {"report", l_report},
    {"note_refusal", l_note_refusal},
    {"enter", l_enter},
    {"begin", l_begin},
    {"compose", l_compose},
    {"about", l_about},
    {"note", l_note},
    {"note_closed", l_note_closed},
    {"leave", l_leave},
    {"begin_life", l_begin_life},
    {"take", l_take},
    {"prepare_end", l_prepare_end},
    {"is_sent_to", l_is_sent_to},
    {"end_life", l_end_life},
    {NULL, NULL},
};

__attribute__((visibility("default"))) int luaopen_soak_account(lua_State *L);

int luaopen_soak_account(lua_State *L) {
    luaL_newlib(L, functions);
    lua_pushinteger(L, LARGEST_MESSAGE);
    lua_setfield(L, -2, "LARGEST_MESSAGE");
    lua_pushinteger(L, SMALL_MESSAGE);
    lua_setfield(L, -2, "SMALL_MESSAGE");
    lua_pushinteger(L, BATCH);
    lua_setfield(L, -2, "BATCH");
    return 1;
}
