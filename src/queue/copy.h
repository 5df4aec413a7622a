/* SPDX-License-Identifier: MIT */
/* Copying payload. */
#ifndef MS_QUEUE_COPY_H
#define MS_QUEUE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Up to here a copy is made in place, piece by piece: a call costs more. */
#define MS_COPY_FEW ((size_t)128)
#define MS_COPY_PIECE ((size_t)16)

/* From here on it is worth a look how a copy is made. */
#define MS_COPY_MUCH ((size_t)1024)

void ms_copy_much(void *to, const void *from, size_t size);

/* At least one piece; the last may overlap the one before. */
static inline void ms_copy_few(char *to, const char *from, size_t size) {
    size_t last = size - MS_COPY_PIECE;
    for (size_t i = 0; i < last; i += MS_COPY_PIECE) {
        memcpy(to + i, from + i, MS_COPY_PIECE);
    }
    memcpy(to + last, from + last, MS_COPY_PIECE);
}

/* As memcpy. */
static inline void ms_copy(void *to, const void *from, size_t size) {
    if (size >= MS_COPY_PIECE && size <= MS_COPY_FEW) {
        ms_copy_few(to, from, size);
    } else if (size > MS_COPY_MUCH) {
        ms_copy_much(to, from, size);
    } else {
        memcpy(to, from, size);
    }
}

#endif
