/* SPDX-License-Identifier: MIT */
/* A writer that is far ahead gives way to an owner that reads, and to no other. */
#include "linux/pace.h"
#include "ring.h"
#include "suite.h"

#include <pthread.h>
#include <stdatomic.h>

#define CAPACITY (UINT64_C(1) << 24)
#define AHEAD (UINT64_C(2) << 20)
#define LAPS 700
#define PIECE_MIN 64
#define PIECES 7

static struct ring ring;
static uint64_t piece; /* how much the owner reads at once, in this lap */
static _Atomic uint32_t laps_begun;
static _Atomic uint32_t laps_read;

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

/* Reads to the end of each lap, and then starts the ring anew. */
static void *read_laps(void *context) {
    (void)context;
    for (uint32_t lap = 1; lap <= LAPS; lap++) {
        while (laps_begun < lap) {
        }
        uint64_t tail = ms_position(ring.header->tail);
        while (ring.header->head < tail) {
            atomic_fetch_add(&ring.header->head, piece);
        }
        atomic_store(&ring.header->tail, tail + CAPACITY);
        atomic_store(&ring.header->head, tail + CAPACITY);
        laps_read = lap;
    }
    return NULL;
}

/* An owner that is too slow here, or is kept from its processor, reads faster in the
 * next lap. */
START_TEST(it_waits_for_an_owner_that_comes_to_the_end) {
    pthread_t owner;
    uint32_t good = 0;
    ring_init(&ring, CAPACITY, 0);
    ck_assert_int_eq(pthread_create(&owner, NULL, read_laps, NULL), 0);
    for (uint32_t lap = 1; lap <= LAPS; lap++) {
        struct ms_pace pace = {.steps = 1};
        piece = PIECE_MIN << lap % PIECES;
        queue_bytes(AHEAD);
        laps_begun = lap;
        ms_pace_give_way(&pace, &ring.queue);
        good += pace.steps == 0;
        while (laps_read < lap) {
        }
    }
    ck_assert_int_eq(pthread_join(owner, NULL), 0);
    ck_assert_uint_gt(good, 0);
    ring_fini(&ring);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "pace");
    tcase_add_test(cases,
                   it_gives_up_an_owner_that_stands_still_and_tries_later_and_later);
    tcase_add_test(cases, a_head_that_was_overwritten_holds_it_up_no_longer);
    tcase_add_test(cases, it_waits_for_an_owner_that_comes_to_the_end);
    return suite_run(suite);
}
