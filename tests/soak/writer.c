/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include "chance.h"
#include "mailslot.h"
#include "process.h"
#include "sending.h"

#include <errno.h>

#define LONGEST_STREAM 100

static unsigned char bytes[2 * LARGEST_MESSAGE + BATCH * SMALL_MESSAGE];

static int64_t some_time_ms(void) {
    static const int64_t times_ms[] = {0, 0, 0, 1, 20, MAILSLOT_FOREVER};
    return times_ms[next_random(6)];
}

static bool send_one(struct sending *sending, mailslot_writer *writer) {
    uint32_t size = sending_compose(sending, 0, bytes, LARGEST_MESSAGE);
    sending_about(sending, 1);
    int r = mailslot_writer_send(writer, size ? bytes : NULL, size, some_time_ms());
    return sending_note(sending, r == 0, r);
}

static bool send_by_name(struct sending *sending) {
    uint32_t size = sending_compose(sending, 0, bytes, LARGEST_MESSAGE);
    sending_about(sending, 1);
    int r = mailslot_send(slot_name(sending->slot), bytes, size, some_time_ms());
    return sending_note(sending, r == 0, r);
}

static bool send_batch(struct sending *sending, mailslot_writer *writer) {
    mailslot_buffer messages[BATCH];
    uint32_t count = 1 + next_random(BATCH);
    uint32_t used = 0;
    size_t sent = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t limit = used < LARGEST_MESSAGE ? LARGEST_MESSAGE : SMALL_MESSAGE;
        uint32_t size = sending_compose(sending, i, bytes + used, limit);
        messages[i] = (mailslot_buffer){size ? bytes + used : NULL, size};
        used += size;
    }
    sending_about(sending, count);
    int r = mailslot_writer_send_all(writer, messages, count, some_time_ms(), &sent);
    return sending_note(sending, (uint32_t)sent, r);
}

static void send_opened(struct sending *sending) {
    mailslot_writer *writer;
    int r = mailslot_open(slot_name(sending->slot), &writer);
    if (r < 0) {
        sending_note_closed(r);
        nap_ms(1);
        return;
    }
    bool can_go_on = sending_begin(sending, false);
    for (uint32_t i = next_random(LONGEST_STREAM); i && can_go_on; i--) {
        can_go_on =
            next_random(2) ? send_one(sending, writer) : send_batch(sending, writer);
    }
    mailslot_writer_close(writer);
}

static void send_loose(struct sending *sending) {
    bool can_go_on = sending_begin(sending, true);
    for (uint32_t i = 1 + next_random(10); i && can_go_on; i--) {
        can_go_on = send_by_name(sending);
    }
}

void write_to_slots(uint32_t me, bool is_stranger) {
    if (is_stranger && !become_stranger()) {
        report(OTHERWISE, "cannot become another user", me, 0, 0);
    }
    while (!ledger->is_over) {
        struct sending sending;
        if (sending_enter(&sending, me, is_stranger)) {
            if (next_random(2)) {
                send_opened(&sending);
            } else {
                send_loose(&sending);
            }
            sending_leave(&sending);
        }
        nap_ms(next_random(3));
    }
}
