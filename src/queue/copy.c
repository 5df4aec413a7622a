/* SPDX-License-Identifier: MIT */
/* Copying payload. */
#include "queue/copy.h"

/* The C library copies much with one instruction, which some processors execute up to
 * 25 times slower when the target lies this little behind the source, in whatever page.
 * The start of the ring and a large buffer from malloc lie so. It copies a piece in
 * another way. */
#define PAGE ((uintptr_t)4096)
#define NEAR ((uintptr_t)32)
#define PIECE MS_COPY_MUCH

void ms_copy_much(void *to, const void *from, size_t size) {
    uintptr_t distance = ((uintptr_t)to - (uintptr_t)from) % PAGE;
    char *target = to;
    const char *source = from;
    while (size > PIECE && distance > 0 && distance < NEAR) {
        size_t piece = PIECE;
        __asm__("" : "+r"(piece)); /* known, it would become that instruction here */
        memcpy(target, source, piece);
        target += piece;
        source += piece;
        size -= piece;
    }
    memcpy(target, source, size);
}
