/* SPDX-License-Identifier: MIT */
/*
 * Deliveries: letters go from their sockets into the ring, in a turn like any writer's.
 * Not locked: that is the letterbox's to do.
 */
#ifndef MS_LINUX_DELIVERY_H
#define MS_LINUX_DELIVERY_H

#include "linux/connections.h"
#include "linux/region.h"
#include "linux/users.h"
#include "queue/queue.h"

struct ms_delivery {
    const struct ms_region *region;
    struct ms_queue queue;
    uint32_t uid;       /* the owner's, who sends no letters */
    bool is_turn_stuck; /* a writer was stopped in its turn, as it seems */
    struct ms_users users;
    struct ms_connections connections;
};

/* Of zeros, with the share of a user that is not told another; the descriptors of the
 * connections are set later. */
void ms_delivery_init(struct ms_delivery *delivery, const struct ms_region *region);

/* Take in all that was sent through a connection so far. After it either nothing of
 * that is left; or the connection waits, because the next letter is put off; or it is
 * closed, because it has come to its end or sent what is no letter. */
void ms_delivery_take(struct ms_delivery *delivery, struct ms_connection *connection);

/* Greet who has connected, or tell of room: 0 or -EAGAIN. No more than a hint: it gets
 * lost when the other end does not read. user: NULL if there are too many. */
void ms_delivery_tell(const struct ms_delivery *delivery, const struct ms_user *user,
                      int fd, int result);

/* Wait for the end of the turn that is stuck, for a moment: whether it has come.
 * Changes nothing, so it needs no lock. */
bool ms_delivery_await_turn(const struct ms_delivery *delivery);

#endif
