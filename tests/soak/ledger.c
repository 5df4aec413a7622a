/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct ledger *ledger;

bool ledger_attach(int fd) {
    void *memory =
        mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    ledger = memory;
    return true;
}

int ledger_create(void) {
    int fd = memfd_create("soak", 0);
    if (fd < 0 || ftruncate(fd, sizeof *ledger) < 0 || !ledger_attach(fd)) {
        return -1;
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        ledger->writers[i].sending_to = NOBODY;
    }
    return fd;
}

const char *slot_name(uint32_t slot) {
    static const char *const names[SLOTS] = {"soak\\one", "soak\\two", "soak\\others",
                                             "soak\\lua", "soak\\lua\\others"};
    return names[slot];
}

bool is_open_to_others(uint32_t slot) {
    return slot == 2 || slot == 4;
}

struct stream *stream_of(uint64_t number) {
    return &ledger->streams[number % STREAMS];
}

void report(enum wrong kind, const char *what, uint64_t number, uint32_t index,
            uint32_t next) {
    static const char *const kinds[WRONGS] = {"lost", "doubled", "out of order",
                                              "damaged", "wrong"};
    ledger->wrong[kind]++;
    const struct stream *stream = stream_of(number);
    char sender[96] = "";
    if (number && stream->number == number) {
        snprintf(sender, sizeof sender, " of writer %u%s to slot %u (%u bytes, %04o)",
                 stream->writer, stream->is_loose ? " by name" : "", stream->slot,
                 ledger->slots[stream->slot].max_bytes,
                 ledger->slots[stream->slot].mode);
    }
    fprintf(stderr, "\nsoak: %s: %s: %llu%s, message %u, expected %u\n", kinds[kind],
            what, (unsigned long long)number, sender, index, next);
}

bool is_anything_wrong(void) {
    for (uint32_t i = 0; i < WRONGS; i++) {
        if (ledger->wrong[i]) {
            return true;
        }
    }
    return false;
}

void note_refusal(int r) {
    ledger->refusals[r < 0 && -r < ERRORS ? -r : 0]++;
}
