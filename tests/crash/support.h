/* SPDX-License-Identifier: MIT */
/*
 * What the crash tests need: other processes that die where they are told to, a
 * directory of its own for the slots of each test, and messages that show damage.
 *
 * Each test runs in a process of its own. After it nothing may be left: no descriptor,
 * no mapped file, no file in its directory, no child.
 */
#ifndef MAILSLOT_CRASH_SUPPORT_H
#define MAILSLOT_CRASH_SUPPORT_H

#include "mailslot.h"
#include "queue/layout.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How long anything may take that has no shorter limit of its own. */
#define DEADLINE_MS 30000

/* At once: sooner than the second for which a call waits for another's lock. */
#define AT_ONCE_MS 900

/* What ctest takes for a skipped test. */
#define EXIT_SKIPPED 77

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The suite of a program: begin it, add tests to the case, and let main return what
 * suite_run returns. A run without any test fails. */
TCase *suite_begin(const char *theme);
int suite_run(void);

/* Whether MAILSLOT_TEST_LONG asks for a long run: then many, else few. */
uint32_t few_or_many(uint32_t few, uint32_t many);

/* As ck_assert, which notes every pass in a file that a test and its children share:
 * for what holds a million times, and for what a child calls, which may be killed. */
#define HOLDS(condition)                                               \
    do {                                                               \
        if (!(condition)) {                                            \
            ck_abort_msg("%s:%d: %s", __FILE__, __LINE__, #condition); \
        }                                                              \
    } while (0)

/* In a child: what must hold there. */
#define REQUIRE(condition)                                  \
    do {                                                    \
        if (!(condition)) {                                 \
            require_failed(__FILE__, __LINE__, #condition); \
        }                                                   \
    } while (0)
void require_failed(const char *file, int line, const char *condition)
    __attribute__((noreturn));

/* Children. child_start runs `run` in a forked process and ends it when it returns; it
 * is killed when the test ends. */
typedef void child_main(void *context);
pid_t child_start(child_main *run, void *context);
int child_await(pid_t pid);       /* its end, as a wait status */
void child_finish(pid_t pid);     /* it must end by itself, with all REQUIREs met */
void child_kill(pid_t pid);       /* as by kill -9 */
void child_await_stop(pid_t pid); /* until it is stopped */
bool child_has_ended(pid_t pid);  /* without waiting; child_await is still due */

/* Memory shared with children, zeroed; gone with the test. */
void *share(size_t size);

/* Poll until the word has that value. In a child: REQUIRE(await...). */
bool await_value(const _Atomic uint32_t *word, uint32_t value);

int64_t now_ms(void);
void nap_us(unsigned time_us);
uint32_t next_random(uint64_t *state);

/* The directory of this test's slots. */
const char *registry_directory(void);
int registry_files(void);
void registry_path(const char *name, char ret_path[256]);
int64_t registry_memory(const char *name); /* bytes of memory that its file uses */
int count_descriptors(void);

/* Wait until all other threads of this process sleep: a child that is forked while one
 * of them starts may inherit a lock of a sanitizer that nobody frees. */
void await_idle_threads(void);
bool has_mapped_files(void); /* of this program's directory */

/* The header of the slot of that name, mapped by hand; to be unmapped. */
struct ms_header *map_header(const char *name);

/* A dead slot of that name, as a killed owner leaves it, with a message unread. */
void leave_dead_slot(const char *name);

/* A slot of at least that many bytes, which must be there at once. */
mailslot *create_at_once(const char *name, uint64_t max_bytes);

mailslot_writer *open_writer(const char *name);
mailslot_info get_info(mailslot *slot);

#endif
