/* SPDX-License-Identifier: MIT */
#include "chance.h"

#include <time.h>

uint64_t random_state;

uint32_t next_random(uint32_t limit) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void nap_ms(uint32_t time_ms) {
    struct timespec time = {.tv_sec = time_ms / 1000,
                            .tv_nsec = (long)(time_ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}
