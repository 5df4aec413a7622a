/* SPDX-License-Identifier: MIT */
#include "gateway/inbox.h"

#include "gateway/filter.h"
#include "gateway/gateway.h"
#include "gateway/limit.h"
#include "os/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHUT_NS INT64_C(30000000000)

/* An exported slot, and what is known of it. */
struct door {
    struct ms_export limits;
    mailslot_writer *writer; /* NULL: not open */
    int64_t shut_until_ns;   /* not to be opened before */
    struct ms_bucket bucket;
    struct ms_senders senders;
    bool is_known;
    mailslot_info first; /* what the slot was like before this process sent to it */
};

struct ms_inbox {
    struct ms_gateway *gateway;
    size_t count;
    struct door *doors;
    char reason[MS_FILTER_REASON_SIZE]; /* why the filter refused the last message */
};

static struct door *find_door(struct ms_inbox *inbox, const char *slot) {
    for (size_t i = 0; i < inbox->count; i++) {
        if (ms_config_equals(inbox->doors[i].limits.slot, slot)) {
            return &inbox->doors[i];
        }
    }
    return NULL;
}

int ms_inbox_reload(struct ms_inbox *inbox) {
    const struct ms_config *config = inbox->gateway->config;
    size_t count = config->export_count;
    struct door *doors = calloc(count ? count : 1, sizeof *doors);
    if (!doors) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct door *old = find_door(inbox, config->exports[i].slot);
        if (old) {
            doors[i] = *old;
            old->writer = NULL;
        }
        doors[i].limits = config->exports[i];
    }
    for (size_t i = 0; i < inbox->count; i++) {
        mailslot_writer_close(inbox->doors[i].writer);
    }
    free(inbox->doors);
    inbox->doors = doors;
    inbox->count = count;
    return 0;
}

int ms_inbox_open(struct ms_gateway *gateway, struct ms_inbox **ret_inbox) {
    struct ms_inbox *inbox = calloc(1, sizeof *inbox);
    if (!inbox) {
        return -ENOMEM;
    }
    inbox->gateway = gateway;
    int r = ms_inbox_reload(inbox);
    if (r < 0) {
        free(inbox);
        return r;
    }
    *ret_inbox = inbox;
    return 0;
}

void ms_inbox_close(struct ms_inbox *inbox) {
    if (inbox) {
        for (size_t i = 0; i < inbox->count; i++) {
            mailslot_writer_close(inbox->doors[i].writer);
        }
        free(inbox->doors);
        free(inbox);
    }
}

/* The reader is to see where a message comes from. A name on the wire may be anything:
 * one that is none is told by its address. */
static int set_origin(mailslot_writer *writer, const struct ms_arrival *arrival) {
    int r = mailslot_writer_set_origin(writer, arrival->from, arrival->is_verified);
    return r == -EINVAL ? mailslot_writer_set_origin(writer, arrival->place, 0) : r;
}

/* A sender that sends too fast uses up its own tokens, and not those of the slot. */
static enum ms_drop check_rates(struct door *door, uint64_t sender) {
    const struct ms_export *limits = &door->limits;
    int64_t now_ns = ms_clock_now_ns();
    double burst = limits->sender_rate < 1 ? 1 : limits->sender_rate;
    struct ms_bucket *bucket = ms_senders_find(&door->senders, sender);
    if (!ms_bucket_take(bucket, limits->sender_rate, burst, now_ns)) {
        return MS_DROP_SENDER_RATE;
    }
    if (!ms_bucket_take(&door->bucket, limits->rate, limits->burst, now_ns)) {
        return MS_DROP_SLOT_RATE;
    }
    return MS_DROP_NONE;
}

static enum ms_drop check_filter(struct ms_inbox *inbox,
                                 const struct ms_arrival *arrival) {
    int road = MS_ROAD_COUNT;
    struct ms_filtered message = {
        .from = arrival->from,
        .to = arrival->to,
        .slot = arrival->slot,
        .road = arrival->road,
        .data = arrival->data,
        .size = arrival->size,
    };
    return ms_filter_passes(inbox->gateway->config, &message, inbox->reason, &road)
               ? MS_DROP_NONE
               : MS_DROP_FILTER;
}

static enum ms_drop drop_of(int r) {
    switch (r) {
    case 0:
        return MS_DROP_NONE;
    case -ENOENT:
    case -EPIPE:
        return MS_DROP_NO_SLOT;
    case -EAGAIN:
    case -ETIMEDOUT:
    case -ENOSPC:
        return MS_DROP_SLOT_FULL;
    default:
        return MS_DROP_SLOT_REFUSED;
    }
}

/* How many messages it has had; the writer has an origin, so of a slot of this user
 * those that a gateway has brought. */
static int look(mailslot_writer *writer, mailslot_info *ret_info) {
    *ret_info = (mailslot_info)MAILSLOT_INFO_INIT;
    return mailslot_writer_get_accepted(writer, &ret_info->created_ns,
                                        &ret_info->received);
}

/* What failed with ETIMEDOUT has waited a second for a process that was stopped, and
 * everything else with it: it is not tried again with each message. */
static int note_failure(struct door *door, int r) {
    if (r == -EPIPE || r == -EBADMSG) {
        door->writer = mailslot_writer_close(door->writer);
    } else if (r == -ETIMEDOUT) {
        door->shut_until_ns = ms_clock_now_ns() + SHUT_NS;
    }
    return r;
}

/* Each message will set its own origin. But the slot is looked at before the first one,
 * and only who has set one is told a count that local senders do not move. */
static int open_and_look(struct door *door) {
    int r = mailslot_open(door->limits.slot, &door->writer);
    if (r == 0) {
        r = mailslot_writer_set_origin(door->writer, "gateway", 0);
    }
    if (r == 0 && !door->is_known) {
        r = look(door->writer, &door->first);
        door->is_known = r == 0;
    }
    if (r < 0) {
        door->writer = mailslot_writer_close(door->writer);
    }
    return r;
}

static int open_writer(struct door *door) {
    if (ms_clock_now_ns() < door->shut_until_ns) {
        return -EAGAIN;
    }
    return door->writer ? 0 : note_failure(door, open_and_look(door));
}

/* Messages from outside leave room for those of this machine. Who may not look into the
 * slot, as it belongs to another user, is bounded by its letterbox. */
static enum ms_drop put_once(struct door *door, const struct ms_arrival *arrival) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = open_writer(door);
    if (r < 0) {
        return drop_of(r);
    }
    bool is_seen = mailslot_writer_get_info(door->writer, &info) == 0;
    if (is_seen && info.bytes + arrival->size > door->limits.bytes) {
        return MS_DROP_SLOT_BYTES;
    }
    r = set_origin(door->writer, arrival);
    if (r == 0 && arrival->about_to_send) {
        r = look(door->writer, &info);
    }
    if (r == 0) {
        if (arrival->about_to_send) {
            arrival->about_to_send(arrival->context, &info);
        }
        r = mailslot_writer_send(door->writer, arrival->data, arrival->size, 0);
    }
    return drop_of(note_failure(door, r));
}

int ms_inbox_look(struct ms_inbox *inbox, const char *slot, mailslot_info *ret_info) {
    struct door *door = find_door(inbox, slot);
    if (!door) {
        return -ENOENT;
    }
    int r = door->is_known ? 0 : open_writer(door);
    if (r == 0) {
        *ret_info = door->first;
    }
    return r;
}

enum ms_drop ms_inbox_deliver(struct ms_inbox *inbox,
                              const struct ms_arrival *arrival) {
    struct door *door = find_door(inbox, arrival->slot);
    if (!door) {
        return MS_DROP_NOT_EXPORTED;
    }
    enum ms_drop drop = check_rates(door, arrival->sender);
    if (drop == MS_DROP_NONE) {
        drop = check_filter(inbox, arrival);
    }
    if (drop == MS_DROP_NONE) {
        bool was_open = door->writer != NULL;
        drop = put_once(door, arrival);
        if (drop == MS_DROP_NO_SLOT && was_open) { /* its next owner may be there */
            drop = put_once(door, arrival);
        }
    }
    if (drop == MS_DROP_NONE) {
        ms_count(MS_TRAFFIC_IN);
    }
    return drop;
}

void ms_inbox_count(const struct ms_inbox *inbox, const struct ms_arrival *arrival,
                    enum ms_drop drop) {
    if (drop == MS_DROP_FILTER) {
        ms_drop(drop, "a message of %s (%s) for the slot %s (%s)", arrival->from,
                arrival->place, arrival->slot, inbox->reason);
    } else if (drop != MS_DROP_NONE) {
        ms_drop(drop, "a message of %s (%s) for the slot %s", arrival->from,
                arrival->place, arrival->slot);
    }
}
