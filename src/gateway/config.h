/* SPDX-License-Identifier: MIT */
/*
 * The configuration: a Lua file becomes a structure. Every option is described in
 * mailslot-gateway(1).
 */
#ifndef MS_GATEWAY_CONFIG_H
#define MS_GATEWAY_CONFIG_H

#include "mailslot.h"

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_CONFIG_TEXT_MAX 255
#define MS_CONFIG_LIST_MAX 16

typedef char ms_config_text[MS_CONFIG_TEXT_MAX + 1]; /* "": not configured */

struct ms_config_list {
    size_t count;
    ms_config_text texts[MS_CONFIG_LIST_MAX];
};

struct ms_export {
    char slot[MAILSLOT_NAME_MAX + 1]; /* bare, in lower case, separators `\` */
    double rate;                      /* messages a second, of all senders */
    double burst;                     /* and at once */
    double sender_rate;               /* messages a second and at once, of each */
    uint64_t bytes;                   /* that may lie unread in the slot */
};

struct ms_subnet {
    uint32_t address; /* IPv4, the first byte the highest, here and below */
    uint32_t mask;
};

struct ms_lan_config {
    bool is_on;
    struct ms_config_list interfaces;
    struct ms_subnet subnets[MS_CONFIG_LIST_MAX];
    size_t subnet_count;
    uint16_t port;
    uint16_t name_port;
    ms_config_text lmhosts;
    uint32_t wins; /* 0: none */
};

struct ms_nats_config {
    bool is_on;
    ms_config_text url;
    ms_config_text stream;
    struct ms_config_list domains;
    ms_config_text user;
    ms_config_text password_file;
    ms_config_text ca;
    ms_config_text cert;
    ms_config_text key;
    ms_config_text credentials;
    ms_config_text state; /* the folder of the journals */
    bool is_verified;
    uint64_t queue_bytes;  /* that may be with the server, or on the way there */
    uint64_t stream_bytes; /* of the stream, if it has to be made */
    int replicas;
    double linger; /* seconds that messages wait for a slot to be there again */
    double keep;   /* seconds that the server keeps messages for an absent gateway */
};

enum ms_road_kind { MS_ROAD_LAN, MS_ROAD_NATS, MS_ROAD_COUNT };

struct ms_route {
    ms_config_text destination; /* lower case; `*`: all that have no other */
    enum ms_road_kind road;
};

struct ms_config {
    ms_config_text host;
    ms_config_text domain;
    size_t export_count;
    struct ms_export *exports;
    size_t route_count;
    struct ms_route *routes;
    struct ms_lan_config lan;
    struct ms_nats_config nats;
    uint32_t outbox_mode;
    uint64_t outbox_max_bytes;
    ms_config_text outbox_group;
    ms_config_text user;
    lua_State *lua; /* what the filter lives in */
    int filter;     /* its reference, or LUA_NOREF */
};

/* NULL: it cannot be read, and *ret_error, to be freed, says what is wrong where. */
struct ms_config *ms_config_load(const char *path, char **ret_error);

/* NULL is allowed. Returns NULL. */
struct ms_config *ms_config_free(struct ms_config *config);

/* Are the texts one name? Letter case of ASCII does not matter. */
bool ms_config_equals(const char *a, const char *b);

#endif
