/* SPDX-License-Identifier: MIT */
/* Sleeping on a word of shared memory. */
#include "os/futex.h"

#include "os/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int ms_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns) {
    /* A timer costs half a microsecond, and a sleeper that has used the processor for
     * longer is woken later. */
    struct timespec deadline = {.tv_sec = deadline_ns / 1000000000,
                                .tv_nsec = deadline_ns % 1000000000};
    long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected,
                     deadline_ns == MS_NEVER ? NULL : &deadline, NULL,
                     FUTEX_BITSET_MATCH_ANY);
    if (r < 0 && (errno == ETIMEDOUT || errno == EINTR)) {
        return -errno;
    }
    return 0;
}

void ms_futex_wake(_Atomic uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}
