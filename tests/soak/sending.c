/* SPDX-License-Identifier: MIT */
#include "sending.h"

#include "chance.h"

#include <errno.h>
#include <string.h>

/* A message of half the queue and its header is the largest, whoever sends it. */
#define RECORD_HEADER 32

static uint32_t choose_slot(bool is_stranger) {
    uint32_t slot;
    do {
        slot = next_random(SLOTS);
    } while (is_stranger && !is_open_to_others(slot));
    return slot;
}

bool sending_enter(struct sending *sending, uint32_t writer, bool is_stranger) {
    uint32_t slot = choose_slot(is_stranger);
    memset(sending, 0, sizeof *sending);
    sending->writer = writer;
    sending->slot = slot;
    ledger->writers[writer].sending_to = (int)slot;
    if (ledger->slots[slot].is_closing) {
        ledger->writers[writer].sending_to = NOBODY;
        return false;
    }
    sending->life = ledger->slots[slot].life;
    sending->limit = ledger->slots[slot].max_bytes / 2 - RECORD_HEADER;
    return true;
}

static uint64_t find_place(void) {
    uint64_t number;
    do {
        number = ++ledger->next_stream;
    } while (stream_of(number)->number);
    return number;
}

/* Lives begin before their slot is created. So when no other has begun since before the
 * slot was opened, this one was opened. */
bool sending_begin(struct sending *sending, bool is_loose) {
    if (sending->life != ledger->slots[sending->slot].life) {
        return false;
    }
    uint64_t number = find_place();
    struct stream *stream = stream_of(number);
    stream->slot = sending->slot;
    stream->life = sending->life;
    stream->writer = sending->writer;
    stream->writer_life = ledger->writers[sending->writer].life;
    stream->about = stream->accepted = stream->read = stream->strays = 0;
    stream->gap = stream->gap_end = 0;
    stream->is_loose = is_loose;
    stream->is_ended = stream->is_missed = false;
    stream->number = number;
    sending->stream = stream;
    sending->number = number;
    return true;
}

uint32_t sending_compose(struct sending *sending, uint32_t ahead, unsigned char *bytes,
                         uint32_t limit) {
    uint32_t index = sending->stream->accepted + ahead;
    return sending->sizes[ahead] = compose(bytes, sending->number, index, limit);
}

void sending_about(struct sending *sending, uint32_t count) {
    sending->stream->about = sending->stream->accepted + count;
}

static bool is_expected(int r) {
    return r == -EAGAIN || r == -ETIMEDOUT || r == -EPIPE || r == -EINTR ||
           r == -EMSGSIZE;
}

/* A slot of another user whose owner has died cannot be looked into. */
static bool is_expected_of_open(int r) {
    return is_expected(r) || r == -ENOENT || r == -EACCES;
}

static void check_sizes(const struct sending *sending, uint32_t sent, int r) {
    for (uint32_t i = 0; i < sent; i++) {
        if (sending->sizes[i] > sending->limit) {
            report(OTHERWISE, "too large, but sent", sending->number, i, 0);
        }
    }
    if (r == -EMSGSIZE && sending->sizes[sent] <= sending->limit) {
        report(OTHERWISE, "not too large", sending->number, sent, 0);
    }
}

static void check_error(const struct sending *sending, int r) {
    note_refusal(r);
    if (!(sending->stream->is_loose ? is_expected_of_open(r) : is_expected(r))) {
        report(OTHERWISE, strerrorname_np(-r), sending->number, 0, 0);
    }
}

bool sending_note(struct sending *sending, uint32_t sent, int r) {
    struct stream *stream = sending->stream;
    stream->accepted += sent;
    ledger->sent += sent;
    if (r < 0) {
        check_error(sending, r);
    }
    bool is_same_life = sending->life == ledger->slots[sending->slot].life;
    /* By its name, another life of the slot may have got the message. */
    if (!stream->is_loose || is_same_life) {
        check_sizes(sending, sent, r);
        stream->about = stream->accepted;
    }
    return r != -EPIPE && is_same_life && !ledger->slots[sending->slot].is_closing;
}

void sending_note_closed(int r) {
    note_refusal(r);
    if (!is_expected_of_open(r)) {
        report(OTHERWISE, strerrorname_np(-r), 0, 0, 0);
    }
}

void sending_leave(struct sending *sending) {
    if (sending->stream) {
        sending->stream->end_birth = ledger->slots[sending->slot].births;
        sending->stream->is_ended = true;
    }
    ledger->writers[sending->writer].sending_to = NOBODY;
}
