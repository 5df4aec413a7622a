/* SPDX-License-Identifier: MIT */
/*
 * Steps: named places where a test lets a process die. Compiled in only for tests,
 * where ms_step_hook gets each name as the process passes it.
 */
#ifndef MS_QUEUE_STEP_H
#define MS_QUEUE_STEP_H

#ifdef MAILSLOT_STEPS
extern void (*ms_step_hook)(const char *name);
#define MS_STEP(name)           \
    do {                        \
        if (ms_step_hook) {     \
            ms_step_hook(name); \
        }                       \
    } while (0)
#else
#define MS_STEP(name) ((void)0)
#endif

#endif
