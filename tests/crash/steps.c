/* SPDX-License-Identifier: MIT */
/* Steps: the named places where a process can be killed or stopped. */
#include "steps.h"

#include "calls.h"
#include "queue/step.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static struct {
    struct steps *steps;
    uint32_t index;
    const char *name;
    _Atomic uint32_t *word;
    _Atomic uint32_t before; /* steps of that name until the fault */
    int error;
    void (*hook)(const char *name);
} plan;

static void note_or_die(const char *name) {
    uint32_t index = plan.steps->count++;
    if (index == plan.index) {
        raise(SIGKILL);
    }
    if (index < STEPS_MAX) {
        plan.steps->names[index] = name;
    }
}

static void note_or_fail(const char *name) {
    note_or_die(name);
    if (strcmp(name, plan.name) == 0 && plan.before-- == 0) {
        if (plan.error == 0) {
            raise(SIGKILL);
        }
        plan.steps->has_failed = true;
        call_fail(plan.error);
    }
}

static void set_hook(void (*hook)(const char *name)) {
    plan.hook = hook;
    ms_step_hook = hook;
}

void steps_begin(struct steps *steps, uint32_t index) {
    plan.steps = steps;
    plan.index = index;
    set_hook(note_or_die);
}

void steps_fault(struct steps *steps, const char *name, uint32_t before, int error) {
    plan.steps = steps;
    plan.index = STEPS_ALL;
    plan.name = name;
    plan.before = before;
    plan.error = error;
    set_hook(note_or_fail);
}

void steps_mute(bool is_muted) {
    ms_step_hook = is_muted ? NULL : plan.hook;
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

bool steps_fell_short(const struct steps *steps, uint32_t index, uint32_t count) {
    return steps->count <= index && count - index < 8;
}

uint32_t steps_passed(const struct steps *steps, const char *name) {
    uint32_t passed = 0;
    for (uint32_t i = 0; i < steps->count && i < STEPS_MAX; i++) {
        const char *each = steps->names[i];
        passed +=
            each && strcmp(each, name) == 0; /* another one may be about to note it */
    }
    return passed;
}
