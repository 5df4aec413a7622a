/* SPDX-License-Identifier: MIT */
/* Chance and time. */
#ifndef SOAK_CHANCE_H
#define SOAK_CHANCE_H

#include <stdint.h>

extern uint64_t random_state;

/* 0 to limit - 1. */
uint32_t next_random(uint32_t limit);

int64_t now_ms(void);
void nap_ms(uint32_t time_ms);

#endif
