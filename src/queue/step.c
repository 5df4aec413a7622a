/* SPDX-License-Identifier: MIT */
/* The hook of the steps; empty without them. */
#include "queue/step.h"

#ifdef MAILSLOT_STEPS
ms_step_function *_Atomic ms_step_hook;
#else
typedef int ms_step_unused; /* ISO C wants something in a file */
#endif
