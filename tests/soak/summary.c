/* SPDX-License-Identifier: MIT */
#include "summary.h"

#include "cast.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NUMBER(x) ((unsigned long long)(x))

static struct {
    uint64_t streams;
    uint64_t accepted;
    uint64_t untold; /* sent by writers that were killed before they were told */
    uint64_t read;
    uint64_t died;
} totals;

static const char *const role_names[ROLES] = {"owners",     "Lua owners",
                                              "writers",    "Lua writers",
                                              "other user", "other user in Lua"};

/* A writer that was killed has ended nothing itself. */
static bool has_ended(struct stream *stream) {
    if (!stream->is_ended &&
        ledger->writers[stream->writer].life != stream->writer_life) {
        stream->end_birth = ledger->slots[stream->slot].births;
        stream->is_ended = true;
    }
    return stream->is_ended;
}

/* What was accepted has been read or has died with the slot; the owner that left in
 * order has looked already, and is only looked after here. */
static void settle(struct stream *stream) {
    uint64_t read = stream->read + stream->strays;
    totals.streams++;
    totals.accepted += stream->accepted;
    totals.read += read;
    if (read > stream->accepted) {
        totals.untold += read - stream->accepted;
    } else if (ledger->endings[stream->life % LIVES] == DIED) {
        totals.died += stream->accepted - read;
    } else if (read < stream->accepted && !stream->is_missed) {
        report(LOST, "in the end", stream->number, (uint32_t)read, stream->accepted);
    }
    stream->number = 0;
}

/* Not before two more lives of the slot: by then nobody reads of it any more. */
void summary_settle(bool is_end) {
    for (uint32_t i = 0; i < STREAMS; i++) {
        struct stream *stream = &ledger->streams[i];
        if (stream->number &&
            (is_end || (has_ended(stream) &&
                        ledger->slots[stream->slot].births >= stream->end_birth + 2))) {
            settle(stream);
        }
    }
}

static uint64_t sum(const uint64_t *numbers, uint32_t count) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += numbers[i];
    }
    return total;
}

void summary_show_progress(int64_t time_ms) {
    bool is_terminal = isatty(STDOUT_FILENO);
    printf("%s%llu s: %llu sent, %llu read, %llu kills, %llu stops, %llu lost, %llu "
           "doubled, %llu damaged%s",
           is_terminal ? "\r" : "", NUMBER(time_ms / 1000), NUMBER(ledger->sent),
           NUMBER(ledger->read), NUMBER(sum(deeds.kills, ROLES)),
           NUMBER(sum(deeds.stops, ROLES)), NUMBER(ledger->wrong[LOST]),
           NUMBER(ledger->wrong[DOUBLED]), NUMBER(ledger->wrong[DAMAGED]),
           is_terminal ? "" : "\n");
    fflush(stdout);
}

static void print_roles(const char *what, const uint64_t numbers[ROLES]) {
    printf("%-10s%llu", what, NUMBER(sum(numbers, ROLES)));
    for (uint32_t i = 0; i < ROLES; i++) {
        printf("%s%s %llu", i ? ", " : ": ", role_names[i], NUMBER(numbers[i]));
    }
    printf("\n");
}

static void print_refusals(void) {
    printf("%-10s", "refusals");
    bool is_first = true;
    for (int i = 0; i < ERRORS; i++) {
        if (ledger->refusals[i]) {
            printf("%s%s %llu", is_first ? "" : ", ", i ? strerrorname_np(i) : "?",
                   NUMBER(ledger->refusals[i]));
            is_first = false;
        }
    }
    printf("\n");
}

bool summary_print(int64_t time_ms, const char *seed, int files) {
    bool is_well = !is_anything_wrong() && files == 0 && totals.read > 0;
    printf("%s%-10s%s; %llu s; %llu lives of %d slots; %llu streams of %d writers\n",
           isatty(STDOUT_FILENO) ? "\n" : "", "seed", seed, NUMBER(time_ms / 1000),
           NUMBER(ledger->next_life), SLOTS, NUMBER(totals.streams), WRITERS);
    printf("%-10s%llu accepted + %llu of writers killed before they were told = %llu "
           "read + %llu died with their slot\n",
           "messages", NUMBER(totals.accepted), NUMBER(totals.untold),
           NUMBER(totals.read), NUMBER(totals.died));
    print_roles("kills", deeds.kills);
    print_roles("stops", deeds.stops);
    printf("%-10s%llu\n", "signals", NUMBER(deeds.signals));
    print_refusals();
    printf("%-10s%llu lost, %llu doubled, %llu out of order, %llu damaged, %llu "
           "otherwise, %d files left\n",
           "wrong", NUMBER(ledger->wrong[LOST]), NUMBER(ledger->wrong[DOUBLED]),
           NUMBER(ledger->wrong[OUT_OF_ORDER]), NUMBER(ledger->wrong[DAMAGED]),
           NUMBER(ledger->wrong[OTHERWISE]), files);
    printf("soak: %s\n", is_well ? "no message was lost" : "FAILED");
    return is_well;
}
