/* SPDX-License-Identifier: MIT */
/*
 * The NetBIOS datagram (RFC 1002 4.4), one UDP packet to port 138. Big-endian:
 *
 *   offset size  field             sent                 received
 *        0    1  MSG_TYPE          0x10, 0x11, 0x12     else dropped
 *        1    1  FLAGS             0x02: first, B node  first set, more clear
 *        2    2  DGM_ID            the sender's count
 *        4    4  SOURCE_IP         the sender's         not to be trusted
 *        8    2  SOURCE_PORT       the sender's         not to be trusted
 *       10    2  DGM_LENGTH        all after offset 14  must be that
 *       12    2  PACKET_OFFSET     0                    must be 0
 *       14   34  SOURCE_NAME       HOST<00>             no scope
 *       48   34  DESTINATION_NAME                       no scope
 *       82  512  USER_DATA         at most              at most
 *
 * There are no fragments: half a message would be memory that a stranger fills. Nothing
 * is ever answered, neither to an error packet nor to a query.
 */
#ifndef MS_WIRE_DATAGRAM_H
#define MS_WIRE_DATAGRAM_H

#include "wire/netbios_name.h"

#define MS_DATAGRAM_HEADER_SIZE 14
#define MS_DATAGRAM_DATA_MAX 512 /* RFC 1001 17.1.2 */
#define MS_DATAGRAM_MAX \
    (MS_DATAGRAM_HEADER_SIZE + 2 * MS_NETBIOS_WIRE_SIZE + MS_DATAGRAM_DATA_MAX)

enum ms_datagram_type {
    MS_DATAGRAM_UNIQUE = 0x10,
    MS_DATAGRAM_GROUP = 0x11,
    MS_DATAGRAM_BROADCAST = 0x12,
};

struct ms_datagram {
    enum ms_datagram_type type;
    uint16_t id;
    uint32_t claimed_address; /* IPv4, the first byte the highest; whoever sent it, */
    uint16_t claimed_port;    /* its true address is that of the UDP packet */
    struct ms_netbios_name source;
    struct ms_netbios_name destination;
    const uint8_t *data; /* decoded: in the packet */
    size_t size;
};

/* The names that a host answers to. */
struct ms_identity {
    struct ms_netbios_name host;   /* HOST<00> */
    struct ms_netbios_name domain; /* DOMAIN<00> */
};

/* Returns the size, -EMSGSIZE (data over 512 bytes) or -ENOBUFS. */
int ms_datagram_encode(const struct ms_datagram *datagram, void *buffer,
                       size_t capacity);

/* 0, or -EBADMSG: CUT, TYPE, FRAGMENT, LENGTH, OVERSIZE, or those of a name. */
int ms_datagram_decode(const void *packet, size_t size,
                       struct ms_datagram *ret_datagram, enum ms_reason *ret_reason);

/*
 * Is it for us? Each type may go to each of our names, and a broadcast to `*`. 0, or
 * -EBADMSG: NOT_OURS, ECHO (its source is our own name: what we broadcast comes back).
 */
int ms_datagram_check(const struct ms_datagram *datagram,
                      const struct ms_identity *identity, enum ms_reason *ret_reason);

#endif
