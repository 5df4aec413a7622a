/* SPDX-License-Identifier: MIT */
/*
 * The interfaces of the lan road, and UDP ports on them.
 *
 * A port has two sockets on each interface, one bound to its address and one to its
 * broadcast address, and none to 0.0.0.0: so nothing is heard that was not configured,
 * and a broadcast is heard once. The port is nobody else's: with SO_REUSEADDR two
 * programs could have it, and unicasts would go to one of them, unseen by the other.
 */
#ifndef MS_GATEWAY_LINKS_H
#define MS_GATEWAY_LINKS_H

#include "gateway/config.h"

#include <uv.h>

#define MS_LINKS_MAX MS_CONFIG_LIST_MAX

/* IPv4, the first byte the highest. */
struct ms_link {
    uint32_t address;
    uint32_t mask;
    uint32_t broadcast;
    char name[16];
};

#define MS_ADDRESS_SIZE 16
void ms_address_text(uint32_t address, char ret_text[MS_ADDRESS_SIZE]);

struct ms_links {
    size_t count;
    struct ms_link links[MS_LINKS_MAX];
};

/* The interfaces that the configuration names, or that have an address in one of its
 * subnets. 0 or a negative errno, with a line in the log. */
int ms_links_find(struct ms_links *links, const struct ms_lan_config *config);

/* May packets come from that address? It lies in one of the subnets, or without any, in
 * that of an interface; and it is not this machine's. */
bool ms_links_accept(const struct ms_links *links, const struct ms_lan_config *config,
                     uint32_t address);
bool ms_links_is_own(const struct ms_links *links, uint32_t address);

/* The interface for packets to that address. */
const struct ms_link *ms_links_towards(const struct ms_links *links, uint32_t address);

struct ms_heard {
    const struct ms_link *link;
    uint32_t address; /* where it comes from, as UDP says */
    uint16_t port;
    const void *packet;
    size_t size;
    bool is_cut; /* it was larger than any packet that means anything */
};

struct ms_port {
    struct ms_links *links;
    uint16_t number;
    size_t count; /* of sockets; two for each link */
    uv_udp_t sockets[2 * MS_LINKS_MAX];
    void (*hear)(void *context, const struct ms_heard *heard);
    void *context;
    char buffer[2048];
};

/* 0 or a negative errno, with a line in the log. In either case it must be closed, and
 * the loop must run before the memory goes. */
int ms_port_open(struct ms_port *port, uv_loop_t *loop, struct ms_links *links,
                 uint16_t number,
                 void (*hear)(void *context, const struct ms_heard *heard),
                 void *context);
void ms_port_close(struct ms_port *port);

/* From the address of that link. -EAGAIN: not now; else 0 or a negative errno. */
int ms_port_send(struct ms_port *port, const struct ms_link *link, uint32_t address,
                 uint16_t number, const void *packet, size_t size);

#endif
