/* SPDX-License-Identifier: MIT */
/* How long an owner holds back to stay behind its writers. */
#include "linux/distance.h"
#include "suite.h"

#define MESSAGE 100
#define LARGE (UINT64_C(1) << 30)

static struct ms_distance with_pauses(uint32_t pauses) {
    struct ms_distance distance;
    ms_distance_init(&distance, LARGE);
    distance.pauses = pauses;
    return distance;
}

/* A wait in a stream: as much comes in each pause. Returns for how many it was held. */
static uint32_t wait_in_stream(struct ms_distance *distance, uint64_t bytes) {
    uint32_t pauses = ms_distance_hold(distance, 1, bytes);
    if (pauses) {
        ms_distance_learn(distance, 1, bytes, pauses * bytes);
    }
    return pauses;
}

/* A wait of who answers: one message, and nothing before the answer. */
static uint32_t wait_for_question(struct ms_distance *distance) {
    uint32_t pauses = ms_distance_hold(distance, 1, MESSAGE);
    if (pauses) {
        ms_distance_learn(distance, 1, MESSAGE, 0);
    }
    return pauses;
}

START_TEST(in_a_stream_it_holds_back_longer_and_longer_up_to_a_bound) {
    static const uint32_t expected[] = {1, 2, 4, 8, 16, 16, 16};
    struct ms_distance distance = with_pauses(0);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        ck_assert_uint_eq(wait_in_stream(&distance, MESSAGE), expected[i]);
    }
}
END_TEST

START_TEST(who_answers_is_held_back_for_a_short_try_now_and_then) {
    struct ms_distance distance = with_pauses(0);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(wait_for_question(&distance), 1);
        for (int j = 0; j < MS_DISTANCE_REST; j++) {
            ck_assert_uint_eq(wait_for_question(&distance), 0);
        }
    }
}
END_TEST

/* Half of what was to be expected is enough, and after two looks it is half as much. */
START_TEST(what_comes_slower_than_before_is_no_stream) {
    static const struct {
        uint32_t looks;
        uint64_t more;
        bool is_stream;
    } cases[] = {{1, 400, true}, {1, 399, false}, {2, 200, true}, {2, 199, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ms_distance distance = with_pauses(8);
        ck_assert_uint_eq(ms_distance_hold(&distance, cases[i].looks, MESSAGE), 8);
        ms_distance_learn(&distance, cases[i].looks, MESSAGE, cases[i].more);
        ck_assert_uint_eq(distance.pauses, cases[i].is_stream ? 16 : 0);
        ck_assert_uint_eq(distance.rest, cases[i].is_stream ? 0 : MS_DISTANCE_REST);
    }
}
END_TEST

START_TEST(what_comes_late_ends_a_stream) {
    struct ms_distance distance = with_pauses(4);
    ck_assert_uint_eq(ms_distance_hold(&distance, MS_DISTANCE_LOOKS + 1, MESSAGE), 0);
    ck_assert_uint_eq(distance.pauses, 0);
    ck_assert_uint_eq(distance.rest, MS_DISTANCE_REST);
}
END_TEST

START_TEST(who_is_far_enough_behind_does_not_hold_back) {
    struct ms_distance distance = with_pauses(4);
    ck_assert_uint_eq(ms_distance_hold(&distance, 1, MS_DISTANCE_BYTES), 0);
    ck_assert_uint_eq(distance.pauses, 4);
    ck_assert_uint_eq(ms_distance_hold(&distance, 1, MS_DISTANCE_BYTES - 8), 4);
}
END_TEST

/* A pause brings so much; in the end it holds back for about as many as it takes. */
START_TEST(it_holds_back_for_some_distance_and_not_more) {
    static const uint64_t bytes[] = {8 << 10, 16 << 10, 40 << 10};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        struct ms_distance distance = with_pauses(MS_DISTANCE_PAUSES_MAX);
        for (int j = 0; j < 8; j++) {
            wait_in_stream(&distance, bytes[i]);
        }
        uint64_t far = (1 + distance.pauses) * bytes[i];
        ck_assert_uint_ge(far, MS_DISTANCE_BYTES);
        ck_assert_uint_lt(far, 2 * MS_DISTANCE_BYTES);
    }
}
END_TEST

START_TEST(in_a_small_ring_an_eighth_is_far_enough) {
    struct ms_distance distance;
    ms_distance_init(&distance, 4096);
    ck_assert_uint_eq(ms_distance_hold(&distance, 1, 512), 0);
    ck_assert_uint_eq(ms_distance_hold(&distance, 1, 504), 1);
    ms_distance_learn(&distance, 1, 504, 504);
    ck_assert_uint_eq(distance.pauses, 1);
}
END_TEST

/* Whatever a damaged tail makes of the numbers, the pauses stay within their bounds. */
START_TEST(no_number_makes_it_hold_back_for_ever) {
    static const uint64_t some[] = {0, 8, UINT64_MAX / 2, UINT64_MAX - 7};
    struct ms_distance distance = with_pauses(0);
    for (int i = 0; i < 64; i++) {
        uint64_t bytes = some[i % 4];
        uint32_t pauses = ms_distance_hold(&distance, 1, bytes);
        ck_assert_uint_le(pauses, MS_DISTANCE_PAUSES_MAX);
        if (pauses) {
            ms_distance_learn(&distance, 1, bytes, some[i / 4 % 4]);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "distance");
    tcase_add_test(cases, in_a_stream_it_holds_back_longer_and_longer_up_to_a_bound);
    tcase_add_test(cases, who_answers_is_held_back_for_a_short_try_now_and_then);
    tcase_add_test(cases, what_comes_slower_than_before_is_no_stream);
    tcase_add_test(cases, what_comes_late_ends_a_stream);
    tcase_add_test(cases, who_is_far_enough_behind_does_not_hold_back);
    tcase_add_test(cases, it_holds_back_for_some_distance_and_not_more);
    tcase_add_test(cases, in_a_small_ring_an_eighth_is_far_enough);
    tcase_add_test(cases, no_number_makes_it_hold_back_for_ever);
    return suite_run(suite);
}
