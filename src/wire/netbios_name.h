/* SPDX-License-Identifier: MIT */
/*
 * NetBIOS names (RFC 1001 14, RFC 1002 4.1): 16 bytes, of which 15 are the name, in
 * upper case and padded with spaces, and the last, the suffix, says what has it: 00 is
 * the host, or the group of its domain. On the wire each half of a byte is a letter
 * A..P, 32 of them between a length byte and a zero.
 *
 * Refused on the wire: scopes (labels after the first), which we never use, and the
 * compression pointers of DNS, which have no place in a datagram and lead parsers
 * astray.
 */
#ifndef MS_WIRE_NETBIOS_NAME_H
#define MS_WIRE_NETBIOS_NAME_H

#include "wire/cursor.h"
#include "wire/pen.h"
#include "wire/reason.h"

#define MS_NETBIOS_NAME_MAX 15
#define MS_NETBIOS_SUFFIX_HOST 0x00 /* of a host, and of a domain as a group */
#define MS_NETBIOS_WIRE_SIZE 34

struct ms_netbios_name {
    uint8_t bytes[MS_NETBIOS_NAME_MAX + 1];
};

/*
 * The name of a text of `size` bytes, in ASCII upper case. `*` is the wildcard, which
 * has zeros in place of spaces and suffix. -EINVAL: nothing but spaces, a zero byte,
 * another name that begins with `*`, the wildcard with a suffix. -ENAMETOOLONG: over 15
 * bytes.
 */
int ms_netbios_name_init(const char *text, size_t size, uint8_t suffix,
                         struct ms_netbios_name *ret_name);

/* Names are equal in all 16 bytes ([MS-NBTE]): upper and lower case differ. */
bool ms_netbios_name_equals(const struct ms_netbios_name *a,
                            const struct ms_netbios_name *b);

bool ms_netbios_name_is_wildcard(const struct ms_netbios_name *name);

/*
 * The name without padding and suffix, to be shown: whoever sent it chose the bytes, so
 * those that are not printable ASCII become `?`.
 */
void ms_netbios_name_text(const struct ms_netbios_name *name,
                          char ret_text[MS_NETBIOS_NAME_MAX + 1]);

void ms_netbios_name_encode(const struct ms_netbios_name *name, struct ms_pen *pen);

/* 0, or -EBADMSG: CUT, NAME, POINTER, SCOPE. */
int ms_netbios_name_decode(struct ms_cursor *cursor, struct ms_netbios_name *ret_name,
                           enum ms_reason *ret_reason);

#endif
