/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "chance.h"

#include <stdio.h>
#include <string.h>

struct ledger *ledger;

struct head {
    uint64_t number;
    uint32_t index;
    uint32_t size;
};

const char *slot_name(uint32_t slot) {
    static const char *const names[SLOTS] = {"soak\\large", "soak\\small",
                                             "soak\\others"};
    return names[slot];
}

void report(const char *what, uint64_t number, uint32_t index, uint32_t next) {
    ledger->wrong++;
    fprintf(stderr, "\nsoak: %s: handle %llu, message %u, expected %u\n", what,
            (unsigned long long)number, index, next);
}

static unsigned char byte_at(const struct head *head, uint32_t i) {
    return (unsigned char)(head->number * 31 + head->index * 7 + i);
}

/* Returns the size of message number index of a handle, at `bytes`. */
uint32_t compose(unsigned char *bytes, uint64_t number, uint32_t index,
                 uint32_t size_limit) {
    uint32_t size = next_random(20) ? next_random(200) : next_random(size_limit);
    struct head head = {number, index, (uint32_t)sizeof head + size};
    memcpy(bytes, &head, sizeof head);
    for (uint32_t i = 0; i < size; i++) {
        bytes[sizeof head + i] = byte_at(&head, i);
    }
    return head.size;
}

static struct handle *handle_of(uint64_t number) {
    return &ledger->handles[number % HANDLES];
}

struct handle *new_handle(uint32_t slot, uint64_t *ret_number) {
    uint64_t number = atomic_fetch_add(&ledger->next_handle, 1) + 1;
    struct handle *handle = handle_of(number);
    handle->number = 0;
    handle->slot = slot;
    handle->incarnation = 0;
    handle->about = handle->accepted = handle->read = 0;
    handle->number = number;
    *ret_number = number;
    return handle;
}

void check_message(const mailslot_message *found) {
    struct head head;
    memcpy(&head, found->data, sizeof head);
    if (found->size < sizeof head || head.size != found->size) {
        report("damaged", 0, 0, 0);
        return;
    }
    const unsigned char *bytes = found->data;
    for (uint32_t i = 0; i < head.size - sizeof head; i += 1 + i / 64) {
        if (bytes[sizeof head + i] != byte_at(&head, i)) {
            report("damaged", head.number, head.index, i);
            return;
        }
    }
    struct handle *handle = handle_of(head.number);
    if (handle->number != head.number || head.index != handle->read) {
        report("lost, doubled or out of order", head.number, head.index, handle->read);
    }
    handle->read = head.index + 1;
    ledger->read++;
}

/* All that was accepted has been read; a writer that was killed may have sent more. */
void check_all_read(uint32_t slot, uint32_t incarnation) {
    for (uint32_t i = 0; i < HANDLES; i++) {
        struct handle *handle = &ledger->handles[i];
        if (handle->number && handle->slot == slot &&
            handle->incarnation == incarnation &&
            (handle->read < handle->accepted || handle->read > handle->about)) {
            report("lost at the end", handle->number, handle->read, handle->accepted);
        }
    }
}

/* What a killed owner had not read has died with it. */
void count_dead(uint32_t slot) {
    uint32_t incarnation = ledger->slots[slot].last;
    for (uint32_t i = 0; i < HANDLES; i++) {
        struct handle *handle = &ledger->handles[i];
        if (handle->number && handle->slot == slot && handle->accepted > handle->read &&
            handle->incarnation == incarnation) {
            ledger->died += handle->accepted - handle->read;
        }
    }
}
