/* SPDX-License-Identifier: MIT */
/* Notes: messages that say whose they are, which, and whether a byte is wrong. */
#include "note.h"

#include <string.h>

/* Word number i after the head of a note. */
static uint64_t expected_word(const struct note *note, size_t i) {
    uint64_t seed = (uint64_t)note->writer << 32 | note->index;
    return (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + i * UINT64_C(0xd1342543de82ef95);
}

void note_write(void *buffer, uint32_t writer, uint32_t index, uint32_t size) {
    struct note note = {.writer = writer, .index = index, .size = size};
    memcpy(buffer, &note, sizeof note);
    uint64_t *words = (uint64_t *)((char *)buffer + sizeof note);
    size_t count = (size - sizeof note) / 8;
    for (size_t i = 0; i < count; i++) {
        words[i] = expected_word(&note, i);
    }
    uint64_t last = expected_word(&note, count);
    memcpy(words + count, &last, (size - sizeof note) % 8);
}

bool note_read(const void *data, size_t size, struct note *ret_note) {
    if (size < sizeof *ret_note) {
        return false;
    }
    memcpy(ret_note, data, sizeof *ret_note);
    if (ret_note->size != size) {
        return false;
    }
    const uint64_t *words = (const uint64_t *)((const char *)data + sizeof *ret_note);
    size_t count = (size - sizeof *ret_note) / 8;
    uint64_t difference = 0;
    for (size_t i = 0; i < count; i++) {
        difference |= words[i] ^ expected_word(ret_note, i);
    }
    uint64_t last = expected_word(ret_note, count);
    return difference == 0 &&
           memcmp(words + count, &last, (size - sizeof *ret_note) % 8) == 0;
}
