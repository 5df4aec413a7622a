/* SPDX-License-Identifier: MIT */
/* The hook of the steps; empty without them. */
#include "queue/step.h"

#ifdef MAILSLOT_STEPS
void (*ms_step_hook)(const char *name);
#else
typedef int ms_step_unused; /* ISO C wants something in a file */
#endif
