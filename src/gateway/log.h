/* SPDX-License-Identifier: MIT */
/*
 * What the gateway says: lines on standard error, and counters of what it dropped.
 *
 * Nothing is ever answered to who sent what is dropped here: the counters are all there
 * is to find out why. Each reason is logged once a minute at most, with the number of
 * drops since the last time, so that a flood does not become one of the log.
 */
#ifndef MS_GATEWAY_LOG_H
#define MS_GATEWAY_LOG_H

#include "wire/reason.h"

#include <stdint.h>

enum ms_level { MS_ERROR = 3, MS_WARNING = 4, MS_NOTICE = 5 }; /* syslog's numbers */

/* A line. With $JOURNAL_STREAM set it begins with `<level>`, as the journal has it. */
void ms_log(enum ms_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Why a message or a packet went no further. */
enum ms_drop {
    MS_DROP_NONE,
    MS_DROP_NOT_EXPORTED,
    MS_DROP_FILTER,
    MS_DROP_SENDER_RATE,
    MS_DROP_SLOT_RATE,
    MS_DROP_SLOT_BYTES,
    MS_DROP_NO_SLOT,
    MS_DROP_SLOT_FULL,
    MS_DROP_SLOT_REFUSED,
    MS_DROP_SUBNET,
    MS_DROP_OUTBOX_DAMAGED,
    MS_DROP_NO_ROAD,
    MS_DROP_TOO_LONG,
    MS_DROP_NOT_CARRIED,
    MS_DROP_UNKNOWN_HOST,
    MS_DROP_TOO_MANY_WAIT,
    MS_DROP_NETWORK,
    MS_DROP_WIRE, /* this and the following: MS_DROP_WIRE + enum ms_reason */
    MS_DROP_COUNT = MS_DROP_WIRE + MS_REASON_COUNT
};

const char *ms_drop_text(enum ms_drop drop);

/* Count a drop, and say so if the time has come; `format` tells which message. */
void ms_drop(enum ms_drop drop, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Count what is of no interest to a log: mail for others, doubles, own echoes. */
void ms_drop_quietly(enum ms_drop drop);

/* Counters of what went through. */
enum ms_traffic { MS_TRAFFIC_IN, MS_TRAFFIC_OUT, MS_TRAFFIC_COUNT };
void ms_count(enum ms_traffic traffic);

/* A line for each counter that is not 0. */
void ms_log_counters(void);

#endif
