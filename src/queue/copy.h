/* SPDX-License-Identifier: MIT */
/* Copying payload. */
#ifndef MS_QUEUE_COPY_H
#define MS_QUEUE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* From here on it is worth a look how a copy is made. */
#define MS_COPY_MUCH ((size_t)1024)

void ms_copy_much(void *to, const void *from, size_t size);

/* As memcpy. */
static inline void ms_copy(void *to, const void *from, size_t size) {
    if (size > MS_COPY_MUCH) {
        ms_copy_much(to, from, size);
    } else {
        memcpy(to, from, size);
    }
}

#endif
