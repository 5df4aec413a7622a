/* SPDX-License-Identifier: MIT */
#include "owner.h"

#include "account.h"
#include "chance.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

const char *plant;

static bool is_planted(const char *fault) {
    return plant && strcmp(plant, fault) == 0 && next_random(1000) == 0;
}

/* Read up to so many, as one of the ways to read has it. */
static int read_some(mailslot *slot, uint32_t count, int64_t timeout_ms) {
    mailslot_message shown;
    int r = 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = mailslot_peek(slot, i ? 0 : timeout_ms, &shown);
        if (r == 0 && !is_planted("lose")) {
            check_message(&shown);
        }
        if (r == 0 && is_planted("double")) {
            check_message(&shown);
        }
    }
    mailslot_consume(slot);
    return r;
}

static bool is_sent_to(uint32_t slot) {
    for (uint32_t i = 0; i < WRITERS; i++) {
        if (ledger->sending_to[i] == (int)slot) {
            return true;
        }
    }
    return false;
}

static void leave_in_order(mailslot *slot, uint32_t index, uint32_t incarnation) {
    ledger->slots[index].is_closing = true;
    while (is_sent_to(index)) {
        read_some(slot, 100, 1);
    }
    while (read_some(slot, 1000, 0) == 0) {
    }
    check_all_read(index, incarnation);
    ledger->slots[index].incarnation = 0;
    mailslot_close(slot);
    ledger->slots[index].is_closing = false;
}

static mailslot *create(uint32_t index) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    options.max_bytes = index == 1 ? SIZE_MAX_SENT * 4 : 64u << 20;
    options.mode = index == 2 ? 0622 : 0600;
    int r = mailslot_create(slot_name(index), &options, &slot);
    if (r < 0) {
        report(mailslot_error_name(r), 0, index, 0);
    }
    return slot;
}

void own(uint32_t index) {
    while (!ledger->is_over) {
        ledger->slots[index].is_closing = false; /* who died may have left it so */
        mailslot *slot = create(index);
        if (!slot) {
            return;
        }
        uint32_t incarnation = ++ledger->slots[index].last;
        ledger->slots[index].incarnation = incarnation;
        ledger->lives++;
        int64_t end_ms = now_ms() + 50 + next_random(1500);
        while (now_ms() < end_ms && !ledger->is_over) {
            int64_t timeout_ms = next_random(3) ? next_random(20) : 0;
            int r = read_some(slot, 1 + next_random(50), timeout_ms);
            if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT) {
                report(mailslot_error_name(r), 0, index, 0);
                return;
            }
            if (next_random(50) == 0) {
                nap_ms(next_random(50));
            }
        }
        leave_in_order(slot, index, incarnation);
    }
}
