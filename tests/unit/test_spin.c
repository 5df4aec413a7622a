/* SPDX-License-Identifier: MIT */
/* Spinning: how long, after what waits. */
#include "linux/spin.h"

#include "suite.h"

static struct ms_spin with_processors(int64_t max_ns) {
    return (struct ms_spin){.max_ns = max_ns, .budget_ns = max_ns};
}

static void wait_for(struct ms_spin *spin, int64_t waited_ns) {
    ms_spin_begin(spin);
    ms_spin_learn(spin, waited_ns);
}

START_TEST(who_waits_long_soon_sleeps_at_once) {
    struct ms_spin spin = with_processors(MS_SPIN_MAX_NS);
    int64_t before_ns = ms_spin_begin(&spin);
    ck_assert_int_eq(before_ns, MS_SPIN_MAX_NS);
    for (int i = 0; i < 6; i++) {
        wait_for(&spin, MS_SPIN_MAX_NS + 1);
        ck_assert_int_lt(spin.budget_ns, before_ns);
        before_ns = spin.budget_ns ? spin.budget_ns : 1;
    }
    ck_assert_int_eq(ms_spin_begin(&spin), 0);
}
END_TEST

START_TEST(who_sleeps_at_once_tries_now_and_then) {
    struct ms_spin spin = with_processors(MS_SPIN_MAX_NS);
    spin.budget_ns = 0;
    for (int i = 0; i < 3; i++) {
        for (int j = 1; j < MS_SPIN_TRY; j++) {
            ck_assert_int_eq(ms_spin_begin(&spin), 0);
            ms_spin_learn(&spin, MS_SPIN_MAX_NS + 1);
        }
        ck_assert_int_eq(ms_spin_begin(&spin), MS_SPIN_MAX_NS);
        ms_spin_learn(&spin, MS_SPIN_MAX_NS + 1);
    }
}
END_TEST

START_TEST(short_waits_bring_spinning_back) {
    struct ms_spin spin = with_processors(MS_SPIN_MAX_NS);
    spin.budget_ns = 0;
    for (int i = 0; i < 6; i++) {
        wait_for(&spin, MS_SPIN_MAX_NS);
    }
    ck_assert_int_eq(ms_spin_begin(&spin), MS_SPIN_MAX_NS);
}
END_TEST

START_TEST(with_one_processor_nobody_spins) {
    struct ms_spin spin = with_processors(0);
    for (int i = 0; i < 2 * MS_SPIN_TRY; i++) {
        ck_assert_int_eq(ms_spin_begin(&spin), 0);
        ms_spin_learn(&spin, i % 2 ? 0 : MS_SPIN_MAX_NS + 1);
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "spin");
    tcase_add_test(cases, who_waits_long_soon_sleeps_at_once);
    tcase_add_test(cases, who_sleeps_at_once_tries_now_and_then);
    tcase_add_test(cases, short_waits_bring_spinning_back);
    tcase_add_test(cases, with_one_processor_nobody_spins);
    return suite_run(suite);
}
