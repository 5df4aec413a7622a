/* SPDX-License-Identifier: MIT */
/* A writer that is far ahead gives way to an owner that reads, and to no other. */
#include "linux/pace.h"
#include "ring.h"
#include "suite.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CAPACITY (UINT64_C(1) << 24)
#define AHEAD (UINT64_C(2) << 20)
#define LOOK_NS 1000

static struct ring ring;
static uint64_t speed; /* of the owner: bytes from look to look; 0: time is as it is */
static int64_t time_ns;

/* As if so much were queued. */
static void queue_bytes(uint64_t bytes) {
    uint64_t head = ms_position(ring.header->head);
    atomic_store(&ring.header->tail, head + bytes);
}

START_TEST(it_gives_up_an_owner_that_stands_still_and_tries_later_and_later) {
    static const uint32_t steps[] = {1, 3, 7, 7};
    struct ms_pace pace = {0};
    ring_init(&ring, CAPACITY, 0);
    queue_bytes(AHEAD);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        ms_pace_give_way(&pace, &ring.queue);
        ck_assert_uint_eq(pace.steps, steps[i]);
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(a_head_that_was_overwritten_holds_it_up_no_longer) {
    static const uint64_t heads[] = {AHEAD + 8, UINT64_MAX - 7, CAPACITY << 1};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct ms_pace pace = {0};
        ring_init(&ring, CAPACITY, 0);
        queue_bytes(AHEAD);
        atomic_store(&ring.header->head, heads[i]);
        ms_pace_give_way(&pace, &ring.queue);
        ck_assert_uint_eq(pace.steps, 1);
        ring_fini(&ring);
    }
}
END_TEST

/* In place of the C library's: the owner reads from one look at the clock to the next,
 * and starts the ring anew at the end. */
int clock_gettime(clockid_t clock, struct timespec *ret_time) {
    if (speed == 0 || clock != CLOCK_MONOTONIC) {
        return (int)syscall(SYS_clock_gettime, clock, ret_time);
    }
    uint64_t tail = ms_position(ring.header->tail);
    uint64_t head = ring.header->head + speed;
    atomic_store(&ring.header->head, head < tail ? head : tail);
    if (head >= tail) {
        atomic_store(&ring.header->tail, tail + CAPACITY);
    }
    time_ns += LOOK_NS;
    *ret_time = (struct timespec){.tv_nsec = time_ns};
    return 0;
}

/* What a writer does with an owner that needs so many looks to read all; returns how
 * many it waited. */
static int64_t give_way(struct ms_pace *pace, uint64_t looks) {
    ring_init(&ring, CAPACITY, 0);
    queue_bytes(AHEAD);
    time_ns = 0;
    speed = AHEAD / looks / 8 * 8;
    *pace = (struct ms_pace){.steps = 1};
    ms_pace_give_way(pace, &ring.queue);
    speed = 0;
    ring_fini(&ring);
    return time_ns / LOOK_NS;
}

START_TEST(it_waits_for_an_owner_that_is_there_within_four_milliseconds) {
    static const uint64_t needed[] = {1, 900, 1100, 2000, 3640};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        struct ms_pace pace;
        int64_t waited = give_way(&pace, needed[i]);
        ck_assert_uint_eq(pace.steps, 0);
        ck_assert_int_ge(waited, (int64_t)needed[i]);
        ck_assert_int_le(waited, (int64_t)needed[i] + 2);
    }
}
END_TEST

START_TEST(it_sees_in_a_moment_that_an_owner_will_be_later) {
    static const uint64_t needed[] = {4200, 20000, 200000};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        struct ms_pace pace;
        int64_t waited = give_way(&pace, needed[i]);
        ck_assert_uint_eq(pace.steps, 3);
        ck_assert_int_ge(waited, 1000);
        ck_assert_int_le(waited, 1002);
    }
}
END_TEST

/* Whether a writer that has come so far, and sees the owner go on, gives way. */
static bool is_due(struct ms_pace *pace) {
    uint64_t size = 64;
    queue_bytes(AHEAD);
    HOLDS(!ms_pace_is_due(pace, &ring.queue, size)); /* it has not seen it go on yet */
    atomic_store(&ring.header->head, 64);
    atomic_store(&ring.header->tail, 2 * AHEAD);
    return ms_pace_is_due(pace, &ring.queue, size);
}

START_TEST(it_gives_way_to_an_owner_that_can_run_meanwhile_and_to_no_other) {
    static const struct {
        bool is_alone;
        bool is_own;
    } cases[] = {{false, false}, {true, false}, {false, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ms_pace pace = {.is_alone = cases[i].is_alone};
        ring_init(&ring, CAPACITY, 0);
        ring.header->reserved = UINT64_MAX;
        uint32_t self = (uint32_t)syscall(SYS_gettid);
        atomic_store(&ring.header->owner_lock, cases[i].is_own ? self : 1);
        ck_assert_int_eq(is_due(&pace), i == 0);
        ring_fini(&ring);
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "pace");
    tcase_add_test(cases,
                   it_gives_up_an_owner_that_stands_still_and_tries_later_and_later);
    tcase_add_test(cases, a_head_that_was_overwritten_holds_it_up_no_longer);
    tcase_add_test(cases, it_waits_for_an_owner_that_is_there_within_four_milliseconds);
    tcase_add_test(cases, it_sees_in_a_moment_that_an_owner_will_be_later);
    tcase_add_test(cases,
                   it_gives_way_to_an_owner_that_can_run_meanwhile_and_to_no_other);
    return suite_run(suite);
}
