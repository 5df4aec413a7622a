/* SPDX-License-Identifier: MIT */
/*
 * Who is where: NetBIOS names and addresses. Asked for in this order: what is known
 * already, the file lmhosts, the WINS server, everybody by broadcast. And it answers
 * broadcast queries for this machine's name and its domain.
 *
 * An answer can come from anybody on the network, so a name can be led astray: this is
 * in the nature of these protocols. What is bounded is the memory that names take, and
 * how often one that nobody has is asked for.
 */
#ifndef MS_GATEWAY_NAMES_H
#define MS_GATEWAY_NAMES_H

#include "gateway/links.h"
#include "wire/datagram.h"

struct ms_names;

enum ms_where {
    MS_WHERE_ASKING,  /* `tell` will be called */
    MS_WHERE_ADDRESS, /* a host, at that address */
    MS_WHERE_GROUP,   /* a domain: to be broadcast */
    MS_WHERE_NOBODY,  /* for some seconds it is not asked for again */
    MS_WHERE_FULL     /* too many names are asked for at this moment */
};

struct ms_names_setup {
    uv_loop_t *loop;
    struct ms_links *links;
    const struct ms_identity *identity;
    uint16_t port;
    /* A name that was asked for is known now, or it is known that nobody has it. */
    void (*tell)(void *context, const struct ms_netbios_name *name);
    void *context;
};

/* 0 or a negative errno, with a line in the log. */
int ms_names_open(const struct ms_names_setup *setup,
                  const struct ms_lan_config *config, struct ms_names **ret_names);

/* Forget what is known, and read lmhosts again. `config` stays the caller's. */
void ms_names_reload(struct ms_names *names, const struct ms_lan_config *config);

enum ms_where ms_names_find(struct ms_names *names, const struct ms_netbios_name *name,
                            uint32_t *ret_address);

/* The loop must run between the two. NULL is allowed. */
void ms_names_close(struct ms_names *names);
void ms_names_destroy(struct ms_names *names);

#endif
