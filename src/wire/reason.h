/* SPDX-License-Identifier: MIT */
/*
 * Why bytes from elsewhere were refused. Every decoder returns 0, or -EBADMSG and one
 * of these, so that drops can be counted by reason: nothing is ever answered to a
 * sender whose packet is bad, and the counters are all that there is to find out why.
 */
#ifndef MS_WIRE_REASON_H
#define MS_WIRE_REASON_H

#include <errno.h>

enum ms_reason {
    MS_REASON_CUT,
    MS_REASON_LENGTH,
    MS_REASON_TYPE,
    MS_REASON_FRAGMENT,
    MS_REASON_NAME,
    MS_REASON_POINTER,
    MS_REASON_SCOPE,
    MS_REASON_OVERSIZE,
    MS_REASON_ECHO,
    MS_REASON_NOT_OURS,
    MS_REASON_DUPLICATE,
    MS_REASON_PROTOCOL,
    MS_REASON_COMMAND,
    MS_REASON_WORD_COUNT,
    MS_REASON_SETUP_COUNT,
    MS_REASON_OPCODE,
    MS_REASON_PARAMETERS,
    MS_REASON_PARTS,
    MS_REASON_SLOT_NAME,
    MS_REASON_DATA,
    MS_REASON_DIRECTION,
    MS_REASON_OPERATION,
    MS_REASON_SECTIONS,
    MS_REASON_RECORD,
    MS_REASON_ADDRESS,
    MS_REASON_KEYWORD,
    MS_REASON_SUBJECT,
    MS_REASON_TOKEN,
    MS_REASON_MAGIC,
    MS_REASON_VERSION,
    MS_REASON_DESTINATION,
    MS_REASON_COUNT /* how many there are */
};

/* What a decoder does when it gives up. */
static inline int ms_refuse(enum ms_reason reason, enum ms_reason *ret_reason) {
    *ret_reason = reason;
    return -EBADMSG;
}

/* A few words, static; never NULL, whatever the number. */
const char *ms_reason_text(enum ms_reason reason);

#endif
