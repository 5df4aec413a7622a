/* SPDX-License-Identifier: MIT */
/* Waiting: the library returns after a signal, Lua goes on with the time that is left.
 */
#include "lmailslot.h"

/* Two deadlines that are no point in time. */
#define AT_ONCE INT64_C(0)
#define NEVER INT64_MAX

int64_t ms_lua_deadline_after(int64_t timeout_ms) {
    if (timeout_ms == 0) {
        return AT_ONCE;
    }
    /* + 1: a part of the clock's millisecond is over already. */
    return timeout_ms == MAILSLOT_FOREVER ? NEVER : mailslot_now_ms() + timeout_ms + 1;
}

/* At least 1, so that the end of a wait is ETIMEDOUT and not EAGAIN. */
int64_t ms_lua_time_left(int64_t deadline_ms) {
    if (deadline_ms == AT_ONCE) {
        return 0;
    }
    if (deadline_ms == NEVER) {
        return MAILSLOT_FOREVER;
    }
    int64_t left_ms = deadline_ms - mailslot_now_ms();
    return left_ms > 1 ? left_ms : 1;
}

static int do_nothing(lua_State *L) {
    (void)L;
    return 0;
}

/* A signal handler cannot raise an error, but the debug hook that it sets can: Ctrl-C
 * in lua. Any call runs the hook. */
void ms_lua_run_hook(lua_State *L) {
    lua_pushcfunction(L, do_nothing);
    lua_call(L, 0, 0);
}
