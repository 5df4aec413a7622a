/* SPDX-License-Identifier: MIT */
/*
 * Mailslots as subjects of NATS, whose tokens are separated by dots:
 *
 *     \\HOST\mailslot\dir\name       ms.u.<host>.<from>.dir.name
 *     \\DOMAIN\mailslot\dir\name     ms.g.<domain>.<from>.dir.name
 *
 * <from> is the sending host, which the server can check against the user's rights. In
 * a token letters are lower-case, as names ignore case, and each byte outside
 * [a-z0-9_-] is
 * `=` and two hexadecimal digits (0-9A-F); the `\` between a slot's components is the
 * dot between tokens. So each name has one subject, and each subject at most one name.
 */
#ifndef MS_WIRE_SUBJECT_H
#define MS_WIRE_SUBJECT_H

#include "mailslot.h"
#include "wire/reason.h"

#define MS_SUBJECT_HOST_MAX 255
#define MS_SUBJECT_MAX \
    (sizeof "ms.u..." - 1 + (size_t)3 * (2 * MS_SUBJECT_HOST_MAX + MAILSLOT_NAME_MAX))

enum ms_subject_kind { MS_SUBJECT_HOST, MS_SUBJECT_DOMAIN };

/* Texts end with a zero, and are in lower case when decoded. */
struct ms_subject {
    enum ms_subject_kind kind;
    char target[MS_SUBJECT_HOST_MAX + 1]; /* host or domain */
    char from[MS_SUBJECT_HOST_MAX + 1];
    char slot[MAILSLOT_NAME_MAX + 1]; /* separators `\` */
};

/*
 * Returns the size (no zero byte is written), -ENOBUFS, or -EINVAL: a name or a
 * component is empty, or has a control character, a `/` or, outside slot, a `\`.
 */
int ms_subject_encode(const struct ms_subject *subject, char *buffer, size_t capacity);

/* 0, or -EBADMSG: SUBJECT (not of this form), TOKEN. Takes only what encode makes. */
int ms_subject_decode(const char *text, size_t size, struct ms_subject *ret_subject,
                      enum ms_reason *ret_reason);

#endif
