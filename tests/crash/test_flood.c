/* SPDX-License-Identifier: MIT */
/* Other users send as fast as they can: the owner's calls, and who connects, go on. */
#include "users.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SLOT "jobs"
#define SIZE 8

/* Each flooder has so many connections. Together with what waits in their sockets that
 * is more than a call could take in at once. */
#define FLOODERS 3
#define WRITERS 40

/* What the owner does meanwhile. */
#define READS_MS 2000
#define INFOS 5

/* A call that takes in all that was sent before, or is kept from its processor. */
#define SOON_MS (4 * AT_ONCE_MS)

struct board {
    _Atomic uint32_t ready;
    _Atomic uint32_t go;
    _Atomic int32_t result;
};

static struct board *board;
static mailslot *slot;

static bool begin(void) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    if (!can_become_others()) {
        return false;
    }
    board = share(sizeof *board);
    options.mode = 0622;
    ck_assert_int_eq(mailslot_create(SLOT, &options, &slot), 0);
    return true;
}

static void send_for_ever(void *context) {
    mailslot_writer *writers[WRITERS];
    become(USER_A - *(const uid_t *)context);
    for (int i = 0; i < WRITERS; i++) {
        REQUIRE(mailslot_open(SLOT, &writers[i]) == 0);
    }
    board->ready++;
    for (uint32_t i = 0;; i = (i + 1) % WRITERS) {
        for (int k = 0; k < 50; k++) {
            mailslot_writer_send(writers[i], "flooding", SIZE, 0);
        }
    }
}

static int64_t longer(int64_t so_far_ms, int64_t begin_ms) {
    int64_t took_ms = now_ms() - begin_ms;
    return took_ms > so_far_ms ? took_ms : so_far_ms;
}

static int64_t longest_read(void) {
    int64_t longest_ms = 0;
    uint32_t taken = 0;
    for (int64_t end_ms = now_ms() + READS_MS; now_ms() < end_ms;) {
        char buffer[SIZE];
        size_t size;
        int64_t begin_ms = now_ms();
        int r = mailslot_read(slot, buffer, sizeof buffer, 0, &size);
        HOLDS(r == 0 || r == -EAGAIN);
        longest_ms = longer(longest_ms, begin_ms);
        taken += r == 0;
    }
    ck_assert_uint_gt(taken, 0);
    return longest_ms;
}

static int64_t longest_info(void) {
    int64_t longest_ms = 0;
    for (int i = 0; i < INFOS; i++) {
        int64_t begin_ms = now_ms();
        get_info(slot);
        longest_ms = longer(longest_ms, begin_ms);
        nap_us(10000);
    }
    return longest_ms;
}

START_TEST(a_flood_of_other_users_holds_up_no_call_of_the_owner) {
    static const uid_t numbers[FLOODERS] = {0, 1, 2};
    pid_t pids[FLOODERS];
    if (!begin()) {
        return;
    }
    for (uint32_t i = 0; i < FLOODERS; i++) {
        pids[i] = child_start(send_for_ever, (void *)&numbers[i]);
    }
    ck_assert(await_value(&board->ready, FLOODERS));
    int64_t read_ms = longest_read();
    int64_t info_ms = longest_info();
    for (uint32_t i = 0; i < FLOODERS; i++) {
        child_kill(pids[i]);
    }
    ck_assert_int_lt(read_ms, AT_ONCE_MS);
    ck_assert_int_lt(info_ms, SOON_MS);
    slot = mailslot_close(slot);
}
END_TEST

static void chat(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    board->ready = 1;
    while (!board->go) {
        REQUIRE(mailslot_writer_send(writer, "chat", 4, DEADLINE_MS) == 0);
        nap_us(5000);
    }
    mailslot_writer_close(writer);
}

/* Until it is let in. */
static void knock(void *context) {
    (void)context;
    mailslot_writer *writer = NULL;
    become(USER_B);
    int r = mailslot_open(SLOT, &writer);
    board->ready = 2;
    for (int64_t end_ms = now_ms() + DEADLINE_MS; r < 0 && now_ms() < end_ms;) {
        r = mailslot_open(SLOT, &writer);
    }
    board->result = r;
    board->ready = 3;
    mailslot_writer_close(writer);
}

/* Reads what comes until the children are so far. */
static void read_until(uint32_t ready) {
    int64_t end_ms = now_ms() + 2 * DEADLINE_MS;
    while (board->ready < ready) {
        char buffer[SIZE];
        size_t size;
        int r = mailslot_read(slot, buffer, sizeof buffer, 20, &size);
        HOLDS(r == 0 || r == -ETIMEDOUT);
        HOLDS(now_ms() < end_ms);
    }
}

/* New descriptors are refused, those that are open work on. */
static void limit_descriptors(rlim_t limit) {
    struct rlimit limits;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limits), 0);
    limits.rlim_cur = limit;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limits), 0);
}

START_TEST(an_owner_that_had_no_descriptor_hears_who_knocks_while_others_send) {
    struct rlimit limits;
    if (!begin()) {
        return;
    }
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limits), 0);
    pid_t talker = child_start(chat, NULL);
    read_until(1);
    pid_t guest = child_start(knock, NULL);
    limit_descriptors(0);
    read_until(2); /* nobody let it in */
    limit_descriptors(limits.rlim_cur);
    int64_t begin_ms = now_ms();
    read_until(3);
    ck_assert_int_eq(board->result, 0);
    ck_assert_int_lt(now_ms() - begin_ms, SOON_MS);
    board->go = 1;
    child_finish(guest);
    child_finish(talker);
    slot = mailslot_close(slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("flood");
    tcase_add_test(cases, a_flood_of_other_users_holds_up_no_call_of_the_owner);
    tcase_add_test(cases,
                   an_owner_that_had_no_descriptor_hears_who_knocks_while_others_send);
    return suite_run();
}
