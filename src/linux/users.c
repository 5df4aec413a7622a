/* SPDX-License-Identifier: MIT */
/* The other users who send to a slot. */
#include "linux/users.h"

#include "queue/record.h"

#include <stddef.h>

static bool is_in_use(const struct ms_user *user) {
    return user->connections || user->queued || user->shown;
}

struct ms_user *ms_users_find(struct ms_users *users, uint32_t uid, bool may_add) {
    struct ms_user *unused = NULL;
    for (size_t i = 0; i < MS_USERS; i++) {
        struct ms_user *user = &users->all[i];
        bool may_go = !is_in_use(user);
        if (user->uid == uid && (!may_go || user->accepted)) {
            return user;
        }
        if (may_go && (!unused || user->accepted < unused->accepted)) {
            unused = user;
        }
    }
    if (unused && may_add) {
        *unused = (struct ms_user){.uid = uid};
        return unused;
    }
    return NULL;
}

const struct ms_user *ms_users_greediest(const struct ms_users *users) {
    const struct ms_user *greediest = &users->all[0];
    for (size_t i = 1; i < MS_USERS; i++) {
        if (users->all[i].connections > greediest->connections) {
            greediest = &users->all[i];
        }
    }
    return greediest;
}

bool ms_users_may_queue(const struct ms_users *users, const struct ms_user *user,
                        uint64_t bytes) {
    return user->queued == 0 || user->queued + bytes <= users->share;
}

bool ms_users_show(struct ms_users *users, const mailslot_message *message) {
    struct ms_user *user = ms_users_find(users, message->uid, false);
    if (!user) {
        return false;
    }
    /* The record may lie about who sent it. */
    uint64_t extent = ms_record_extent(message->size) + ms_origin_size(message->host);
    uint64_t bytes = extent < user->queued ? extent : user->queued;
    user->queued -= bytes;
    user->shown += bytes;
    users->has_shown = true;
    return true;
}

void ms_users_settle(struct ms_users *users, bool is_kept) {
    for (size_t i = 0; i < MS_USERS && users->has_shown; i++) {
        struct ms_user *user = &users->all[i];
        user->queued += is_kept ? user->shown : 0;
        user->shown = 0;
    }
    users->has_shown = false;
}
