/* SPDX-License-Identifier: MIT */
/* Lines in the log about what goes on and on: each is said once in ten minutes. */
#ifndef MS_GATEWAY_NATS_NOTES_H
#define MS_GATEWAY_NATS_NOTES_H

#include <stdint.h>

#define MS_NATS_NOTES_COUNT 16
#define MS_NATS_NOTE_SIZE 512

/* All zeros is empty. */
struct ms_nats_notes {
    struct {
        char text[MS_NATS_NOTE_SIZE];
        int64_t said_ns;
    } notes[MS_NATS_NOTES_COUNT];
};

void ms_nats_say(struct ms_nats_notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* All is well again: whatever comes is news. */
void ms_nats_forget(struct ms_nats_notes *notes);

#endif
