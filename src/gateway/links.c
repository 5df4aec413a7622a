/* SPDX-License-Identifier: MIT */
#include "gateway/links.h"

#include "gateway/log.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RECEIVE_SIZE (1 << 20)

void ms_address_text(uint32_t address, char ret_text[MS_ADDRESS_SIZE]) {
    struct in_addr ip = {.s_addr = htonl(address)};
    inet_ntop(AF_INET, &ip, ret_text, MS_ADDRESS_SIZE);
}

static uint32_t address_of(const struct sockaddr *address) {
    struct sockaddr_in ip;
    memcpy(&ip, address, sizeof ip);
    return ntohl(ip.sin_addr.s_addr);
}

static struct sockaddr_in to_sockaddr(uint32_t address, uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(address),
                                .sin_port = htons(port)};
}

static bool is_in(const struct ms_lan_config *config, uint32_t address) {
    for (size_t i = 0; i < config->subnet_count; i++) {
        if ((address & config->subnets[i].mask) == config->subnets[i].address) {
            return true;
        }
    }
    return false;
}

static bool is_named(const struct ms_lan_config *config, const char *name) {
    for (size_t i = 0; i < config->interfaces.count; i++) {
        if (strcmp(config->interfaces.texts[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_chosen(const struct ms_lan_config *config, const struct ifaddrs *entry) {
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET ||
        !(entry->ifa_flags & IFF_UP)) {
        return false;
    }
    return config->interfaces.count > 0 ? is_named(config, entry->ifa_name)
                                        : is_in(config, address_of(entry->ifa_addr));
}

static int add_link(struct ms_links *links, const struct ifaddrs *entry) {
    if (!(entry->ifa_flags & IFF_BROADCAST) || !entry->ifa_broadaddr ||
        !entry->ifa_netmask) {
        ms_log(MS_ERROR, "lan: the interface %s has no broadcast address",
               entry->ifa_name);
        return -EADDRNOTAVAIL;
    }
    if (links->count == MS_LINKS_MAX) {
        ms_log(MS_ERROR, "lan: more than %d interfaces", MS_LINKS_MAX);
        return -E2BIG;
    }
    struct ms_link *link = &links->links[links->count++];
    link->address = address_of(entry->ifa_addr);
    link->mask = address_of(entry->ifa_netmask);
    link->broadcast = address_of(entry->ifa_broadaddr);
    snprintf(link->name, sizeof link->name, "%s", entry->ifa_name);
    return 0;
}

static int check_found(const struct ms_links *links,
                       const struct ms_lan_config *config) {
    for (size_t i = 0; i < config->interfaces.count; i++) {
        bool is_found = false;
        for (size_t k = 0; k < links->count; k++) {
            is_found |= strcmp(links->links[k].name, config->interfaces.texts[i]) == 0;
        }
        if (!is_found) {
            ms_log(MS_ERROR,
                   "lan: the interface %s is not there, or not up, or has no "
                   "IPv4 address",
                   config->interfaces.texts[i]);
            return -ENODEV;
        }
    }
    if (links->count == 0) {
        ms_log(MS_ERROR, "lan: no interface has an address in the subnets");
        return -ENODEV;
    }
    return 0;
}

int ms_links_find(struct ms_links *links, const struct ms_lan_config *config) {
    struct ifaddrs *entries;
    if (getifaddrs(&entries) < 0) {
        int r = -errno;
        ms_log(MS_ERROR, "lan: cannot list the interfaces");
        return r;
    }
    int r = 0;
    links->count = 0;
    for (struct ifaddrs *entry = entries; entry && r == 0; entry = entry->ifa_next) {
        if (is_chosen(config, entry)) {
            r = add_link(links, entry);
        }
    }
    freeifaddrs(entries);
    return r == 0 ? check_found(links, config) : r;
}

bool ms_links_is_own(const struct ms_links *links, uint32_t address) {
    for (size_t i = 0; i < links->count; i++) {
        if (links->links[i].address == address) {
            return true;
        }
    }
    return false;
}

static const struct ms_link *find_link(const struct ms_links *links, uint32_t address) {
    for (size_t i = 0; i < links->count; i++) {
        const struct ms_link *link = &links->links[i];
        if ((address & link->mask) == (link->address & link->mask)) {
            return link;
        }
    }
    return NULL;
}

bool ms_links_accept(const struct ms_links *links, const struct ms_lan_config *config,
                     uint32_t address) {
    if (ms_links_is_own(links, address)) {
        return false;
    }
    return config->subnet_count > 0 ? is_in(config, address)
                                    : find_link(links, address) != NULL;
}

const struct ms_link *ms_links_towards(const struct ms_links *links, uint32_t address) {
    const struct ms_link *link = find_link(links, address);
    return link ? link : &links->links[0];
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *ret_buffer) {
    struct ms_port *port = handle->data;
    (void)size;
    *ret_buffer = uv_buf_init(port->buffer, sizeof port->buffer);
}

static void on_packet(uv_udp_t *socket, ssize_t size, const uv_buf_t *buffer,
                      const struct sockaddr *from, unsigned int flags) {
    struct ms_port *port = socket->data;
    if (size < 0 || !from || from->sa_family != AF_INET) {
        return; /* an error of an earlier send, or nothing more to hear now */
    }
    struct sockaddr_in ip;
    memcpy(&ip, from, sizeof ip);
    size_t index = (size_t)(socket - port->sockets);
    struct ms_heard heard = {
        .link = &port->links->links[index / 2],
        .address = ntohl(ip.sin_addr.s_addr),
        .port = ntohs(ip.sin_port),
        .packet = buffer->base,
        .size = (size_t)size,
        .is_cut = flags & UV_UDP_PARTIAL,
    };
    port->hear(port->context, &heard);
}

static void log_bind_error(const struct ms_link *link, uint16_t number, int r) {
    if (r == UV_EADDRINUSE) {
        ms_log(MS_ERROR,
               "lan: UDP port %u of %s is taken, by nmbd perhaps: stop it, or "
               "configure other ports",
               (unsigned int)number, link->name);
    } else if (r == UV_EACCES) {
        ms_log(MS_ERROR, "lan: UDP port %u needs root, or CAP_NET_BIND_SERVICE",
               (unsigned int)number);
    } else {
        ms_log(MS_ERROR, "lan: cannot bind UDP port %u of %s: %s", (unsigned int)number,
               link->name, uv_strerror(r));
    }
}

/* More room lets a burst wait, and not get lost: as much as the system allows. */
static void widen(uv_udp_t *socket) {
    int size = RECEIVE_SIZE;
    uv_recv_buffer_size((uv_handle_t *)socket, &size);
}

static int open_socket(struct ms_port *port, uv_loop_t *loop,
                       const struct ms_link *link, uint32_t address) {
    uv_udp_t *socket = &port->sockets[port->count];
    int r = uv_udp_init_ex(loop, socket, AF_INET);
    if (r < 0) {
        return r;
    }
    socket->data = port;
    port->count++;
    struct sockaddr_in ip = to_sockaddr(address, port->number);
    r = uv_udp_bind(socket, (const struct sockaddr *)&ip, 0);
    if (r == 0) {
        r = uv_udp_set_broadcast(socket, 1);
    }
    if (r == 0) {
        widen(socket);
        r = uv_udp_recv_start(socket, on_room, on_packet);
    }
    if (r < 0) {
        log_bind_error(link, port->number, r);
    }
    return r;
}

int ms_port_open(struct ms_port *port, uv_loop_t *loop, struct ms_links *links,
                 uint16_t number,
                 void (*hear)(void *context, const struct ms_heard *heard),
                 void *context) {
    port->links = links;
    port->number = number;
    port->hear = hear;
    port->context = context;
    int r = 0;
    for (size_t i = 0; i < links->count && r == 0; i++) {
        r = open_socket(port, loop, &links->links[i], links->links[i].address);
        if (r == 0) {
            r = open_socket(port, loop, &links->links[i], links->links[i].broadcast);
        }
    }
    return r;
}

void ms_port_close(struct ms_port *port) {
    for (size_t i = 0; i < port->count; i++) {
        uv_close((uv_handle_t *)&port->sockets[i], NULL);
    }
    port->count = 0;
}

int ms_port_send(struct ms_port *port, const struct ms_link *link, uint32_t address,
                 uint16_t number, const void *packet, size_t size) {
    size_t index = (size_t)(link - port->links->links);
    struct sockaddr_in ip = to_sockaddr(address, number);
    uv_buf_t buffer = uv_buf_init((char *)packet, (unsigned int)size);
    int r = uv_udp_try_send(&port->sockets[2 * index], &buffer, 1,
                            (const struct sockaddr *)&ip);
    if (r == UV_EAGAIN || r == UV_ENOBUFS) {
        return -EAGAIN;
    }
    return r < 0 ? r : 0;
}
