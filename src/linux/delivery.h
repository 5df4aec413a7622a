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

/* When to stop between two letters, and leave the rest to the next call. At least one
 * step is always made. */
struct ms_limit {
    bool is_for_one;                /* a message has come into the ring since: */
    uint64_t tail;                  /* the ring's, */
    int64_t end_ns;                 /* it is that late, */
    const _Atomic uint32_t *wanted; /* this is not 0 any more (NULL: no such thing), */
    uint32_t letters;               /* or so many came from one connection; 0: any */
};

struct ms_delivery {
    const struct ms_region *region;
    struct ms_queue queue;
    uint32_t uid;       /* the owner's, who sends no letters */
    bool is_turn_stuck; /* a writer was stopped in its turn, as it seems */
    struct ms_limit limit;
    struct ms_users users;
    struct ms_connections connections;
};

/* Of zeros, with the share of a user that is not told another; the descriptors of the
 * connections are set later. */
void ms_delivery_init(struct ms_delivery *delivery, const struct ms_region *region);

/* Whether the limit is reached. */
bool ms_delivery_is_over(const struct ms_delivery *delivery);

/* Take in so many bytes of what was sent through a connection, within the limit, and
 * look at what follows. After it the connection may wait, because the next letter is
 * put off, or be closed, because it has come to its end or sent what is no letter. */
void ms_delivery_take(struct ms_delivery *delivery, struct ms_connection *connection,
                      uint64_t bytes);

/* The same with all that was sent before this call. */
void ms_delivery_take_held(struct ms_delivery *delivery,
                           struct ms_connection *connection);

/* Greet who has connected, or tell of room: 0 or -EAGAIN. No more than a hint: it gets
 * lost when the other end does not read. user: NULL if there are too many. */
void ms_delivery_tell(const struct ms_delivery *delivery, const struct ms_user *user,
                      int fd, int result);

/* Wait for the end of the turn that is stuck, for a moment: whether it has come.
 * Changes nothing, so it needs no lock. */
bool ms_delivery_await_turn(const struct ms_delivery *delivery);

#endif
