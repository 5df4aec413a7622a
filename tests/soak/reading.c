/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include "chance.h"

/* All sizes of slots; the last is the default. */
static const uint32_t sizes[] = {4096, 256u << 10, 1u << 30};

/* Strangers may send in each of them. */
static const uint32_t modes[] = {0622, 0602, 0620};

void reading_begin(struct reading *reading, uint32_t slot) {
    struct slot_state *state = &ledger->slots[slot];
    *reading = (struct reading){.slot = slot, .life = ++ledger->next_life};
    ledger->endings[reading->life % LIVES] = ALIVE;
    state->max_bytes = sizes[next_random(3)];
    state->mode = is_open_to_others(slot) ? modes[next_random(3)] : 0600;
    state->births++;
    state->life = reading->life;
    state->is_closing = false; /* who died may have left it so */
}

void reading_check_sequence(const struct reading *reading, uint64_t sequence) {
    if (sequence != reading->count + 1) {
        report(sequence > reading->count ? LOST : DOUBLED, "by its sequence",
               reading->life, (uint32_t)sequence, (uint32_t)reading->count + 1);
    }
}

/* Empty messages do not tell which they are. Those that came are good for those that
 * the stream has next. */
static void spend_empties(struct reading *reading, struct stream *stream,
                          uint32_t end) {
    while (stream->read < end && reading->empties &&
           is_empty_message(stream, stream->read)) {
        stream->read++;
        reading->empties--;
    }
}

/* One message by name can come to the owner after the one that it was meant for: the
 * last of its stream. */
static void take_stray(const struct reading *reading, struct stream *stream,
                       const struct head *head) {
    if (!stream->is_loose || stream->life > reading->life || stream->strays ||
        head->index < stream->read || head->index + 1 != stream->about) {
        report(DOUBLED, "in another life", head->number, head->index, stream->read);
    }
    stream->strays = 1;
}

static void take_from(struct reading *reading, struct stream *stream,
                      const struct head *head) {
    uint32_t index = head->index;
    spend_empties(reading, stream, index);
    if (index >= stream->about) {
        report(DAMAGED, "never sent", head->number, index, stream->about);
    } else if (index > stream->read) {
        stream->gap = stream->read;
        stream->gap_end = index;
        report(LOST, "missing", head->number, index, stream->read);
    } else if (index < stream->read) {
        bool is_late = index >= stream->gap && index < stream->gap_end;
        report(is_late ? OUT_OF_ORDER : DOUBLED, "again or late", head->number, index,
               stream->read);
        return;
    }
    stream->read = index + 1;
}

void reading_take(struct reading *reading, const void *bytes, size_t size) {
    struct head head;
    ledger->read++;
    if (size == 0) {
        reading->empties++;
        return;
    }
    if (!parse(bytes, size, &head)) {
        report(DAMAGED, "other bytes", 0, 0, (uint32_t)size);
        return;
    }
    struct stream *stream = stream_of(head.number);
    if (stream->number != head.number) {
        report(DOUBLED, "of a stream that is over", head.number, head.index, 0);
    } else if (stream->slot != reading->slot) {
        report(DAMAGED, "in another slot", head.number, head.index, 0);
    } else if (stream->life != reading->life) {
        take_stray(reading, stream, &head);
    } else {
        take_from(reading, stream, &head);
    }
}

void reading_prepare_end(const struct reading *reading) {
    ledger->slots[reading->slot].is_closing = true;
}

bool is_sent_to(uint32_t slot) {
    for (uint32_t i = 0; i < WRITERS; i++) {
        if (ledger->writers[i].sending_to == (int)slot) {
            return true;
        }
    }
    return false;
}

/* What was accepted has to be there; what only may have been sent, may be. */
static void spend_rest(struct reading *reading, bool is_accepted) {
    for (uint32_t i = 0; i < STREAMS; i++) {
        struct stream *stream = &ledger->streams[i];
        if (!stream->number || stream->life != reading->life) {
            continue;
        }
        spend_empties(reading, stream, is_accepted ? stream->accepted : stream->about);
        if (is_accepted && stream->read < stream->accepted) {
            report(LOST, "at the end", stream->number, stream->read, stream->accepted);
            stream->is_missed = true;
        }
    }
}

void reading_end(struct reading *reading, enum ending ending) {
    if (ending == ENDED_IN_ORDER) {
        spend_rest(reading, true);
        spend_rest(reading, false);
        if (reading->empties) {
            report(DOUBLED, "empty messages", 0, (uint32_t)reading->empties, 0);
        }
    }
    ledger->endings[reading->life % LIVES] = (uint8_t)ending;
}
