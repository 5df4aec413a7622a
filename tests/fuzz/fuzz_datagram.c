/* SPDX-License-Identifier: MIT */
/*
 * Any packet as a datagram with a mailslot write: what is accepted lies inside the
 * packet, and encoded again it says the same.
 */
#include "wire/mailslot_write.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void check_write_again(const struct ms_mailslot_write *write) {
    uint8_t bytes[MS_DATAGRAM_DATA_MAX];
    struct ms_mailslot_write again;
    enum ms_reason reason;
    int size = ms_mailslot_write_encode(write, bytes, sizeof bytes);
    if (write->size > ms_mailslot_write_limit(write->slot_size)) {
        require(size == -EMSGSIZE); /* it fitted only without padding */
        return;
    }
    require(size > 0);
    require(ms_mailslot_write_decode(bytes, (size_t)size, &again, &reason) == 0);
    require(again.slot_size == write->slot_size && again.size == write->size);
    require(memcmp(again.slot, write->slot, write->slot_size) == 0);
    require(memcmp(again.data, write->data, write->size) == 0);
}

static void check_write(const uint8_t *data, size_t size) {
    struct ms_mailslot_write write;
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_mailslot_write_decode(data, size, &write, &reason) < 0) {
        require(reason < MS_REASON_COUNT);
        return;
    }
    const uint8_t *slot = (const uint8_t *)write.slot;
    require(slot > data && write.slot_size > 0);
    require(slot + write.slot_size < write.data && slot[write.slot_size] == 0);
    require((size_t)(write.data - data) <= size);
    require(write.size <= size - (size_t)(write.data - data));
    check_write_again(&write);
}

static void check_datagram_again(const struct ms_datagram *datagram) {
    uint8_t bytes[MS_DATAGRAM_MAX];
    struct ms_datagram again;
    enum ms_reason reason;
    int size = ms_datagram_encode(datagram, bytes, sizeof bytes);
    require(size > 0);
    require(ms_datagram_decode(bytes, (size_t)size, &again, &reason) == 0);
    require(again.type == datagram->type && again.id == datagram->id);
    require(again.claimed_address == datagram->claimed_address);
    require(ms_netbios_name_equals(&again.source, &datagram->source));
    require(ms_netbios_name_equals(&again.destination, &datagram->destination));
    require(again.size == datagram->size);
    require(memcmp(again.data, datagram->data, again.size) == 0);
}

static void check_text(const struct ms_netbios_name *name) {
    char text[MS_NETBIOS_NAME_MAX + 1];
    ms_netbios_name_text(name, text);
    for (const char *c = text; *c; c++) {
        require(*c >= 0x20 && *c < 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ms_datagram datagram;
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_datagram_decode(data, size, &datagram, &reason) < 0) {
        require(reason < MS_REASON_COUNT);
        check_write(data, size);
        return 0;
    }
    require(datagram.data >= data && datagram.data + datagram.size == data + size);
    check_text(&datagram.source);
    check_datagram_again(&datagram);
    check_write(datagram.data, datagram.size);
    return 0;
}
