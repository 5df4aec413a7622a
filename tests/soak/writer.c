/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include "account.h"
#include "chance.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BATCH 20
#define STRANGER 65534

static unsigned char message[SIZE_MAX_SENT * 2];

static void note_sent(struct handle *handle, uint32_t sent, int r) {
    handle->accepted += sent;
    handle->about = handle->accepted;
    ledger->accepted += sent;
    ledger->errors += r < 0;
}

static int send_batch(mailslot_writer *writer, struct handle *handle, uint64_t number) {
    mailslot_buffer messages[BATCH];
    uint32_t count = 1 + next_random(BATCH);
    uint32_t used = 0;
    size_t sent = 0;
    for (uint32_t i = 0; i < count; i++) {
        unsigned char *bytes = message + used;
        uint32_t size = compose(bytes, number, handle->accepted + i,
                                used < SIZE_MAX_SENT / 2 ? SIZE_MAX_SENT / 2 : 200);
        messages[i] = (mailslot_buffer){bytes, size};
        used += size;
    }
    handle->about = handle->accepted + count;
    int r =
        mailslot_writer_send_all(writer, messages, count, next_random(3) * 10, &sent);
    note_sent(handle, (uint32_t)sent, r);
    return r;
}

static int send_one(mailslot_writer *writer, struct handle *handle, uint64_t number) {
    uint32_t size = compose(message, number, handle->accepted, SIZE_MAX_SENT);
    handle->about = handle->accepted + 1;
    int r = mailslot_writer_send(writer, message, size, next_random(3) * 10);
    note_sent(handle, r == 0, r);
    return r;
}

static void send_many(uint32_t slot) {
    uint64_t number;
    mailslot_writer *writer;
    uint32_t incarnation = ledger->slots[slot].incarnation;
    int r = mailslot_open(slot_name(slot), &writer);
    if (r < 0) {
        ledger->errors++;
        nap_ms(1);
        return;
    }
    struct handle *handle = new_handle(slot, &number);
    if (incarnation == ledger->slots[slot].incarnation) {
        handle->incarnation = incarnation;
    }
    for (uint32_t i = next_random(100); i && r != -EPIPE; i--) {
        r = next_random(2) ? send_one(writer, handle, number)
                           : send_batch(writer, handle, number);
        if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT && r != -EPIPE) {
            report(mailslot_error_name(r), number, 0, 0);
        }
        if (ledger->slots[slot].is_closing) {
            break;
        }
    }
    mailslot_writer_close(writer);
}

static void send_once(uint32_t slot) {
    uint64_t number;
    struct handle *handle = new_handle(slot, &number);
    uint32_t incarnation = ledger->slots[slot].incarnation;
    uint32_t size = compose(message, number, 0, SIZE_MAX_SENT);
    handle->about = 1;
    int r = mailslot_send(slot_name(slot), message, size, 0);
    note_sent(handle, r == 0, r);
    if (incarnation == ledger->slots[slot].incarnation) {
        handle->incarnation = incarnation;
    }
}

static void become_stranger(void) {
    if (setgroups(0, NULL) < 0 || setresgid(STRANGER, STRANGER, STRANGER) < 0 ||
        setresuid(STRANGER, STRANGER, STRANGER) < 0) {
        report("cannot become another user", 0, 0, 0);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it is forgotten with the user */
}

void write_to_slots(uint32_t me) {
    bool is_stranger = geteuid() == 0 && me % 2 == 1;
    if (is_stranger) {
        become_stranger();
    }
    while (!ledger->is_over) {
        uint32_t slot = is_stranger ? 2 : next_random(SLOTS);
        ledger->sending_to[me] = (int)slot;
        if (!ledger->slots[slot].is_closing) {
            if (next_random(4)) {
                send_many(slot);
            } else {
                send_once(slot);
            }
        }
        ledger->sending_to[me] = NOBODY;
        nap_ms(next_random(3));
    }
}
