/* SPDX-License-Identifier: MIT */
#include "gateway/config_parts.h"

#include "wire/outbound.h"

#include <arpa/inet.h>
#include <lauxlib.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_MAX 1e9
#define BYTES_MAX (INT64_C(1) << 40)
#define NETBIOS_NAME_MAX 15
#define INTERFACE_NAME_MAX 15

/* What an exported slot may be sent from outside, unless the configuration says more.
 */
static const struct ms_export export_defaults = {
    .rate = 1000,
    .burst = 1000,
    .sender_rate = 250,
    .bytes = 16 << 20,
};

/* The bare name of a local slot, in the form in which the inbox compares. */
static void read_slot(const struct ms_settings *table, const char *key,
                      const char *text, char ret_slot[MAILSLOT_NAME_MAX + 1]) {
    size_t size = strlen(text);
    if (size > MAILSLOT_NAME_MAX || text[0] == '\\' || text[0] == '/') {
        ms_settings_fail(table, key, "is not the bare name of a slot");
    }
    for (size_t i = 0; i <= size; i++) {
        char c = text[i];
        ret_slot[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a'
                             : c == '/'           ? '\\'
                                                  : c);
    }
    if (strcmp(ret_slot, MS_OUTBOUND_SLOT) == 0) { /* others would send through us */
        ms_settings_fail(table, key, "cannot be exported");
    }
}

static void read_limits(const struct ms_settings *limits, struct ms_export *export) {
    static const char *const known[] = {"rate", "burst", "bytes", "sender_rate", NULL};
    int64_t bytes = (int64_t) export->bytes;
    ms_settings_check_keys(limits, known);
    if (ms_settings_number(limits, "rate", 1e-6, RATE_MAX, &export->rate)) {
        export->burst = export->rate < 1 ? 1 : export->rate;
    }
    ms_settings_number(limits, "burst", 1, RATE_MAX, &export->burst);
    if (!ms_settings_number(limits, "sender_rate", 1e-6, RATE_MAX,
                            &export->sender_rate)) {
        export->sender_rate = export->rate / 4;
    }
    ms_settings_integer(limits, "bytes", 1, BYTES_MAX, &bytes);
    export->bytes = (uint64_t)bytes;
}

/* `"name"` in the list, or `name = { limits }`. The pair is on top of the stack. */
static void read_export(const struct ms_settings *table, struct ms_export *export) {
    lua_State *lua = table->L;
    *export = export_defaults;
    if (lua_type(lua, -2) == LUA_TNUMBER && lua_type(lua, -1) == LUA_TSTRING) {
        const char *name = lua_tostring(lua, -1);
        read_slot(table, name, name, export->slot);
    } else if (lua_type(lua, -2) == LUA_TSTRING && lua_type(lua, -1) == LUA_TTABLE) {
        const char *name = lua_tostring(lua, -2);
        read_slot(table, name, name, export->slot);
        struct ms_settings limits = *table;
        limits.index = lua_gettop(lua);
        limits.prefix = lua_pushfstring(lua, "export.%s.", name);
        read_limits(&limits, export);
        lua_pop(lua, 1);
    } else {
        ms_settings_fail(table, luaL_tolstring(lua, -2, NULL),
                         "must be \"name\" or name = { limits }");
    }
}

void ms_config_read_exports(struct ms_settings *table, struct ms_config *config) {
    lua_State *lua = table->L;
    size_t count = 0;
    lua_pushnil(lua);
    while (lua_next(lua, table->index)) {
        count++;
        lua_pop(lua, 1);
    }
    config->exports = calloc(count ? count : 1, sizeof *config->exports);
    if (!config->exports) {
        ms_settings_fail(table, "", "needs more memory than there is");
    }
    lua_pushnil(lua);
    while (lua_next(lua, table->index)) {
        read_export(table, &config->exports[config->export_count]);
        config->export_count++;
        lua_pop(lua, 1);
    }
}

static void take_text(const struct ms_settings *table, const char *key,
                      const char *text, void *context) {
    struct ms_config_list *list = context;
    if (list->count == MS_CONFIG_LIST_MAX) {
        ms_settings_fail(table, key, "has more than %d entries", MS_CONFIG_LIST_MAX);
    }
    if (strlen(text) > MS_CONFIG_TEXT_MAX) {
        ms_settings_fail(table, key, "has an entry of more than %d bytes",
                         MS_CONFIG_TEXT_MAX);
    }
    memcpy(list->texts[list->count++], text, strlen(text) + 1);
}

static uint32_t to_address(const struct ms_settings *table, const char *key,
                           const char *text) {
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1) {
        ms_settings_fail(table, key, "has no IPv4 address in '%s'", text);
    }
    return ntohl(address.s_addr);
}

/* `10.77.0.0/24` */
static void take_subnet(const struct ms_settings *table, const char *key,
                        const char *text, void *context) {
    struct ms_lan_config *lan = context;
    char address[INET_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    char *end = NULL;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : 0;
    size_t size = slash ? (size_t)(slash - text) : 0;
    if (!slash || size >= sizeof address || !isdigit((unsigned char)slash[1]) || *end ||
        bits > 32) {
        ms_settings_fail(table, key, "must hold subnets like 10.77.0.0/24, not '%s'",
                         text);
    }
    if (lan->subnet_count == MS_CONFIG_LIST_MAX) {
        ms_settings_fail(table, key, "has more than %d entries", MS_CONFIG_LIST_MAX);
    }
    memcpy(address, text, size);
    address[size] = '\0';
    struct ms_subnet *subnet = &lan->subnets[lan->subnet_count++];
    subnet->mask = bits ? UINT32_MAX << (32 - bits) : 0;
    subnet->address = to_address(table, key, address) & subnet->mask;
}

static void read_port(const struct ms_settings *table, const char *key,
                      uint16_t *port) {
    int64_t value = *port;
    ms_settings_integer(table, key, 1, UINT16_MAX, &value);
    *port = (uint16_t)value;
}

void ms_config_read_lan(struct ms_settings *table, struct ms_config *config) {
    static const char *const known[] = {"interfaces", "subnets", "port", "name_port",
                                        "lmhosts",    "wins",    NULL};
    struct ms_lan_config *lan = &config->lan;
    lan->is_on = true;
    lan->port = 138;
    lan->name_port = 137;
    ms_settings_check_keys(table, known);
    ms_settings_list(table, "interfaces", take_text, &lan->interfaces);
    for (size_t i = 0; i < lan->interfaces.count; i++) {
        if (strlen(lan->interfaces.texts[i]) > INTERFACE_NAME_MAX) {
            ms_settings_fail(table, "interfaces", "has no such interface: '%s'",
                             lan->interfaces.texts[i]);
        }
    }
    ms_settings_list(table, "subnets", take_subnet, lan);
    if (lan->interfaces.count == 0 && lan->subnet_count == 0) {
        ms_settings_fail(table, "interfaces",
                         "or lan.subnets must say where to listen");
    }
    read_port(table, "port", &lan->port);
    read_port(table, "name_port", &lan->name_port);
    ms_settings_text(table, "lmhosts", lan->lmhosts, sizeof lan->lmhosts);
    ms_config_text wins;
    if (ms_settings_text(table, "wins", wins, sizeof wins)) {
        lan->wins = to_address(table, "wins", wins);
    }
}

static void read_nats_bounds(const struct ms_settings *table,
                             struct ms_nats_config *nats) {
    int64_t queue_bytes = 1 << 20;
    int64_t stream_bytes = 256 << 20;
    int64_t replicas = 1;
    ms_settings_integer(table, "queue_bytes", 1, BYTES_MAX, &queue_bytes);
    ms_settings_integer(table, "stream_bytes", 4096, BYTES_MAX, &stream_bytes);
    ms_settings_integer(table, "replicas", 1, 5, &replicas);
    ms_settings_number(table, "linger", 0, 3600, &nats->linger);
    ms_settings_number(table, "keep", 1, 366 * 86400.0, &nats->keep);
    nats->queue_bytes = (uint64_t)queue_bytes;
    nats->stream_bytes = (uint64_t)stream_bytes;
    nats->replicas = (int)replicas;
}

static void check_nats(const struct ms_settings *table,
                       const struct ms_nats_config *nats) {
    if (nats->stream[strcspn(nats->stream, " \t.*>/\\")]) {
        ms_settings_fail(table, "stream", "is not a name of NATS");
    }
    if (!nats->cert[0] != !nats->key[0]) {
        ms_settings_fail(table, nats->cert[0] ? "key" : "cert", "is missing");
    }
    if (nats->user[0] && !nats->password_file[0]) {
        ms_settings_fail(table, "password_file", "is missing");
    }
}

void ms_config_read_nats(struct ms_settings *table, struct ms_config *config) {
    static const char *const known[] = {
        "url",         "stream", "domains",      "user",        "password_file",
        "ca",          "cert",   "key",          "credentials", "verified",
        "queue_bytes", "state",  "stream_bytes", "replicas",    "linger",
        "keep",        NULL};
    struct ms_nats_config *nats = &config->nats;
    const struct {
        const char *key;
        char *text;
    } texts[] = {
        {"url", nats->url},     {"stream", nats->stream},
        {"user", nats->user},   {"password_file", nats->password_file},
        {"ca", nats->ca},       {"cert", nats->cert},
        {"key", nats->key},     {"credentials", nats->credentials},
        {"state", nats->state},
    };
    nats->is_on = true;
    memcpy(nats->stream, "MAILSLOT", sizeof "MAILSLOT");
    memcpy(nats->state, "/var/lib/mailslot", sizeof "/var/lib/mailslot");
    nats->linger = 2;
    nats->keep = 7 * 86400;
    ms_settings_check_keys(table, known);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ms_settings_text(table, texts[i].key, texts[i].text, MS_CONFIG_TEXT_MAX + 1);
    }
    if (nats->url[0] == '\0') {
        ms_settings_fail(table, "url", "is missing");
    }
    ms_settings_list(table, "domains", take_text, &nats->domains);
    ms_settings_flag(table, "verified", &nats->is_verified);
    read_nats_bounds(table, nats);
    check_nats(table, nats);
}

void ms_config_read_outbox(struct ms_settings *table, struct ms_config *config) {
    static const char *const known[] = {"mode", "max_bytes", "group", NULL};
    ms_config_text mode;
    ms_settings_check_keys(table, known);
    if (ms_settings_text(table, "mode", mode, sizeof mode)) {
        char *end;
        config->outbox_mode = (uint32_t)strtoul(mode, &end, 8);
        if (*end || mode[0] != '0' || (config->outbox_mode & ~022u) != 0600) {
            ms_settings_fail(table, "mode",
                             "must be \"0600\", \"0620\", \"0602\" or "
                             "\"0622\"");
        }
    }
    int64_t max_bytes = 0;
    ms_settings_integer(table, "max_bytes", 4096, BYTES_MAX, &max_bytes);
    config->outbox_max_bytes = (uint64_t)max_bytes;
    ms_settings_text(table, "group", config->outbox_group, sizeof config->outbox_group);
}

/* The pair `["destination"] = "road"` is on top of the stack. */
static void read_route(const struct ms_settings *table, struct ms_route *route) {
    lua_State *lua = table->L;
    const char *key = luaL_tolstring(lua, -2, NULL);
    if (lua_type(lua, -3) != LUA_TSTRING || strlen(key) > MS_CONFIG_TEXT_MAX) {
        ms_settings_fail(table, key, "is not the name of a host or domain");
    }
    const char *road = lua_tostring(lua, -2);
    if (!road || (strcmp(road, "lan") != 0 && strcmp(road, "nats") != 0)) {
        ms_settings_fail(table, key, "must be \"lan\" or \"nats\"");
    }
    route->road = strcmp(road, "lan") == 0 ? MS_ROAD_LAN : MS_ROAD_NATS;
    memcpy(route->destination, key, strlen(key) + 1);
    lua_pop(lua, 1);
}

void ms_config_read_routes(struct ms_settings *table, struct ms_config *config) {
    lua_State *lua = table->L;
    size_t count = 0;
    lua_pushnil(lua);
    while (lua_next(lua, table->index)) {
        count++;
        lua_pop(lua, 1);
    }
    config->routes = calloc(count ? count : 1, sizeof *config->routes);
    if (!config->routes) {
        ms_settings_fail(table, "", "needs more memory than there is");
    }
    lua_pushnil(lua);
    while (lua_next(lua, table->index)) {
        struct ms_route *route = &config->routes[config->route_count++];
        read_route(table, route);
        bool is_there =
            route->road == MS_ROAD_LAN ? config->lan.is_on : config->nats.is_on;
        if (!is_there) {
            ms_settings_fail(table, route->destination,
                             "leads to a road that is not configured");
        }
        lua_pop(lua, 1);
    }
}

/* A name of the lan has 15 bytes. Windows cuts a longer host name, so does this. */
void ms_config_check_name(const struct ms_settings *options, const char *key,
                          char *name) {
    lua_getfield(options->L, options->index, key);
    bool is_chosen = !lua_isnil(options->L, -1);
    lua_pop(options->L, 1);
    if (strlen(name) > NETBIOS_NAME_MAX && is_chosen) {
        ms_settings_fail(options, key,
                         "is longer than the %d bytes that the lan allows",
                         NETBIOS_NAME_MAX);
    }
    name[NETBIOS_NAME_MAX] = '\0';
}

void ms_config_check(const struct ms_settings *options,
                     const struct ms_config *config) {
    if (!config->lan.is_on && !config->nats.is_on) {
        ms_settings_fail(options, "lan", "or nats must be configured");
    }
}
