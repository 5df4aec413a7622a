/* SPDX-License-Identifier: MIT */
/*
 * Barriers for others. Two sides that each store one word and then load the other's
 * need a full barrier between the two. When one of them does so all the time and the
 * other hardly ever, the rare one can have the barrier done for both.
 */
#ifndef MS_OS_BARRIER_H
#define MS_OS_BARRIER_H

#include <stdbool.h>

/* This process lets others do its barriers. False: it cannot, and needs its own. */
bool ms_barrier_leave_to_others(void);

/* A full barrier here and in every process that has left it to others. */
void ms_barrier_for_all(void);

#endif
