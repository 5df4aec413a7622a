/* SPDX-License-Identifier: MIT */
/*
 * The inbox: where messages from outside become messages of local slots. It decides
 * what comes in: only what the configuration exports, within its limits, past its
 * filter. To the slots it is an ordinary writer that never waits.
 */
#ifndef MS_GATEWAY_INBOX_H
#define MS_GATEWAY_INBOX_H

#include "gateway/log.h"
#include "mailslot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ms_gateway;
struct ms_inbox;

/* A message that has come by a road. */
struct ms_arrival {
    const char *road;
    const char *from;  /* the machine, as the reader sees it */
    bool is_verified;  /* nobody else could have said so */
    const char *place; /* its address, for the log */
    uint64_t sender;   /* whose rate it counts for; not 0 */
    const char *to;    /* the host or domain that it was sent to */
    const char *slot;  /* bare name */
    const void *data;
    size_t size;
    /* NULL, or called when nothing is left to be done but to give the message to the
     * slot, of which created_ns and received are told: what it has received that told
     * an origin; of another user's, what it has received of ours */
    void (*about_to_send)(void *context, const mailslot_info *info);
    void *context;
};

int ms_inbox_open(struct ms_gateway *gateway, struct ms_inbox **ret_inbox);

/* The configuration is another: exports that are still there keep their state. */
int ms_inbox_reload(struct ms_inbox *inbox);

/* MS_DROP_NONE: it is in the slot. Else why not. */
enum ms_drop ms_inbox_deliver(struct ms_inbox *inbox, const struct ms_arrival *arrival);

/* What an exported slot was like when this process opened it first and had sent nothing
 * to it: created_ns and received, as above. Errors: as mailslot_open and
 * mailslot_writer_get_accepted; -EAGAIN: not to be seen now; -ENOENT also if it is not
 * exported. */
int ms_inbox_look(struct ms_inbox *inbox, const char *slot, mailslot_info *ret_info);

/* Count what the last call did not deliver, unless it will be delivered later. */
void ms_inbox_count(const struct ms_inbox *inbox, const struct ms_arrival *arrival,
                    enum ms_drop drop);

/* NULL is allowed. */
void ms_inbox_close(struct ms_inbox *inbox);

#endif
