/* SPDX-License-Identifier: MIT */
/*
 * What the library puts into the slot `gateway\outbox` for the gateway to carry: a head
 * that says where to, and the message behind it. Little-endian:
 *
 *   offset size  field
 *        0    4  magic       "MSOB"
 *        4    2  version     1
 *        6    2  slot size   1 to MAILSLOT_NAME_MAX
 *        8  256  host        HOST, DOMAIN or `*`, as the sender spelled it; zeros
 * behind 264    n  slot        the bare name, separators `\`, zeros up to a multiple of
 * 4 264 + n       the message
 *
 * The name is padded as the mailslot write of the wire pads it. So a bound of the
 * outbox on the size of head and message together bounds what remains for the message
 * exactly as that format does, whatever the name (mailslot_write.h).
 */
#ifndef MS_WIRE_OUTBOUND_H
#define MS_WIRE_OUTBOUND_H

#include "mailslot.h"
#include "wire/reason.h"

#include <stddef.h>
#include <stdint.h>

/* The local slot, which belongs to the gateway. */
#define MS_OUTBOUND_SLOT "gateway\\outbox"

#define MS_OUTBOUND_HOST_MAX 255
#define MS_OUTBOUND_FIXED_SIZE 264
#define MS_OUTBOUND_HEAD_MAX \
    (MS_OUTBOUND_FIXED_SIZE + ((MAILSLOT_NAME_MAX + 3) / 4 * 4))

struct ms_outbound {
    char host[MS_OUTBOUND_HOST_MAX + 1];
    char slot[MAILSLOT_NAME_MAX + 1];
    const uint8_t *data; /* in what was decoded */
    size_t size;
};

/* Returns the size of the head. -EINVAL, -ENAMETOOLONG: host or slot is empty or too
 * long. */
int ms_outbound_encode(const char *host, const char *slot,
                       uint8_t ret_head[MS_OUTBOUND_HEAD_MAX]);

/* 0, or -EBADMSG: CUT, MAGIC, VERSION, DESTINATION, SLOT_NAME. A name with control
 * characters is none. */
int ms_outbound_decode(const void *bytes, size_t size, struct ms_outbound *ret_outbound,
                       enum ms_reason *ret_reason);

#endif
