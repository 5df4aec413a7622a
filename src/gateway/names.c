/* SPDX-License-Identifier: MIT */
#include "gateway/names.h"

#include "gateway/log.h"
#include "os/clock.h"
#include "wire/lmhosts.h"
#include "wire/name_query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_COUNT 256
#define LMHOSTS_COUNT 1024
#define SECOND_NS INT64_C(1000000000)

/* RFC 1002 6: three times, 250 ms apart; a WINS server may take longer. */
#define TRIES 3
#define BROADCAST_MS 250
#define WINS_MS 1500

/* What an answer says is believed for so long at most, and silence for so long. */
#define KEEP_SECONDS 300
#define SILENCE_SECONDS 5

/* What we tell others, in seconds. */
#define OWN_SECONDS 300

struct entry {
    struct ms_netbios_name name;
    enum ms_where where;
    uint32_t address;
    int64_t until_ns; /* asking: of this try; else of what is known; 0: unused */
    uint16_t id;      /* asking: of the queries */
    bool is_at_wins;  /* asking: who was asked */
    int tries;        /* asking: done */
};

struct ms_names {
    struct ms_names_setup setup;
    const struct ms_lan_config *config;
    struct ms_port port;
    uv_timer_t timer;
    uint16_t next_id;
    struct entry entries[NAMES_COUNT];
    size_t static_count;
    struct {
        struct ms_netbios_name name;
        uint32_t address;
    } statics[LMHOSTS_COUNT];
};

static void add_static(struct ms_names *names, const char *line, int number) {
    struct ms_lmhosts parsed;
    enum ms_reason reason;
    if (ms_lmhosts_parse(line, strlen(line), &parsed, &reason) < 0) {
        ms_log(MS_WARNING, "%s:%d: %s", names->config->lmhosts, number,
               ms_reason_text(reason));
    } else if (parsed.is_entry && names->static_count == LMHOSTS_COUNT) {
        ms_log(MS_WARNING, "%s:%d: more than %d names", names->config->lmhosts, number,
               LMHOSTS_COUNT);
    } else if (parsed.is_entry) {
        names->statics[names->static_count].name = parsed.name;
        names->statics[names->static_count].address = parsed.address;
        names->static_count++;
    }
}

static void read_lmhosts(struct ms_names *names) {
    char line[512];
    names->static_count = 0;
    if (!names->config->lmhosts[0]) {
        return;
    }
    FILE *file = fopen(names->config->lmhosts, "re");
    if (!file) {
        ms_log(MS_WARNING, "lan.lmhosts: cannot read %s", names->config->lmhosts);
        return;
    }
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        add_static(names, line, number);
    }
    fclose(file);
}

static bool find_static(const struct ms_names *names,
                        const struct ms_netbios_name *name, uint32_t *ret_address) {
    for (size_t i = 0; i < names->static_count; i++) {
        if (ms_netbios_name_equals(&names->statics[i].name, name)) {
            *ret_address = names->statics[i].address;
            return true;
        }
    }
    return false;
}

/* The entry of that name; else one that may be used for it, or NULL: all are asking. */
static struct entry *find_entry(struct ms_names *names,
                                const struct ms_netbios_name *name) {
    struct entry *oldest = NULL;
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        struct entry *entry = &names->entries[i];
        if (entry->until_ns && ms_netbios_name_equals(&entry->name, name)) {
            return entry;
        }
        bool is_free = !entry->until_ns || entry->where != MS_WHERE_ASKING;
        if (is_free && (!oldest || entry->until_ns < oldest->until_ns)) {
            oldest = entry;
        }
    }
    if (oldest) {
        *oldest = (struct entry){.name = *name};
    }
    return oldest;
}

static void ask_wins(struct ms_names *names, const void *query, size_t size) {
    const struct ms_link *link =
        ms_links_towards(names->setup.links, names->config->wins);
    ms_port_send(&names->port, link, names->config->wins, names->port.number, query,
                 size);
}

static void ask_everybody(struct ms_names *names, const void *query, size_t size) {
    for (size_t i = 0; i < names->setup.links->count; i++) {
        const struct ms_link *link = &names->setup.links->links[i];
        ms_port_send(&names->port, link, link->broadcast, names->port.number, query,
                     size);
    }
}

/* A query that cannot be sent is one that got lost: it is repeated. */
static void ask(struct ms_names *names, struct entry *entry) {
    uint8_t packet[MS_NAME_QUERY_SIZE];
    struct ms_name_query query = {
        .id = entry->id, .is_broadcast = !entry->is_at_wins, .name = entry->name};
    int size = ms_name_query_encode(&query, packet, sizeof packet);
    if (size > 0 && entry->is_at_wins) {
        ask_wins(names, packet, (size_t)size);
    } else if (size > 0) {
        ask_everybody(names, packet, (size_t)size);
    }
    entry->tries++;
    entry->until_ns = ms_clock_now_ns() +
                      (entry->is_at_wins ? WINS_MS : BROADCAST_MS) * SECOND_NS / 1000;
}

static void begin_asking(struct ms_names *names, struct entry *entry, bool at_wins) {
    entry->where = MS_WHERE_ASKING;
    entry->id = names->next_id++;
    entry->is_at_wins = at_wins;
    entry->tries = 0;
    ask(names, entry);
}

static void settle(struct ms_names *names, struct entry *entry, enum ms_where where,
                   uint32_t address, uint32_t seconds) {
    struct ms_netbios_name name = entry->name;
    entry->where = where;
    entry->address = address;
    entry->until_ns = ms_clock_now_ns() + seconds * SECOND_NS;
    names->setup.tell(names->setup.context, &name);
}

/* Nobody has answered yet, or the server does not know: who is asked next? */
static void go_on(struct ms_names *names, struct entry *entry, bool is_denied) {
    if (entry->tries < TRIES && !is_denied) {
        ask(names, entry);
    } else if (entry->is_at_wins) {
        begin_asking(names, entry, false);
    } else {
        settle(names, entry, MS_WHERE_NOBODY, 0, SILENCE_SECONDS);
    }
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct ms_names *names) {
    int64_t next_ns = INT64_MAX;
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        const struct entry *entry = &names->entries[i];
        if (entry->until_ns && entry->where == MS_WHERE_ASKING &&
            entry->until_ns < next_ns) {
            next_ns = entry->until_ns;
        }
    }
    if (next_ns == INT64_MAX) {
        uv_timer_stop(&names->timer);
        return;
    }
    int64_t left_ns = next_ns - ms_clock_now_ns();
    uv_timer_start(&names->timer, on_timer,
                   left_ns > 0 ? (uint64_t)(left_ns / 1000000 + 1) : 0, 0);
}

static void on_timer(uv_timer_t *timer) {
    struct ms_names *names = timer->data;
    int64_t now_ns = ms_clock_now_ns();
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        struct entry *entry = &names->entries[i];
        if (entry->until_ns && entry->where == MS_WHERE_ASKING &&
            entry->until_ns <= now_ns) {
            go_on(names, entry, false);
        }
    }
    set_timer(names);
}

enum ms_where ms_names_find(struct ms_names *names, const struct ms_netbios_name *name,
                            uint32_t *ret_address) {
    if (find_static(names, name, ret_address)) {
        return MS_WHERE_ADDRESS;
    }
    struct entry *entry = find_entry(names, name);
    if (!entry) {
        return MS_WHERE_FULL;
    }
    bool is_known = entry->until_ns && (entry->where == MS_WHERE_ASKING ||
                                        entry->until_ns > ms_clock_now_ns());
    if (!is_known) {
        begin_asking(names, entry, names->config->wins != 0);
        set_timer(names);
    }
    *ret_address = entry->address;
    return entry->where;
}

/* To a query for one of our names. */
static void answer(struct ms_names *names, const struct ms_heard *heard,
                   const struct ms_name_query *query) {
    const struct ms_identity *identity = names->setup.identity;
    bool is_domain = ms_netbios_name_equals(&query->name, &identity->domain);
    if (!is_domain && !ms_netbios_name_equals(&query->name, &identity->host)) {
        return;
    }
    struct ms_name_answer own = {
        .id = query->id,
        .is_group = is_domain,
        .seconds = OWN_SECONDS,
        .name = query->name,
        .count = 1,
        .addresses = {heard->link->address},
    };
    uint8_t packet[MS_NAME_ANSWER_HEAD_SIZE + MS_NAME_ADDRESS_SIZE];
    int size = ms_name_answer_encode(&own, packet, sizeof packet);
    if (size > 0) {
        ms_port_send(&names->port, heard->link, heard->address, heard->port, packet,
                     (size_t)size);
    }
}

/* The entry whose queries have that id, asked of whoever answers. */
static struct entry *find_asked(struct ms_names *names,
                                const struct ms_name_answer *answered,
                                uint32_t address) {
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        struct entry *entry = &names->entries[i];
        if (entry->until_ns && entry->where == MS_WHERE_ASKING &&
            entry->id == answered->id &&
            ms_netbios_name_equals(&entry->name, &answered->name) &&
            (!entry->is_at_wins || address == names->config->wins)) {
            return entry;
        }
    }
    return NULL;
}

static void take_answer(struct ms_names *names, const struct ms_name_answer *answered,
                        uint32_t address) {
    struct entry *entry = find_asked(names, answered, address);
    if (!entry || (answered->error && !entry->is_at_wins)) {
        return; /* only a server can speak for others */
    }
    uint32_t seconds = answered->seconds ? answered->seconds : KEEP_SECONDS;
    seconds = seconds < KEEP_SECONDS ? seconds : KEEP_SECONDS;
    if (answered->error) {
        go_on(names, entry, true);
    } else if (answered->is_group) {
        settle(names, entry, MS_WHERE_GROUP, 0, seconds);
    } else {
        settle(names, entry, MS_WHERE_ADDRESS, answered->addresses[0], seconds);
    }
    set_timer(names);
}

static void hear(void *context, const struct ms_heard *heard) {
    struct ms_names *names = context;
    struct ms_name_query query;
    struct ms_name_answer answered;
    enum ms_reason reason;
    if (ms_links_is_own(names->setup.links, heard->address)) {
        return;
    }
    if (heard->address != names->config->wins &&
        !ms_links_accept(names->setup.links, names->config, heard->address)) {
        ms_drop_quietly(MS_DROP_SUBNET);
        return;
    }
    if (heard->is_cut) {
        return;
    }
    if (ms_name_query_decode(heard->packet, heard->size, &query, &reason) == 0) {
        answer(names, heard, &query);
    } else if (ms_name_answer_decode(heard->packet, heard->size, &answered, &reason) ==
               0) {
        take_answer(names, &answered, heard->address);
    } else {
        ms_drop_quietly((enum ms_drop)(MS_DROP_WIRE + (int)reason));
    }
}

int ms_names_open(const struct ms_names_setup *setup,
                  const struct ms_lan_config *config, struct ms_names **ret_names) {
    struct ms_names *names = calloc(1, sizeof *names);
    if (!names) {
        return -ENOMEM;
    }
    names->setup = *setup;
    names->config = config;
    names->next_id = (uint16_t)ms_clock_now_ns();
    uv_timer_init(setup->loop, &names->timer);
    names->timer.data = names;
    read_lmhosts(names);
    *ret_names = names; /* also on failure: the loop has to let go of it */
    return ms_port_open(&names->port, setup->loop, setup->links, setup->port, hear,
                        names);
}

void ms_names_reload(struct ms_names *names, const struct ms_lan_config *config) {
    names->config = config;
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        if (names->entries[i].where != MS_WHERE_ASKING) {
            names->entries[i] = (struct entry){0};
        }
    }
    read_lmhosts(names);
}

void ms_names_close(struct ms_names *names) {
    if (names) {
        ms_port_close(&names->port);
        uv_close((uv_handle_t *)&names->timer, NULL);
    }
}

void ms_names_destroy(struct ms_names *names) {
    free(names);
}
