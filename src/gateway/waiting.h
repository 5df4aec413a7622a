/* SPDX-License-Identifier: MIT */
/*
 * Messages that wait until the address of their host is known, so that others can go
 * on. Bounded: so many hosts, and so many messages for each.
 */
#ifndef MS_GATEWAY_WAITING_H
#define MS_GATEWAY_WAITING_H

#include "wire/datagram.h"

#define MS_WAITING_HOSTS 32
#define MS_WAITING_LETTERS 32

/* The user data of a datagram. */
struct ms_letter {
    struct ms_letter *next;
    size_t size;
    uint8_t bytes[MS_DATAGRAM_DATA_MAX];
};

/* All zeros is empty. */
struct ms_waiting {
    struct {
        struct ms_netbios_name name;
        struct ms_letter *first; /* NULL: unused */
        struct ms_letter *last;
        int count;
    } hosts[MS_WAITING_HOSTS];
};

/* Keep a copy. False: too many wait. */
bool ms_waiting_add(struct ms_waiting *waiting, const struct ms_netbios_name *name,
                    const struct ms_letter *letter);

/* Those for that name, in order; the caller frees each. */
struct ms_letter *ms_waiting_take(struct ms_waiting *waiting,
                                  const struct ms_netbios_name *name);

void ms_waiting_clear(struct ms_waiting *waiting);

#endif
