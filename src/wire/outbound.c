/* SPDX-License-Identifier: MIT */
/* The head of a message on its way to the gateway. */
#include "wire/outbound.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const uint8_t magic[] = {'M', 'S', 'O', 'B'};
static const uint8_t version[] = {1, 0};

#define VERSION_OFFSET 4
#define SLOT_SIZE_OFFSET 6
#define HOST_OFFSET 8
#define HOST_SIZE (MS_OUTBOUND_HOST_MAX + 1)

static size_t padded(size_t size) {
    return (size + 3) / 4 * 4;
}

int ms_outbound_encode(const char *host, const char *slot,
                       uint8_t ret_head[MS_OUTBOUND_HEAD_MAX]) {
    size_t host_size = strlen(host);
    size_t slot_size = strlen(slot);
    if (host_size == 0 || slot_size == 0) {
        return -EINVAL;
    }
    if (host_size > MS_OUTBOUND_HOST_MAX || slot_size > MAILSLOT_NAME_MAX) {
        return -ENAMETOOLONG;
    }
    memset(ret_head, 0, MS_OUTBOUND_HEAD_MAX);
    memcpy(ret_head, magic, sizeof magic);
    memcpy(ret_head + VERSION_OFFSET, version, sizeof version);
    ret_head[SLOT_SIZE_OFFSET] = (uint8_t)slot_size;
    memcpy(ret_head + HOST_OFFSET, host, host_size + 1);
    memcpy(ret_head + MS_OUTBOUND_FIXED_SIZE, slot, slot_size + 1);
    return (int)(MS_OUTBOUND_FIXED_SIZE + padded(slot_size));
}

/* Text of that size, which neither zeros nor control characters are part of, and
 * nothing but zeros up to `capacity`. */
static bool is_text(const uint8_t *bytes, size_t size, size_t capacity) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
            return false;
        }
    }
    for (size_t i = size; i < capacity; i++) {
        if (bytes[i]) {
            return false;
        }
    }
    return size > 0;
}

/* The size of the slot's name; 0: the head is not one. */
static size_t check_fixed(const uint8_t *head, size_t size,
                          enum ms_reason *ret_reason) {
    if (size < MS_OUTBOUND_FIXED_SIZE) {
        *ret_reason = MS_REASON_CUT;
        return 0;
    }
    if (memcmp(head, magic, sizeof magic) != 0) {
        *ret_reason = MS_REASON_MAGIC;
        return 0;
    }
    if (memcmp(head + VERSION_OFFSET, version, sizeof version) != 0) {
        *ret_reason = MS_REASON_VERSION;
        return 0;
    }
    *ret_reason = MS_REASON_SLOT_NAME;
    return head[SLOT_SIZE_OFFSET] | (size_t)head[SLOT_SIZE_OFFSET + 1] << 8;
}

int ms_outbound_decode(const void *bytes, size_t size, struct ms_outbound *ret_outbound,
                       enum ms_reason *ret_reason) {
    const uint8_t *head = bytes;
    size_t slot_size = check_fixed(head, size, ret_reason);
    if (slot_size == 0 || slot_size > MAILSLOT_NAME_MAX) {
        return -EBADMSG;
    }
    size_t slot_room = padded(slot_size);
    if (slot_room > size - MS_OUTBOUND_FIXED_SIZE) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    const uint8_t *host = head + HOST_OFFSET;
    const uint8_t *slot = head + MS_OUTBOUND_FIXED_SIZE;
    const uint8_t *host_end = memchr(host, 0, HOST_SIZE);
    if (!host_end || !is_text(host, (size_t)(host_end - host), HOST_SIZE)) {
        return ms_refuse(MS_REASON_DESTINATION, ret_reason);
    }
    if (!is_text(slot, slot_size, slot_room)) {
        return ms_refuse(MS_REASON_SLOT_NAME, ret_reason);
    }
    *ret_outbound = (struct ms_outbound){
        .data = slot + slot_room, .size = size - MS_OUTBOUND_FIXED_SIZE - slot_room};
    memcpy(ret_outbound->host, host, (size_t)(host_end - host));
    memcpy(ret_outbound->slot, slot, slot_size);
    return 0;
}
