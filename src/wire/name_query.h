/* SPDX-License-Identifier: MIT */
/*
 * Finding a NetBIOS name (RFC 1002 4.2.12 and 4.2.13), UDP port 137, big-endian:
 *
 *   offset size  query                      answer
 *        0    2  id                         the query's
 *        2    2  0x0110 by broadcast,       0x8580; the low 4 bits are an error code,
 *                0x0100 to a WINS server    3: there is no such name
 *        4    8  counts 1 0 0 0             counts 0 1 0 0
 *       12   34  name                       name
 *       46    4  type 0x20, class 1         type 0x20, class 1
 *       50    4                             seconds that it may be kept
 *       54    2                             6 for each address
 *       56    6                             flags (0x8000: a group), IPv4 address
 *
 * A group has no addresses here. What a WINS server tells for one is 0.0.0.0, or the
 * broadcast address, or a list of some members: a message for a group is broadcast.
 */
#ifndef MS_WIRE_NAME_QUERY_H
#define MS_WIRE_NAME_QUERY_H

#include "wire/netbios_name.h"

#define MS_NAME_QUERY_SIZE 50
#define MS_NAME_ANSWER_HEAD_SIZE 56
#define MS_NAME_ADDRESS_SIZE 6
#define MS_NAME_ADDRESSES_MAX 25 /* what a WINS server keeps for a name */

struct ms_name_query {
    uint16_t id;
    bool is_broadcast;
    struct ms_netbios_name name;
};

struct ms_name_answer {
    uint16_t id;
    uint8_t error; /* 0: found; else there is no more than id and name */
    bool is_group;
    uint32_t seconds;
    struct ms_netbios_name name;
    size_t count; /* of addresses; to decode a group gives 0 */
    uint32_t addresses[MS_NAME_ADDRESSES_MAX]; /* the first byte the highest */
};

/* Returns the size or -ENOBUFS. */
int ms_name_query_encode(const struct ms_name_query *query, void *buffer,
                         size_t capacity);

/* 0, or -EBADMSG: CUT, DIRECTION, OPERATION, SECTIONS, RECORD, LENGTH, those of a name.
 */
int ms_name_query_decode(const void *packet, size_t size,
                         struct ms_name_query *ret_query, enum ms_reason *ret_reason);

/*
 * An answer to a query for a name that is ours; for others there is silence. Returns
 * the size, -EINVAL (an error; no address, or too many) or -ENOBUFS.
 */
int ms_name_answer_encode(const struct ms_name_answer *answer, void *buffer,
                          size_t capacity);

/*
 * 0, or -EBADMSG: as above, and ADDRESS: a single host's address is not one that a
 * packet can be sent to (0.x.x.x, multicast, broadcast). Of more addresses than there
 * is room for, the first are taken.
 */
int ms_name_answer_decode(const void *packet, size_t size,
                          struct ms_name_answer *ret_answer,
                          enum ms_reason *ret_reason);

#endif
