/* SPDX-License-Identifier: MIT */
/* Notes: messages that say whose they are, which, and whether a byte is wrong. */
#ifndef MAILSLOT_CRASH_NOTE_H
#define MAILSLOT_CRASH_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct note {
    uint32_t writer;
    uint32_t index; /* 0 for the writer's first */
    uint32_t size;  /* of the whole message */
    uint32_t unused;
};

#define NOTE_SIZE_MIN sizeof(struct note)

/* Fill buffer, whose capacity is a multiple of 8, with a note of that size. */
void note_write(void *buffer, uint32_t writer, uint32_t index, uint32_t size);

/* Whether a message is a note, whole and unchanged. */
bool note_read(const void *data, size_t size, struct note *ret_note);

#endif
