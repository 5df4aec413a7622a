/* SPDX-License-Identifier: MIT */
/* What every process of a soak is, and the other user that some of the writers are. */
#ifndef SOAK_PROCESS_H
#define SOAK_PROCESS_H

#include <stdbool.h>

#define STRANGER 65534 /* user and group */

/* Only root can have strangers. */
bool can_be_stranger(void);

bool become_stranger(void);

/* This process ends with its parent, and signals interrupt its waits. */
void prepare_process(void);

#endif
