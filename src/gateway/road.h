/* SPDX-License-Identifier: MIT */
/*
 * A road: one way to other machines. There are lan.c and nats.c, which know nothing of
 * each other. What a road owes:
 *
 * Threads.  Everything happens on the thread of the loop: what is called here, and the
 *           road's calls of outbox and inbox. A library with threads of its own hands
 *           over to the loop (uv_async_send). Nothing here may wait: not for a peer,
 *           not for a name, not for a disk.
 *
 * Out.      send takes a message (0), which is then sent, or dropped and counted
 *           (ms_drop) by the road; what it needs later it copies. Or it says -EAGAIN:
 *           then the outbox keeps the message, reads no other, and offers this one
 *           again once the road has called ms_outbox_resume. So senders find out that
 *           the outbox is full; a road needs queues of its own, bounded ones, only
 *           where one destination must not hold up the others.
 *
 * In.       What comes for this machine goes to ms_inbox_deliver, which applies
 *           exports, limits and the filter, and says what became of it. A road that
 *           cannot repeat (the lan) hands that to ms_inbox_count; one that can may
 *           leave what was refused for now where it is.
 *
 * Own mail. A message for this machine's host name never comes to a road. One for a
 *           domain or `*` reaches this machine, too, once, as it does in Windows: a
 *           road to which it does not come back delivers it itself.
 *
 * Life.     open takes what needs privileges and may fail, with a line in the log;
 *           what it has then opened is in *ret_road all the same. close begins to let
 *           go of what the loop has; the loop then runs until it has nothing left, and
 *           destroy frees the rest. Names, ports and peers stay from open to close;
 *           reload comes when the configuration was read again (gateway->config is the
 *           new one, and the old one goes when all roads have returned).
 */
#ifndef MS_GATEWAY_ROAD_H
#define MS_GATEWAY_ROAD_H

#include <stddef.h>
#include <stdint.h>

struct ms_gateway;

/* A message on its way out. All of it is the outbox's, for the time of the call. */
struct ms_mail {
    const char *host; /* where to, as the sender spelled it; `*` */
    const char *slot; /* bare name, as spelled, separators `\` */
    const void *data;
    size_t size;
    uint32_t pid; /* who sent it; of other users the kernel has checked it */
    uint32_t uid;
    uint32_t gid;
};

struct ms_road {
    const char *name; /* as in the configuration */
    size_t room;      /* bytes of message and slot name, this rounded up to 4, that it
                         can carry; the outbox sees to it */
    int (*send)(struct ms_road *road, const struct ms_mail *mail);
    void (*reload)(struct ms_road *road);
    void (*close)(struct ms_road *road);
    void (*destroy)(struct ms_road *road);
};

/* 0 or a negative errno, with a line in the log. */
int ms_lan_open(struct ms_gateway *gateway, struct ms_road **ret_road);
int ms_nats_open(struct ms_gateway *gateway, struct ms_road **ret_road);

#endif
