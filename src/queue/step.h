/* SPDX-License-Identifier: MIT */
/*
 * Steps: named places where a test lets a process die. Compiled in only for tests,
 * where ms_step_hook gets each name as the process passes it.
 */
#ifndef MS_QUEUE_STEP_H
#define MS_QUEUE_STEP_H

#ifdef MAILSLOT_STEPS
#include <stdatomic.h>

typedef void ms_step_function(const char *name);
extern ms_step_function *_Atomic ms_step_hook;

static inline void ms_step(const char *name) {
    ms_step_function *hook = atomic_load(&ms_step_hook);
    if (hook) {
        hook(name);
    }
}
#define MS_STEP(name) ms_step(name)
#else
#define MS_STEP(name) ((void)0)
#endif

#endif
