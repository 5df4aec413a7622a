/* SPDX-License-Identifier: MIT */
/*
 * What the conformance tests need besides mailslot.h and ISO C: a place of its own for
 * the slots of each test, other processes, threads, signals, limits. The tests know the
 * system through this file alone, so another backend brings its own support.c.
 *
 * Each test runs in a process of its own. After it nothing may be left: no
 * descriptor, no mapped file, no file in its registry, no child.
 */
#ifndef MAILSLOT_SUPPORT_H
#define MAILSLOT_SUPPORT_H

#include "mailslot.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long anything may take that has no shorter limit of its own. */
#define DEADLINE_MS 30000

/* The suite of a program: begin it, add tests to the case, and let main return what
 * suite_run returns. A run without any test fails. */
TCase *suite_begin(const char *theme);
int suite_run(void);

/* Say why a test did not run here; the test then returns. */
void skip(const char *reason);

/*
 * Children: other processes. child_start runs `run` in a new process and ends it when
 * `run` returns. Parent and child tell each other numbers, in order. Handles
 * of the parent do not work in a child: it opens its own.
 */
struct child {
    int64_t id;
    int socket;
};
typedef void child_main(const char *argument);

struct child child_start(child_main *run, const char *argument);
void child_tell(const struct child *child, int64_t value);
int64_t child_hear(const struct child *child);
void child_hear_end(const struct child *child); /* it ended or became another program */
void child_await_sleep(const struct child *child);
void child_stop(const struct child *child);
void child_continue(const struct child *child);
void child_finish(struct child *child); /* `run` must return, with all REQUIREs met */
void child_kill(struct child *child);   /* as by kill -9 */

/* In a child. */
void parent_tell(int64_t value);
int64_t parent_hear(void);
bool parent_has_spoken(void); /* so parent_hear need not wait */
void crash(void);
void become_another_program(void);
bool become_another_user(void);  /* false: not allowed to */
bool become_another_group(void); /* the user stays; false: not allowed to */
#define SUPPORT_OTHER_USER 65534
void require_failed(const char *text, int64_t value);

/* In a child: what must hold there. */
#define REQUIRE(expected, call)                   \
    do {                                          \
        int64_t require_value = (call);           \
        if (require_value != (expected)) {        \
            require_failed(#call, require_value); \
        }                                         \
    } while (0)

/* Run `run` in a forked copy of this process; returns what it returned, 0 to 100. */
int fork_and_call(int (*run)(void *), void *context);

/* In a child: leave behind a copy of it, or a program that it executes, which lives on
 * until the test ends it by its id. */
int64_t leave_copy(void);
int64_t leave_program(void);
void end_left(int64_t id);

/* Threads. What they find out is for the test to check after thread_join. */
struct thread {
    void *state;
};
struct thread thread_start(void (*run)(void *), void *context);
void thread_join(struct thread *thread);

/* The thread that calls sleeper_here, and its sleep, as another thread sees it.
 * sleeper_await: false when it did not sleep within the deadline. */
struct sleeper {
    int64_t id;
};
struct sleeper sleeper_here(void);
bool sleeper_await(const struct sleeper *sleeper);

/* One signal, with a handler that counts and then calls `function` (may be NULL).
 * has_restart: the system may go on with what the signal interrupted. */
void signal_handle(bool has_restart, void (*function)(void));
void signal_ignore(void);
int signal_count(void);
void sleeper_signal(const struct sleeper *sleeper);

/* Time, apart from the library's own clock. */
int64_t clock_ms(void);         /* does not jump */
int64_t calendar_ns(void);      /* since 1970 */
void pause_ms(int64_t time_ms); /* for tests whose subject is a delay, never a wait */

/* Descriptors to wait on: whether it is readable, by two ways of asking that must
 * agree; and whether it becomes so in that time. */
bool descriptor_is_readable(int fd);
bool descriptor_await(int fd, int timeout_ms);
bool descriptor_blocks(int fd);
bool descriptor_is_open(int fd);
bool descriptor_is_inherited(int fd); /* by a program that is executed */
bool thread_blocks_signals(void);     /* every thread but this one */
int thread_count(void);

/* This process and machine. */
uint32_t own_pid(void);
uint32_t own_uid(void);
uint32_t own_gid(void);
int64_t own_memory(void); /* bytes of address space */
void own_host_name(char *ret_name, size_t capacity);

/* The registry of this test. */
int registry_files(void);       /* files there now */
int64_t registry_memory(void);  /* bytes of memory they use */
int registry_descriptors(void); /* descriptors of this process that lead there */
int registry_descriptors_executed(void); /* the same in a program it executes */
void registry_hide(void);                /* as if the directory were missing */
void registry_show(void);
void registry_name(bool is_absolute); /* by a path from / on, or from here on */
void registry_let_others(bool write); /* look into it, and create files there */

/* What may be in a slot's place; the link is to the place of the slot `real`. */
enum plant { PLANT_TEXT, PLANT_FOLDER, PLANT_LINK, PLANT_PIPE, PLANT_FOREIGN };
bool registry_plant(const char *name, enum plant kind); /* where that slot would be */
void registry_unplant(const char *name);
bool registry_shrink(size_t bytes); /* a small file system; false: not allowed to */

/* Limits of this process, until limits_lift. False: cannot be limited here. */
bool limit_descriptors(int more); /* at most so many more than are open now */
bool limit_memory(size_t more);
bool limit_file_size(uint64_t size);
void limits_lift(void);
bool raise_descriptors(int count); /* whether that many can be open */

#endif
