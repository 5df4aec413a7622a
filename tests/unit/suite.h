/* SPDX-License-Identifier: MIT */
/* The main program of a file of tests: one case, each test in a process of its own. */
#ifndef MS_TEST_SUITE_H
#define MS_TEST_SUITE_H

#include <check.h>
#include <stdlib.h>

/* As ck_assert, which notes every pass in a file: too slow for what holds a million
 * times. */
#define HOLDS(condition)                                               \
    do {                                                               \
        if (!(condition)) {                                            \
            ck_abort_msg("%s:%d: %s", __FILE__, __LINE__, #condition); \
        }                                                              \
    } while (0)

static inline TCase *suite_begin(Suite **ret_suite, const char *theme) {
    *ret_suite = suite_create(theme);
    TCase *cases = tcase_create(theme);
    tcase_set_timeout(cases, 120);
    suite_add_tcase(*ret_suite, cases);
    return cases;
}

/* A run without any test fails. */
static inline int suite_run(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_ENV);
    int run = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
