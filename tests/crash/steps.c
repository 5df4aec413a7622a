/* SPDX-License-Identifier: MIT */
/* Steps: the named places where a process can be killed or stopped. */
#include "steps.h"

#include "queue/step.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static struct {
    struct steps *steps;
    uint32_t index;
    const char *name;
    _Atomic uint32_t *word;
} plan;

static void note_or_die(const char *name) {
    uint32_t index = plan.steps->count;
    if (index == plan.index) {
        raise(SIGKILL);
    }
    if (index < STEPS_MAX) {
        plan.steps->names[index] = name;
        plan.steps->count = index + 1;
    }
}

void steps_begin(struct steps *steps, uint32_t index) {
    plan.steps = steps;
    plan.index = index;
    ms_step_hook = note_or_die;
}

void steps_mute(bool is_muted) {
    ms_step_hook = is_muted ? NULL : note_or_die;
}

static void stop(const char *name) {
    if (strcmp(name, plan.name) == 0) {
        ms_step_hook = NULL;
        raise(SIGSTOP);
    }
}

void steps_stop_at(const char *name) {
    plan.name = name;
    ms_step_hook = stop;
}

static void tell(const char *name) {
    if (strcmp(name, plan.name) == 0) {
        *plan.word = 1;
    }
}

void steps_signal_at(const char *name, _Atomic uint32_t *word) {
    plan.name = name;
    plan.word = word;
    ms_step_hook = tell;
}

void steps_end(void) {
    ms_step_hook = NULL;
}

uint32_t steps_passed(const struct steps *steps, const char *name) {
    uint32_t passed = 0;
    for (uint32_t i = 0; i < steps->count; i++) {
        passed += strcmp(steps->names[i], name) == 0;
    }
    return passed;
}
