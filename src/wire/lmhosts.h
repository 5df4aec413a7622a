/* SPDX-License-Identifier: MIT */
/*
 * Lines of a file of names and addresses, as Windows and Samba have it:
 *
 *     10.1.2.3  HOST               # a comment
 *     10.1.2.4  "HOST           \0x1d"  #PRE  #DOM:domain
 *
 * In quotes `\0xNN` is the byte of that number, and the 16th byte is the suffix;
 * without quotes the suffix is 00. A word that begins with `#` begins a comment, except
 * #PRE and #DOM:. So a line of #INCLUDE and the like says nothing here: files are not
 * followed.
 */
#ifndef MS_WIRE_LMHOSTS_H
#define MS_WIRE_LMHOSTS_H

#include "wire/netbios_name.h"

struct ms_lmhosts {
    bool is_entry;    /* else the line is blank or a comment, and nothing else is set */
    uint32_t address; /* IPv4, the first byte the highest */
    struct ms_netbios_name name;
    bool is_preloaded;  /* #PRE */
    const char *domain; /* #DOM:, in the line, not ended by a zero; NULL: none */
    size_t domain_size;
};

/* One line, with or without its end. 0, or -EBADMSG: ADDRESS, NAME, KEYWORD. */
int ms_lmhosts_parse(const char *line, size_t size, struct ms_lmhosts *ret_lmhosts,
                     enum ms_reason *ret_reason);

#endif
