/* SPDX-License-Identifier: MIT */
/* The window of datagrams that came lately. */
#include "wire/duplicates.h"

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/*
 * FNV-1a of 64 bits. Who could forge a collision could as well send the datagram itself
 * first: there is nothing here to protect from a sender that lies about its name.
 */
static uint64_t hash(uint64_t value, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        value = (value ^ bytes[i]) * FNV_PRIME;
    }
    return value;
}

static uint64_t hash_datagram(const struct ms_datagram *datagram) {
    const struct ms_netbios_name *from = &datagram->source;
    const struct ms_netbios_name *to = &datagram->destination;
    uint64_t value = hash(FNV_OFFSET, from->bytes, sizeof from->bytes);
    value = hash(value, to->bytes, sizeof to->bytes);
    return hash(value, datagram->data, datagram->size);
}

static bool is_same(const struct ms_duplicate *a, const struct ms_duplicate *b) {
    return a->hash == b->hash && a->id == b->id;
}

bool ms_duplicates_meet(struct ms_duplicates *window,
                        const struct ms_datagram *datagram, int64_t now_ns) {
    struct ms_duplicate seen = {.hash = hash_datagram(datagram),
                                .until_ns = now_ns + MS_DUPLICATES_NS,
                                .id = datagram->id};
    for (size_t i = 0; i < MS_DUPLICATES_COUNT; i++) {
        if (window->seen[i].until_ns > now_ns && is_same(&window->seen[i], &seen)) {
            return true;
        }
    }
    window->seen[window->next] = seen;
    window->next = (window->next + 1) % MS_DUPLICATES_COUNT;
    return false;
}
