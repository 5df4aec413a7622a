/* SPDX-License-Identifier: MIT */
/* What a fuzz target makes of its input, and other users in one thread of it. */
#ifndef MAILSLOT_FUZZ_INPUT_H
#define MAILSLOT_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_SKIPPED 77

struct input {
    const uint8_t *data;
    size_t size;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool condition) {
    if (!condition) {
        abort();
    }
}

/* The next bytes of the input as a number, zeros after its end. */
static inline uint32_t take(struct input *input, size_t size) {
    uint32_t value = 0;
    size_t n = size < input->size ? size : input->size;
    if (n) {
        memcpy(&value, input->data, n);
    }
    input->data += n;
    input->size -= n;
    return value;
}

/* Only root can be other users. */
static inline void need_root(void) {
    if (geteuid() != 0) {
        printf("skipped: only root can become other users\n");
        fflush(stdout);
        _exit(EXIT_SKIPPED);
    }
}

/* This thread alone becomes another user, which the C library's call does not offer;
 * 0: root again. */
static inline void become(uid_t user) {
    must(syscall(SYS_setresuid, -1, user, -1) == 0);
}

/* A descriptor that was not given back raises the next one's number. */
static inline int next_descriptor(void) {
    int fd = dup(STDERR_FILENO);
    must(fd >= 0);
    close(fd);
    return fd;
}

#endif
