/* SPDX-License-Identifier: MIT */
/*
 * The other users who send to a slot: what each has in the ring, of which it may fill a
 * share, and how many connections. Not locked: that is the letterbox's to do.
 */
#ifndef MS_LINUX_USERS_H
#define MS_LINUX_USERS_H

#include "mailslot.h"

#include <stdbool.h>
#include <stdint.h>

/* With letters in the ring or connections. */
#define MS_USERS 512

struct ms_user {
    uint32_t uid;
    uint32_t connections;
    uint32_t waiting;  /* of them, whose next letter is put off */
    uint64_t queued;   /* bytes of the ring not yet shown to the owner */
    uint64_t shown;    /* and not yet released */
    uint64_t accepted; /* letters that came into the slot */
};

/* Zeros, but for the share. */
struct ms_users {
    uint64_t share; /* bytes of each */
    bool has_shown; /* some have shown bytes */
    struct ms_user all[MS_USERS];
};

/* The entry of a user; a new one, if it may be added, which stays as long as it has
 * bytes or connections, and then until its place is needed: of those the one with the
 * fewest letters goes first. NULL: there is none, or there are too many. */
struct ms_user *ms_users_find(struct ms_users *users, uint32_t uid, bool may_add);

/* Who has most connections. */
const struct ms_user *ms_users_greediest(const struct ms_users *users);

/* Whether so many bytes more are within the user's share, which always has room for one
 * message. */
bool ms_users_may_queue(const struct ms_users *users, const struct ms_user *user,
                        uint64_t bytes);

/* The owner was shown a message. Returns whether it was one of these users'. */
bool ms_users_show(struct ms_users *users, const mailslot_message *message);

/* What was shown was everybody's: it is back in the queue, or gone. */
void ms_users_settle(struct ms_users *users, bool is_kept);

#endif
