/* SPDX-License-Identifier: MIT */
/* The window of packets that came lately. */
#include "wire/duplicates.h"

/*
 * FNV-1a of 64 bits. Who could forge a collision could as well send the packet itself
 * first: there is nothing here to protect from a sender that lies about its address.
 */
static uint64_t hash(const uint8_t *bytes, size_t size) {
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return value;
}

static bool is_same(const struct ms_duplicate *a, const struct ms_duplicate *b) {
    return a->hash == b->hash && a->address == b->address && a->id == b->id;
}

bool ms_duplicates_meet(struct ms_duplicates *window, uint32_t address, uint16_t id,
                        const void *packet, size_t size, int64_t now_ns) {
    struct ms_duplicate packet_seen = {.hash = hash(packet, size),
                                       .until_ns = now_ns + MS_DUPLICATES_NS,
                                       .address = address,
                                       .id = id};
    for (size_t i = 0; i < MS_DUPLICATES_COUNT; i++) {
        if (window->seen[i].until_ns > now_ns &&
            is_same(&window->seen[i], &packet_seen)) {
            return true;
        }
    }
    window->seen[window->next] = packet_seen;
    window->next = (window->next + 1) % MS_DUPLICATES_COUNT;
    return false;
}
