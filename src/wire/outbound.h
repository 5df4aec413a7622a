/* SPDX-License-Identifier: MIT */
/*
 * What a sender puts into the slot of the gateway: a message for another machine.
 *
 *   offset size  field
 *        0    4  "MSob"
 *        4    1  version, 1
 *        5    1  0
 *        6    2  size of the destination, 1 to MS_OUTBOUND_DESTINATION_MAX,
 * little-endian 8       destination, as the sender spelled it (`\\HOST\mailslot\x`), no
 * zero byte payload: the rest, 0 bytes or more
 *
 * Whether the destination is the name of a slot is for the gateway to find out.
 */
#ifndef MS_WIRE_OUTBOUND_H
#define MS_WIRE_OUTBOUND_H

#include "mailslot.h"
#include "wire/reason.h"

#define MS_OUTBOUND_FIXED_SIZE 8
/* Two separators, a host of 255, `\mailslot\`, a bare name. */
#define MS_OUTBOUND_DESTINATION_MAX (2 + 255 + 10 + MAILSLOT_NAME_MAX)
#define MS_OUTBOUND_HEAD_MAX (MS_OUTBOUND_FIXED_SIZE + MS_OUTBOUND_DESTINATION_MAX)

struct ms_outbound {
    const char *destination; /* in the message, not ended by a zero */
    size_t destination_size;
    const void *payload;
    size_t payload_size;
};

/*
 * All that goes before the payload. Returns its size; -EINVAL: an empty destination;
 * -ENAMETOOLONG; -ENOBUFS.
 */
int ms_outbound_encode_head(const char *destination, void *buffer, size_t capacity);

/* 0, or -EBADMSG: CUT, MAGIC, VERSION, DESTINATION. */
int ms_outbound_decode(const void *message, size_t size,
                       struct ms_outbound *ret_outbound, enum ms_reason *ret_reason);

#endif
