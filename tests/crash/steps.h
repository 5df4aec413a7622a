/* SPDX-License-Identifier: MIT */
/*
 * Steps: the named places in the library where a process can be killed or stopped:
 * those of queue/step.h, and before each call of the system (calls.h). A run is
 * recorded first; then it is repeated once for each step that it passed, and killed
 * there. So a step that is added to the library is covered.
 */
#ifndef MAILSLOT_CRASH_STEPS_H
#define MAILSLOT_CRASH_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#define STEPS_MAX 2048
#define STEPS_ALL UINT32_MAX /* of an index: nobody dies */

/* What a process has passed: in memory shared with the test. */
struct steps {
    _Atomic uint32_t count;
    _Atomic bool has_failed; /* a call, as steps_fault has it */
    const char
        *_Atomic names[STEPS_MAX]; /* constants: the same in every forked process */
};

/* From now on this process notes its steps there, and is killed at that index. */
void steps_begin(struct steps *steps, uint32_t index);

/* From now on this process notes its steps there. Of those of that name, when there
 * were so many before, it is killed at the next one; or, with an error, this call
 * fails. */
void steps_fault(struct steps *steps, const char *name, uint32_t before, int error);

/* This process passes steps that do not count, until they do again. */
void steps_mute(bool is_muted);

/* This process stops itself the first time that it comes to that step. */
void steps_stop_at(const char *name);

/* This process sets the word to 1 when it comes to that step. */
void steps_signal_at(const char *name, _Atomic uint32_t *word);

/* No hook any more. */
void steps_end(void);

/* Whether a run that was to be killed at that index, of count, ended just before it:
 * the clock decides whether a side that waits has to sleep, and whether an idle slot
 * gives memory back, so one run can have a few steps less than another. */
bool steps_fell_short(const struct steps *steps, uint32_t index, uint32_t count);

/* How often a step was passed. */
uint32_t steps_passed(const struct steps *steps, const char *name);

#endif
