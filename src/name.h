/* SPDX-License-Identifier: MIT */
/*
 * Names: which slot a text means. Pure: memory in, memory out.
 * The grammar is in mailslot.h ("Names").
 */
#ifndef MS_NAME_H
#define MS_NAME_H

#include "mailslot.h"

#include <stdbool.h>

#define MS_HOST_MAX 255

enum ms_name_kind { MS_NAME_LOCAL, MS_NAME_REMOTE };

struct ms_name {
    enum ms_name_kind kind;
    char bare[MAILSLOT_NAME_MAX + 1]; /* without prefix, as written, separators `\` */
    char
        folded[MAILSLOT_NAME_MAX + 1]; /* the same in lower case: the slot's identity */
    char host[MS_HOST_MAX + 1];        /* remote only: HOST, DOMAIN or * */
};

/* Whether a text begins as a name with a host does: only such a one is compared with
 * this machine's own name. NULL is no name. */
bool ms_name_tells_host(const char *text);

/*
 * host_name is this machine's own name; its first label alone counts as well.
 * Returns 0, -EINVAL or -ENAMETOOLONG.
 */
int ms_name_parse(const char *text, const char *host_name, struct ms_name *ret_name);

/* Whether a message may say that it comes from there: 1 to MS_HOST_MAX bytes, none of
 * them a control character. Reads MS_HOST_MAX + 1 bytes at most. */
bool ms_name_is_host(const char *text);

/* Which rule a text breaks, in words; NULL for a name. */
const char *ms_name_fault(const char *text);

#endif
