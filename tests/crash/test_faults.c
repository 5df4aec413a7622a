/* SPDX-License-Identifier: MIT */
/*
 * Every step of the library, and every call of the system that it makes, is one where
 * a process is killed, and each call fails with each error that it can give (faults.h).
 * The list of all of them is made from the library itself (points).
 */
#include "calls.h"
#include "faults.h"
#include "users.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Sanitizers slow everything down: there, each pass of a call fails with one error,
 * each with another. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SLOW true
#else
#define IS_SLOW false
#endif

#define CALL(name) #name,
#define STEP(name)
static const char *const call_points[] = {
#include "points.h"
};
#undef CALL
#undef STEP
#define CALL(name)
#define STEP(name) name,
static const char *const step_points[] = {
#include "points.h"
};

#define CALLS_MAX 96

/* What the victim meets. */
struct plan {
    const struct fault_scenario *scenario;
    const char *step; /* its name; NULL: nothing happens */
    uint32_t pass;    /* how often it was passed before */
    int error;        /* of this call; 0: the victim is killed */
    int descriptors;
};

/* What has been covered, by all tests: shared between them. */
struct coverage {
    _Atomic bool is_killed[COUNT(step_points)];
    _Atomic bool is_call_killed[CALLS_MAX];
    _Atomic bool has_failed[CALLS_MAX][CALL_ERRORS_MAX];
    _Atomic bool has_others;
};

/* Shared, too: the run that there is, or that failed last. */
static struct coverage *coverage;
static struct plan *plan;

struct fault_board *fault_board;

void fault_begin(void) {
    plan->descriptors = count_descriptors();
    if (plan->step) {
        steps_fault(&fault_board->steps, plan->step, plan->pass, plan->error);
    } else {
        steps_begin(&fault_board->steps, STEPS_ALL);
    }
}

void fault_end(void) {
    steps_end();
    REQUIRE(count_descriptors() == plan->descriptors);
    REQUIRE(!has_mapped_files());
}

static void run_victim(void *context) {
    (void)context;
    plan->scenario->act();
}

/* Says which run it was in which a test failed. */
static void tell_plan(void) {
    if (plan->scenario) {
        fprintf(stderr, "in \"%s\": %s, number %u, %s\n", plan->scenario->name,
                plan->step ? plan->step : "no fault", plan->pass,
                plan->error ? strerrorname_np(plan->error) : "killed");
        plan->scenario = NULL;
    }
}

/* Whether the victim was killed. */
static bool run(void) {
    memset(fault_board, 0, sizeof *fault_board);
    plan->scenario->before();
    pid_t victim = child_start(run_victim, NULL);
    if (plan->scenario->serve) {
        plan->scenario->serve(victim);
    }
    int status = child_await(victim);
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    HOLDS(is_killed || status == 0);
    plan->scenario->after(!is_killed);
    return is_killed;
}

static void note_kill(void) {
    const struct call *call = call_find(plan->step);
    if (call) {
        coverage->is_call_killed[call - calls] = true;
    }
    for (size_t i = 0; i < COUNT(step_points) && !call; i++) {
        coverage->is_killed[i] =
            coverage->is_killed[i] || strcmp(step_points[i], plan->step) == 0;
    }
}

static bool is_spared(const struct call *call, int error) {
    const char *spared = plan->scenario->spared;
    return spared && error == EIO && strcmp(spared, call->name) == 0;
}

/* There may be fewer passes than when the steps were noted. */
static void kill_at(const char *step, uint32_t pass) {
    plan->step = step;
    plan->pass = pass;
    plan->error = 0;
    if (run()) {
        note_kill();
    }
}

/* Every error of one pass of a call. */
static void fail_at(const struct call *call, uint32_t pass) {
    size_t count = 0;
    while (count < CALL_ERRORS_MAX && call->errors[count]) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        plan->step = call->name;
        plan->pass = pass;
        plan->error = call->errors[i];
        if (is_spared(call, plan->error) || (IS_SLOW && i != pass % count)) {
            continue;
        }
        HOLDS(!run());
        if (fault_board->steps.has_failed) {
            coverage->has_failed[call - calls][i] = true;
        }
    }
}

/* Each step is told by its name, because the threads of a process may change places. */
static void run_everywhere(const struct steps *passed) {
    for (uint32_t i = 0; i < passed->count; i++) {
        const char *step = passed->names[i];
        uint32_t pass = 0;
        for (uint32_t j = 0; j < i; j++) {
            pass += strcmp(passed->names[j], step) == 0;
        }
        kill_at(step, pass);
        const struct call *call = call_find(step);
        if (call) {
            fail_at(call, pass);
        }
    }
}

static void run_scenario(const struct fault_scenario *scenario) {
    static struct steps passed;
    tell_plan();
    fault_board = share(sizeof *fault_board);
    *plan = (struct plan){.scenario = scenario};
    HOLDS(!run());
    memcpy(&passed, &fault_board->steps, sizeof passed);
    HOLDS(passed.count > 0 && passed.count < STEPS_MAX);
    run_everywhere(&passed);
    plan->scenario = NULL;
}

START_TEST(a_writer_may_die_or_fail_anywhere) {
    run_scenario(&writer_faults[_i]);
}
END_TEST

START_TEST(an_owner_may_die_or_fail_anywhere) {
    run_scenario(&owner_faults[_i]);
}
END_TEST

START_TEST(a_letter_may_meet_death_or_failure_anywhere) {
    if (can_become_others()) {
        run_scenario(&letter_faults[_i]);
        coverage->has_others = true;
    }
}
END_TEST

/* A call that the library makes now, too, is one that fails here; and the other way
 * round. Those that have no function are told apart in calls.c, which refuses others.
 */
START_TEST(every_call_of_the_library_can_fail_here) {
    for (size_t i = 0; i < COUNT(call_points); i++) {
        const char *name = call_points[i];
        bool has_names = strcmp(name, "syscall") == 0 || strcmp(name, "fcntl") == 0;
        ck_assert_msg(has_names || call_find(name), "%s", name);
    }
    ck_assert_uint_le(call_count, CALLS_MAX);
}
END_TEST

/* After all others: each step was one to die at, each error one to meet. */
START_TEST(nothing_is_left_out) {
    if (!coverage->has_others) {
        return;
    }
    int missing = 0;
    for (size_t i = 0; i < COUNT(step_points); i++) {
        if (!coverage->is_killed[i]) {
            fprintf(stderr, "nobody died at %s\n", step_points[i]);
            missing++;
        }
    }
    for (size_t i = 0; i < call_count; i++) {
        if (!coverage->is_call_killed[i]) {
            fprintf(stderr, "nobody died before %s\n", calls[i].name);
            missing++;
        }
        bool any = false;
        for (size_t j = 0; j < CALL_ERRORS_MAX && calls[i].errors[j]; j++) {
            bool has_failed = coverage->has_failed[i][j];
            any = any || has_failed;
            if (!IS_SLOW && !has_failed) {
                fprintf(stderr, "%s never failed with %s\n", calls[i].name,
                        strerrorname_np(calls[i].errors[j]));
                missing++;
            }
        }
        missing += calls[i].errors[0] && !any;
    }
    ck_assert_int_eq(missing, 0);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("faults");
    void *memory = mmap(NULL, sizeof *coverage + sizeof *plan, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return EXIT_FAILURE;
    }
    plan = memory;
    coverage = (struct coverage *)(plan + 1);
    tcase_add_test(cases, every_call_of_the_library_can_fail_here);
    tcase_add_loop_test(cases, a_writer_may_die_or_fail_anywhere, 0,
                        (int)writer_fault_count);
    tcase_add_loop_test(cases, an_owner_may_die_or_fail_anywhere, 0,
                        (int)owner_fault_count);
    tcase_add_loop_test(cases, a_letter_may_meet_death_or_failure_anywhere, 0,
                        (int)letter_fault_count);
    tcase_add_test(cases, nothing_is_left_out);
    int r = suite_run();
    tell_plan();
    return r;
}
