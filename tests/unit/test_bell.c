/* SPDX-License-Identifier: MIT */
/* Bells: who sleeps is woken, and nobody else costs a system call. */
#include "queue/bell.h"

#include "linux/turn.h"
#include "os/clock.h"
#include "os/futex.h"
#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define ROUNDS 100000
#define DEADLINE_NS INT64_C(20000000000)

static struct ms_header header;

#define SLEEP(n) (MS_BELL_ARMED + (MS_BELL_KIND + 1) * (n))
#define CORD(n) (MS_BELL_CORD + (MS_BELL_KIND + 1) * (n))

START_TEST(a_bell_tells_for_what_it_is_armed) {
    ck_assert_uint_eq(ms_bell_look(&header), MS_BELL_SILENT);
    ms_bell_arm_sleeper(&header, SLEEP(7));
    ck_assert(ms_bell_is(ms_bell_look(&header), MS_BELL_ARMED));
    ck_assert(!ms_bell_is(ms_bell_look(&header), MS_BELL_CORD));
    ms_bell_arm(&header, CORD(7));
    ck_assert(ms_bell_is(ms_bell_look(&header), MS_BELL_CORD));
    ms_bell_disarm(&header);
    ck_assert_uint_eq(ms_bell_look(&header), MS_BELL_SILENT);
}
END_TEST

START_TEST(who_has_woken_silences_the_bell_of_that_sleep_and_no_other) {
    ms_bell_arm_sleeper(&header, SLEEP(2));
    ms_bell_rung(&header, SLEEP(1));
    ms_bell_rung(&header, MS_BELL_SILENT);
    ck_assert(ms_bell_has(&header, SLEEP(2)));
    ms_bell_rung(&header, SLEEP(2));
    ck_assert_uint_eq(ms_bell_look(&header), MS_BELL_SILENT);
    ms_bell_arm(&header, CORD(2));
    ms_bell_rung(&header, CORD(2));
    ck_assert(ms_bell_has(&header, CORD(2)));
}
END_TEST

START_TEST(a_cord_is_taken_once_for_each_time_that_the_bell_is_armed) {
    atomic_store(&header.tail, 8);
    ck_assert(!ms_bell_take_cord(&header));
    for (uint32_t i = 0; i < 3; i++) {
        ms_bell_arm(&header, CORD(i));
        ck_assert(ms_bell_take_cord(&header));
        ck_assert(!ms_bell_take_cord(&header));
    }
    ms_bell_arm_sleeper(&header, SLEEP(1));
    ck_assert(!ms_bell_take_cord(&header));
    ck_assert(ms_bell_has(&header, SLEEP(1)));
}
END_TEST

START_TEST(a_cord_is_not_taken_for_what_was_seen) {
    atomic_store(&header.tail, 8 | 1);
    atomic_store(&header.seen, 8);
    ms_bell_arm(&header, CORD(1));
    ck_assert(!ms_bell_take_cord(&header));
    ck_assert(ms_bell_has(&header, CORD(1)));
    atomic_store(&header.tail, 16);
    ck_assert(ms_bell_take_cord(&header));
}
END_TEST

START_TEST(a_bell_is_taken_back_only_as_it_was_armed) {
    ms_bell_arm(&header, CORD(1));
    ck_assert(!ms_bell_take_back(&header, MS_BELL_ARMED));
    ck_assert(!ms_bell_take_back(&header, CORD(2)));
    ck_assert(ms_bell_take_back(&header, CORD(1)));
    ck_assert(!ms_bell_take_back(&header, CORD(1)));
    ms_bell_arm_sleeper(&header, SLEEP(1));
    ck_assert(!ms_bell_take_back(&header, CORD(1)));
    ck_assert(ms_bell_has(&header, SLEEP(1)));
}
END_TEST

START_TEST(nobody_waits_for_space_at_first) {
    ck_assert(!ms_space_ring(&header, 0));
    ck_assert(!ms_space_ring(&header, UINT64_MAX));
    ck_assert_uint_eq(atomic_load(&header.space_bell), 0);
}
END_TEST

START_TEST(a_wish_for_space_is_granted_once_there_is_as_much) {
    uint32_t bell = ms_space_arm(&header, 1000);
    ck_assert_uint_eq(bell, atomic_load(&header.space_bell));
    ck_assert(!ms_space_ring(&header, 0));
    ck_assert(!ms_space_ring(&header, 999));
    ck_assert_uint_eq(bell, atomic_load(&header.space_bell));
    ck_assert(ms_space_ring(&header, 1000));
    ck_assert_uint_ne(bell, atomic_load(&header.space_bell));
    ck_assert(!ms_space_ring(&header, 1000));
}
END_TEST

START_TEST(of_several_wishes_the_smallest_counts) {
    ms_space_arm(&header, 1000);
    ms_space_arm(&header, 300);
    ms_space_arm(&header, 2000);
    ck_assert(!ms_space_ring(&header, 299));
    ck_assert(ms_space_ring(&header, 300));
    ck_assert(!ms_space_ring(&header, 4096));
}
END_TEST

/* The bell was read before the wish was stated: a wish that is taken away by another
 * writer's ring still ends this one's sleep. */
START_TEST(whoever_armed_before_a_ring_finds_the_bell_changed) {
    uint32_t first = ms_space_arm(&header, 100);
    uint32_t second = ms_space_arm(&header, 5000);
    ck_assert(ms_space_ring(&header, 100));
    ck_assert_uint_ne(first, atomic_load(&header.space_bell));
    ck_assert_uint_ne(second, atomic_load(&header.space_bell));
    uint32_t third = ms_space_arm(&header, 100);
    ck_assert_uint_eq(third, atomic_load(&header.space_bell));
}
END_TEST

/* Now sooner, now later, so that all moments of one side meet all of the other. */
static void dawdle(uint64_t round, uint64_t length) {
    for (volatile uint64_t i = round % length; i > 0; i--) {
    }
}

/* As a writer does: change the queue in a turn. It waits for each to be taken. */
static void *publish_rounds(void *unused) {
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        dawdle(i, 61);
        while (ms_lock_try(&header.write_lock) < 0) {
        }
        atomic_store(&header.tail, i * 8);
        ms_turn_end(&header, NULL, true);
        while (atomic_load(&header.head) != i * 8) {
        }
    }
    return unused;
}

/* As the owner does, but it relies on the bell: there is no looking again. */
static bool await_tail(uint64_t tail) {
    int64_t deadline_ns = ms_clock_now_ns() + DEADLINE_NS;
    for (uint32_t n = 1;; n++) {
        uint32_t word;
        dawdle(tail / 8, 67);
        ms_bell_arm_sleeper(&header, SLEEP((uint32_t)tail * n));
        bool is_free = ms_lock_watch(&header.write_lock, &word);
        bool has_come = atomic_load(&header.tail) == tail;
        int r = has_come || !is_free
                    ? 0
                    : ms_futex_wait(&header.write_lock, word, deadline_ns);
        ms_lock_unwatch(&header.write_lock);
        ms_bell_disarm(&header);
        if (has_come || r == -ETIMEDOUT) {
            return has_come;
        }
    }
}

START_TEST(an_owner_that_sleeps_misses_no_message) {
    pthread_t writer;
    ck_assert_int_eq(pthread_create(&writer, NULL, publish_rounds, NULL), 0);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        ck_assert_msg(await_tail(i * 8), "slept over message %llu",
                      (unsigned long long)i);
        atomic_store(&header.head, i * 8);
    }
    pthread_join(writer, NULL);
}
END_TEST

/* As an owner: free space, look for a wish. */
static void *free_rounds(void *unused) {
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        dawdle(i, 61);
        atomic_store(&header.head, i * 8);
        if (ms_space_ring(&header, 100)) {
            ms_futex_wake(&header.space_bell, 2);
        }
        while (atomic_load(&header.tail) != i * 8) {
        }
    }
    return unused;
}

static bool await_head(uint64_t head) {
    int64_t deadline_ns = ms_clock_now_ns() + DEADLINE_NS;
    for (;;) {
        dawdle(head / 8, 67);
        uint32_t bell = ms_space_arm(&header, 100);
        if (atomic_load(&header.head) == head) {
            return true;
        }
        if (ms_futex_wait(&header.space_bell, bell, deadline_ns) == -ETIMEDOUT) {
            return false;
        }
    }
}

START_TEST(a_writer_that_sleeps_misses_no_space) {
    pthread_t owner;
    ck_assert_int_eq(pthread_create(&owner, NULL, free_rounds, NULL), 0);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        ck_assert_msg(await_head(i * 8), "slept over round %llu",
                      (unsigned long long)i);
        atomic_store(&header.tail, i * 8);
    }
    pthread_join(owner, NULL);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "bell");
    tcase_add_test(cases, a_bell_tells_for_what_it_is_armed);
    tcase_add_test(cases, who_has_woken_silences_the_bell_of_that_sleep_and_no_other);
    tcase_add_test(cases, a_cord_is_taken_once_for_each_time_that_the_bell_is_armed);
    tcase_add_test(cases, a_cord_is_not_taken_for_what_was_seen);
    tcase_add_test(cases, a_bell_is_taken_back_only_as_it_was_armed);
    tcase_add_test(cases, nobody_waits_for_space_at_first);
    tcase_add_test(cases, a_wish_for_space_is_granted_once_there_is_as_much);
    tcase_add_test(cases, of_several_wishes_the_smallest_counts);
    tcase_add_test(cases, whoever_armed_before_a_ring_finds_the_bell_changed);
    tcase_add_test(cases, an_owner_that_sleeps_misses_no_message);
    tcase_add_test(cases, a_writer_that_sleeps_misses_no_space);
    return suite_run(suite);
}
