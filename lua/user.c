/* SPDX-License-Identifier: MIT */
/* Users and groups have names for people and numbers for the system. */
#include "lmailslot.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

/* [-0, +1] What getpwuid_r and getgrnam_r want room for; the size is a first guess. */
static char *push_room(lua_State *L, size_t size) {
    return lua_newuserdatauv(L, size, 0);
}

#define ROOM_SIZE 4096
#define ROOM_SIZE_LIMIT (1 << 20)

/* [-0, +1] */
void ms_lua_push_user(lua_State *L, uint32_t uid) {
    struct passwd entry;
    struct passwd *found = NULL;
    int r = ERANGE;
    for (size_t size = ROOM_SIZE; r == ERANGE && size <= ROOM_SIZE_LIMIT; size *= 2) {
        char *room = push_room(L, size);
        r = getpwuid_r(uid, &entry, room, size, &found);
        if (r == 0 && found) {
            lua_pushfstring(L, "user %s (uid %I)", found->pw_name, (LUAI_UACINT)uid);
            lua_remove(L, -2);
            return;
        }
        lua_pop(L, 1);
    }
    lua_pushfstring(L, "the user with uid %I", (LUAI_UACINT)uid);
}

bool ms_lua_find_group(lua_State *L, const char *name, uint32_t *ret_gid) {
    struct group entry;
    struct group *found = NULL;
    int r = ERANGE;
    for (size_t size = ROOM_SIZE; r == ERANGE && size <= ROOM_SIZE_LIMIT; size *= 2) {
        r = getgrnam_r(name, &entry, push_room(L, size), size, &found);
        lua_pop(L, 1);
    }
    if (r != 0 || !found) {
        return false;
    }
    *ret_gid = found->gr_gid;
    return true;
}
