/* SPDX-License-Identifier: MIT */
/* Races for one name: creators, openers, and owners that are killed. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT "jobs"
#define CREATORS 16

struct board {
    pthread_barrier_t barrier;
    _Atomic uint32_t round;
    _Atomic uint32_t rounds;
    _Atomic uint32_t winners;
    _Atomic uint32_t losers;
};

static struct board *share_board(uint32_t rounds) {
    struct board *board = share(sizeof *board);
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&board->barrier, &attributes, CREATORS + 1);
    pthread_barrierattr_destroy(&attributes);
    atomic_store(&board->rounds, rounds);
    return board;
}

/* One attempt a round. The winner keeps its slot until all have tried. */
static void create_in_rounds(void *memory) {
    struct board *board = memory;
    for (uint32_t i = 0; i < atomic_load(&board->rounds); i++) {
        pthread_barrier_wait(&board->barrier);
        mailslot *slot = NULL;
        int r = mailslot_create(SLOT, NULL, &slot);
        REQUIRE(r == 0 || r == -EEXIST);
        atomic_fetch_add(r == 0 ? &board->winners : &board->losers, 1);
        pthread_barrier_wait(&board->barrier);
        /* The test looks. */
        pthread_barrier_wait(&board->barrier);
        mailslot_close(slot);
        pthread_barrier_wait(&board->barrier);
    }
}

static void check_round(struct board *board, uint32_t round) {
    ck_assert_msg(atomic_load(&board->winners) == 1, "round %u: %u winners", round,
                  atomic_load(&board->winners));
    ck_assert_uint_eq(atomic_load(&board->losers), CREATORS - 1);
    ck_assert_int_eq(registry_files(), 1);
    ck_assert_int_eq(mailslot_send(SLOT, "x", 1, 0), 0);
    atomic_store(&board->winners, 0);
    atomic_store(&board->losers, 0);
}

/* Case 21. Every fourth round finds a dead slot in its way. */
START_TEST(case_21_of_sixteen_creators_exactly_one_wins) {
    enum { rounds = 1000 };
    struct board *board = share_board(rounds);
    pid_t creators[CREATORS];
    for (int i = 0; i < CREATORS; i++) {
        creators[i] = child_start(create_in_rounds, board);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        if (round % 4 == 0) {
            leave_dead_slot(SLOT);
        }
        pthread_barrier_wait(&board->barrier);
        pthread_barrier_wait(&board->barrier);
        check_round(board, round);
        pthread_barrier_wait(&board->barrier);
        pthread_barrier_wait(&board->barrier);
        ck_assert_int_eq(registry_files(), 0);
    }
    for (int i = 0; i < CREATORS; i++) {
        child_finish(creators[i]);
    }
}
END_TEST

/* Owners come and go; `holder` is the one that has the name. */
struct chaos {
    _Atomic uint32_t holder;
    _Atomic uint32_t has_ended;
    _Atomic uint32_t created;
    _Atomic uint32_t sent;
    _Atomic uint32_t missing;
};

/* The kernel's mark of a process that ends: it is set before its locks are freed. */
#define IS_ENDING 0x4u

/* A killed process is there until the test takes its end. */
static bool is_dead(uint32_t pid) {
    char path[32];
    unsigned flags = 0;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *stream = fopen(path, "re");
    if (!stream) {
        return true;
    }
    bool has_flags =
        fscanf(stream, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %u", &flags) == 1;
    fclose(stream);
    return !has_flags || flags & IS_ENDING;
}

/* Who creates the slot must find that nobody else has it. */
static void hold(struct chaos *chaos) {
    uint32_t before = atomic_exchange(&chaos->holder, (uint32_t)getpid());
    REQUIRE(before == 0 || is_dead(before));
    atomic_fetch_add(&chaos->created, 1);
}

static void create_and_close(void *memory) {
    struct chaos *chaos = memory;
    while (!atomic_load(&chaos->has_ended)) {
        mailslot *slot;
        int r = mailslot_create(SLOT, NULL, &slot);
        REQUIRE(r == 0 || r == -EEXIST);
        if (r == 0) {
            hold(chaos);
            uint32_t me = (uint32_t)getpid();
            REQUIRE(atomic_exchange(&chaos->holder, 0) == me);
            mailslot_close(slot);
        }
    }
}

static void create_and_wait(void *memory) {
    struct chaos *chaos = memory;
    mailslot *slot;
    while (mailslot_create(SLOT, NULL, &slot) != 0) {
    }
    hold(chaos);
    pause();
}

static void send_to_any(void *memory) {
    struct chaos *chaos = memory;
    while (!atomic_load(&chaos->has_ended)) {
        int r = mailslot_send(SLOT, "x", 1, 0);
        REQUIRE(r == 0 || r == -ENOENT);
        atomic_fetch_add(r == 0 ? &chaos->sent : &chaos->missing, 1);
    }
}

static void look_at_any(void *memory) {
    struct chaos *chaos = memory;
    while (!atomic_load(&chaos->has_ended)) {
        mailslot_info info = MAILSLOT_INFO_INIT;
        int r = mailslot_get_info_by_name(SLOT, &info);
        REQUIRE(r == 0 || r == -ENOENT);
        REQUIRE(r < 0 || (info.pid && info.max_bytes == UINT64_C(1) << 30));
    }
}

START_TEST(creators_openers_and_kills_at_once_never_meet_but_as_told) {
    static child_main *const mains[] = {create_and_close, create_and_close, send_to_any,
                                        look_at_any};
    struct chaos *chaos = share(sizeof *chaos);
    pid_t children[COUNT(mains)];
    for (size_t i = 0; i < COUNT(mains); i++) {
        children[i] = child_start(mains[i], chaos);
    }
    uint64_t random = (uint64_t)now_ms();
    uint32_t kills = few_or_many(300, 5000);
    for (uint32_t i = 0; i < kills; i++) {
        pid_t victim = child_start(create_and_wait, chaos);
        nap_us(next_random(&random) % 5000);
        child_kill(victim);
    }
    atomic_store(&chaos->has_ended, 1);
    for (size_t i = 0; i < COUNT(mains); i++) {
        child_finish(children[i]);
    }
    ck_assert_uint_gt(atomic_load(&chaos->created), kills / 4);
    ck_assert_uint_gt(atomic_load(&chaos->sent), 0);
    ck_assert_uint_gt(atomic_load(&chaos->missing), 0);
    mailslot_close(create_at_once(SLOT, 0));
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("creators");
    tcase_add_test(cases, case_21_of_sixteen_creators_exactly_one_wins);
    tcase_add_test(cases, creators_openers_and_kills_at_once_never_meet_but_as_told);
    return suite_run();
}
