/* SPDX-License-Identifier: MIT */
/*
 * The lan road: remote mailslots as Windows and Samba have them, one UDP datagram each.
 * Nothing is acknowledged, repeated or answered; what comes is dropped unless all of it
 * is as it must be.
 */
#include "gateway/gateway.h"
#include "gateway/links.h"
#include "gateway/log.h"
#include "gateway/names.h"
#include "gateway/waiting.h"
#include "os/clock.h"
#include "wire/duplicates.h"
#include "wire/mailslot_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of slot name, rounded up to 4, and message (wire/mailslot_write.h). */
#define ROOM 432

/* How long a network that takes nothing more is left alone. */
#define RETRY_MS 5

/* Names under which a domain is written to by what computers tell of themselves. */
#define SUFFIX_MASTER 0x1d
#define SUFFIX_BROWSERS 0x1e

struct lan {
    struct ms_road road;
    struct ms_gateway *gateway;
    struct ms_identity identity;
    struct ms_identity browsers; /* of the domain; only to be told apart */
    struct ms_links links;
    struct ms_port port;
    struct ms_names *names;
    struct ms_waiting waiting;
    struct ms_duplicates duplicates;
    uv_timer_t retry;
    uint16_t next_id;
};

static const struct ms_lan_config *config_of(const struct lan *lan) {
    return &lan->gateway->config->lan;
}

static void lower(char *text) {
    for (; *text; text++) {
        *text = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
    }
}

/* A name as people write it. */
static void to_text(const struct ms_netbios_name *name,
                    char ret_text[MS_NETBIOS_NAME_MAX + 1]) {
    ms_netbios_name_text(name, ret_text);
    lower(ret_text);
}

/* From a link of ours to an address: 0 or a negative errno. */
static int put(struct lan *lan, const struct ms_link *link, uint32_t address,
               enum ms_datagram_type type, const struct ms_netbios_name *name,
               const struct ms_letter *letter) {
    uint8_t packet[MS_DATAGRAM_MAX];
    struct ms_datagram datagram = {
        .type = type,
        .id = lan->next_id,
        .claimed_address = link->address,
        .claimed_port = lan->port.number,
        .source = lan->identity.host,
        .destination = *name,
        .data = letter->bytes,
        .size = letter->size,
    };
    int size = ms_datagram_encode(&datagram, packet, sizeof packet);
    if (size < 0) {
        return size;
    }
    return ms_port_send(&lan->port, link, address, lan->port.number, packet,
                        (size_t)size);
}

static void drop_on_the_way(const struct ms_netbios_name *name, enum ms_drop drop) {
    char text[MS_NETBIOS_NAME_MAX + 1];
    to_text(name, text);
    ms_drop(drop, "a message for \\\\%s", text);
}

/* -EAGAIN: nothing was sent, the network takes nothing now. */
static int send_to_host(struct lan *lan, uint32_t address,
                        const struct ms_netbios_name *name,
                        const struct ms_letter *letter) {
    const struct ms_link *link = ms_links_towards(&lan->links, address);
    int r = put(lan, link, address, MS_DATAGRAM_UNIQUE, name, letter);
    if (r == -EAGAIN) {
        return r;
    }
    lan->next_id++;
    if (r < 0) {
        drop_on_the_way(name, MS_DROP_NETWORK);
    } else {
        ms_count(MS_TRAFFIC_OUT);
    }
    return 0;
}

/* By broadcast on each link: one message, of one number. -EAGAIN as above. */
static int send_to_domain(struct lan *lan, const struct ms_netbios_name *name,
                          const struct ms_letter *letter) {
    bool is_sent = false;
    for (size_t i = 0; i < lan->links.count; i++) {
        const struct ms_link *link = &lan->links.links[i];
        int r = put(lan, link, link->broadcast, MS_DATAGRAM_GROUP, name, letter);
        if (r == -EAGAIN && i == 0) {
            return r;
        }
        is_sent |= r == 0;
        if (r < 0) {
            drop_on_the_way(name, MS_DROP_NETWORK);
        }
    }
    lan->next_id++;
    if (is_sent) {
        ms_count(MS_TRAFFIC_OUT);
    }
    return 0;
}

/* To where the name leads, as far as that is known: else it waits. */
static int send_by_name(struct lan *lan, const struct ms_netbios_name *name,
                        const struct ms_letter *letter) {
    uint32_t address = 0;
    switch (ms_names_find(lan->names, name, &address)) {
    case MS_WHERE_ADDRESS:
        return send_to_host(lan, address, name, letter);
    case MS_WHERE_GROUP:
        return send_to_domain(lan, name, letter);
    case MS_WHERE_ASKING:
        if (!ms_waiting_add(&lan->waiting, name, letter)) {
            drop_on_the_way(name, MS_DROP_TOO_MANY_WAIT);
        }
        return 0;
    case MS_WHERE_NOBODY:
        drop_on_the_way(name, MS_DROP_UNKNOWN_HOST);
        return 0;
    default:
        drop_on_the_way(name, MS_DROP_TOO_MANY_WAIT);
        return 0;
    }
}

/* Those that have waited for a name go where it leads, or nowhere. */
static void on_name(void *context, const struct ms_netbios_name *name) {
    struct lan *lan = context;
    struct ms_letter *letter = ms_waiting_take(&lan->waiting, name);
    while (letter) {
        struct ms_letter *next = letter->next;
        if (send_by_name(lan, name, letter) == -EAGAIN) {
            drop_on_the_way(name, MS_DROP_NETWORK);
        }
        free(letter);
        letter = next;
    }
}

/* What is for the own domain is for this machine as well, as in Windows. What it
 * broadcasts it would not hear as another's. */
static void deliver_here(struct lan *lan, const struct ms_mail *mail) {
    const struct ms_config *config = lan->gateway->config;
    struct ms_arrival arrival = {
        .road = lan->road.name,
        .from = config->host,
        .is_verified = true,
        .place = "this machine",
        .sender = UINT64_MAX,
        .to = config->domain,
        .slot = mail->slot,
        .data = mail->data,
        .size = mail->size,
    };
    enum ms_drop drop = ms_inbox_deliver(lan->gateway->inbox, &arrival);
    if (drop == MS_DROP_NOT_EXPORTED) {
        ms_drop_quietly(drop);
    } else {
        ms_inbox_count(lan->gateway->inbox, &arrival, drop);
    }
}

static int encode(const struct ms_mail *mail, struct ms_letter *ret_letter) {
    struct ms_mailslot_write write = {
        .slot = mail->slot,
        .slot_size = strlen(mail->slot),
        .data = mail->data,
        .size = mail->size,
    };
    int r =
        ms_mailslot_write_encode(&write, ret_letter->bytes, sizeof ret_letter->bytes);
    ret_letter->size = r < 0 ? 0 : (size_t)r;
    return r;
}

static void on_retry(uv_timer_t *timer) {
    struct lan *lan = timer->data;
    ms_outbox_resume(lan->gateway->outbox);
}

static int send_mail(struct ms_road *road, const struct ms_mail *mail) {
    struct lan *lan = (struct lan *)road;
    struct ms_letter letter;
    struct ms_netbios_name name;
    if (encode(mail, &letter) < 0) {
        ms_drop(MS_DROP_NOT_CARRIED, "a message for the slot %s", mail->slot);
        return 0;
    }
    int r;
    if (strcmp(mail->host, "*") == 0 ||
        ms_config_equals(mail->host, lan->gateway->config->domain)) {
        r = send_to_domain(lan, &lan->identity.domain, &letter);
        if (r == 0) {
            deliver_here(lan, mail);
        }
    } else if (ms_netbios_name_init(mail->host, strlen(mail->host),
                                    MS_NETBIOS_SUFFIX_HOST, &name) == 0) {
        r = send_by_name(lan, &name, &letter);
    } else {
        ms_drop(MS_DROP_NOT_CARRIED, "a message for \\\\%s", mail->host);
        return 0;
    }
    if (r == -EAGAIN && !uv_is_active((uv_handle_t *)&lan->retry)) {
        uv_timer_start(&lan->retry, on_retry, RETRY_MS, 0);
    }
    return r;
}

static int check_destination(const struct lan *lan, const struct ms_datagram *datagram,
                             enum ms_reason *ret_reason) {
    int r = ms_datagram_check(datagram, &lan->identity, ret_reason);
    if (r < 0 && *ret_reason == MS_REASON_NOT_OURS) {
        r = ms_datagram_check(datagram, &lan->browsers, ret_reason);
    }
    return r;
}

/* Nothing is wrong with these, they are only not for this machine, or not again. */
static void refuse(const struct ms_heard *heard, enum ms_reason reason) {
    enum ms_drop drop = (enum ms_drop)(MS_DROP_WIRE + (int)reason);
    char address[MS_ADDRESS_SIZE];
    if (reason == MS_REASON_NOT_OURS || reason == MS_REASON_ECHO ||
        reason == MS_REASON_DUPLICATE) {
        ms_drop_quietly(drop);
    } else {
        ms_address_text(heard->address, address);
        ms_drop(drop, "a packet of %s", address);
    }
}

static void deliver(struct lan *lan, const struct ms_heard *heard,
                    const struct ms_datagram *datagram,
                    const struct ms_mailslot_write *write) {
    char from[MS_NETBIOS_NAME_MAX + 1];
    char to[MS_NETBIOS_NAME_MAX + 1];
    char slot[MAILSLOT_NAME_MAX + 1];
    char address[MS_ADDRESS_SIZE];
    ms_address_text(heard->address, address);
    to_text(&datagram->source, from);
    to_text(&datagram->destination, to);
    memcpy(slot, write->slot, write->slot_size);
    slot[write->slot_size] = '\0';
    struct ms_arrival arrival = {
        .road = lan->road.name,
        .from = from,
        .is_verified = false,
        .place = address,
        .sender = heard->address,
        .to = to,
        .slot = slot,
        .data = write->data,
        .size = write->size,
    };
    struct ms_inbox *inbox = lan->gateway->inbox;
    ms_inbox_count(inbox, &arrival, ms_inbox_deliver(inbox, &arrival));
}

static void hear(void *context, const struct ms_heard *heard) {
    struct lan *lan = context;
    struct ms_datagram datagram;
    struct ms_mailslot_write write;
    enum ms_reason reason = MS_REASON_OVERSIZE;
    if (ms_links_is_own(&lan->links, heard->address)) {
        refuse(heard, MS_REASON_ECHO);
        return;
    }
    if (!ms_links_accept(&lan->links, config_of(lan), heard->address)) {
        char address[MS_ADDRESS_SIZE];
        ms_address_text(heard->address, address);
        ms_drop(MS_DROP_SUBNET, "a packet of %s", address);
        return;
    }
    int r = heard->is_cut
                ? -EBADMSG
                : ms_datagram_decode(heard->packet, heard->size, &datagram, &reason);
    if (r == 0) {
        r = check_destination(lan, &datagram, &reason);
    }
    if (r == 0 && ms_duplicates_meet(&lan->duplicates, &datagram, ms_clock_now_ns())) {
        r = ms_refuse(MS_REASON_DUPLICATE, &reason);
    }
    if (r == 0) {
        r = ms_mailslot_write_decode(datagram.data, datagram.size, &write, &reason);
    }
    if (r != 0) {
        refuse(heard, reason);
        return;
    }
    deliver(lan, heard, &datagram, &write);
}

static void reload(struct ms_road *road) {
    struct lan *lan = (struct lan *)road;
    ms_names_reload(lan->names, config_of(lan));
}

static void close_lan(struct ms_road *road) {
    struct lan *lan = (struct lan *)road;
    ms_port_close(&lan->port);
    ms_names_close(lan->names);
    uv_close((uv_handle_t *)&lan->retry, NULL);
}

static void destroy(struct ms_road *road) {
    struct lan *lan = (struct lan *)road;
    ms_names_destroy(lan->names);
    ms_waiting_clear(&lan->waiting);
    free(lan);
}

static int set_identity(struct lan *lan) {
    const struct ms_config *config = lan->gateway->config;
    size_t host = strlen(config->host);
    size_t domain = strlen(config->domain);
    int r = ms_netbios_name_init(config->host, host, MS_NETBIOS_SUFFIX_HOST,
                                 &lan->identity.host);
    if (r == 0) {
        r = ms_netbios_name_init(config->domain, domain, MS_NETBIOS_SUFFIX_HOST,
                                 &lan->identity.domain);
    }
    if (r < 0) {
        ms_log(MS_ERROR, "lan: '%s' and '%s' must be names of NetBIOS", config->host,
               config->domain);
        return r;
    }
    ms_netbios_name_init(config->domain, domain, SUFFIX_MASTER, &lan->browsers.host);
    ms_netbios_name_init(config->domain, domain, SUFFIX_BROWSERS,
                         &lan->browsers.domain);
    return 0;
}

static int open_parts(struct lan *lan) {
    const struct ms_lan_config *config = config_of(lan);
    int r = set_identity(lan);
    if (r == 0) {
        r = ms_links_find(&lan->links, config);
    }
    if (r == 0) {
        r = ms_port_open(&lan->port, lan->gateway->loop, &lan->links, config->port,
                         hear, lan);
    }
    if (r < 0) {
        return r;
    }
    struct ms_names_setup setup = {
        .loop = lan->gateway->loop,
        .links = &lan->links,
        .identity = &lan->identity,
        .port = config->name_port,
        .tell = on_name,
        .context = lan,
    };
    return ms_names_open(&setup, config, &lan->names);
}

int ms_lan_open(struct ms_gateway *gateway, struct ms_road **ret_road) {
    struct lan *lan = calloc(1, sizeof *lan);
    if (!lan) {
        return -ENOMEM;
    }
    lan->gateway = gateway;
    lan->next_id = (uint16_t)ms_clock_now_ns();
    lan->road = (struct ms_road){.name = "lan",
                                 .room = ROOM,
                                 .send = send_mail,
                                 .reload = reload,
                                 .close = close_lan,
                                 .destroy = destroy};
    uv_timer_init(gateway->loop, &lan->retry);
    lan->retry.data = lan;
    *ret_road = &lan->road; /* also on failure: what the loop has must be closed */
    return open_parts(lan);
}
