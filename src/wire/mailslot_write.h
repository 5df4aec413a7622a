/* SPDX-License-Identifier: MIT */
/*
 * The mailslot write ([MS-MAIL] 2.2.1, [MS-CIFS] 2.2.4.33), the user data of a NetBIOS
 * datagram: an SMB_COM_TRANSACTION, of which no session, no answer and no version is
 * known. Little-endian; all that is not told here is sent as 0 and not looked at:
 *
 *   offset size  field             sent               received
 *        0    4  Protocol          FF "SMB"           must be that
 *        4    1  Command           0x25               must be that
 *       32    1  WordCount         17                 must be 17
 *       33    2  TotalParameters   0                  must be 0
 *       35    2  TotalDataCount    the data's size    must be DataCount
 *       51    2  ParameterCount    0                  must be 0
 *       55    2  DataCount         the data's size    inside the packet
 *       57    2  DataOffset        from offset 0      inside, after the name
 *       59    1  SetupCount        3                  must be 3
 *       61    2  MailslotOpcode    1                  must be 1
 *       65    2  Class             2                  not looked at
 *       67    2  ByteCount         name to end        not looked at
 *       69       MailslotName      "\MAILSLOT\" name, ended by a zero byte
 *                padding           to a multiple of 4
 *                data
 *
 * Windows pads, Samba does not: where the data is, DataOffset alone says.
 */
#ifndef MS_WIRE_MAILSLOT_WRITE_H
#define MS_WIRE_MAILSLOT_WRITE_H

#include "wire/datagram.h"

struct ms_mailslot_write {
    const char *slot; /* without "\MAILSLOT\", not ended by a zero; printable ASCII */
    size_t slot_size; /* 1 to MAILSLOT_NAME_MAX */
    const uint8_t *data;
    size_t size;
};

/*
 * The largest message for a slot whose name has so many bytes, as Windows computes it:
 * 432 less that size rounded up to 4. 424 is the figure for 5 to 8. 0: no name is so
 * long.
 */
size_t ms_mailslot_write_limit(size_t slot_size);

/*
 * Returns the size. -EINVAL: not a name that this format can carry. -ENAMETOOLONG.
 * -EMSGSIZE: the message is over the limit. -ENOBUFS.
 */
int ms_mailslot_write_encode(const struct ms_mailslot_write *write, void *buffer,
                             size_t capacity);

/*
 * 0, or -EBADMSG: CUT, PROTOCOL, COMMAND, WORD_COUNT, SETUP_COUNT, OPCODE, PARAMETERS,
 * PARTS, DATA, SLOT_NAME. What it fills in points into `bytes`.
 */
int ms_mailslot_write_decode(const void *bytes, size_t size,
                             struct ms_mailslot_write *ret_write,
                             enum ms_reason *ret_reason);

#endif
