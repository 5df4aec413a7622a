/* SPDX-License-Identifier: MIT */
/* Somebody who removes a dead slot, killed at every step of it: others go on. */
#include "steps.h"
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>

#define SLOT "jobs"

struct board {
    struct steps steps;
    _Atomic uint32_t is_created;
    _Atomic uint32_t has_writer;
    _Atomic uint32_t is_dead;
};

struct context {
    struct board *board;
    uint32_t index;
    void (*sweep)(struct board *board);
};

static void by_open(struct board *board) {
    (void)board;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == -ENOENT);
}

static void by_create(struct board *board) {
    (void)board;
    mailslot *slot;
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == 0);
    mailslot_close(slot);
}

static void by_create_of_another_name(struct board *board) {
    (void)board;
    mailslot *slot;
    REQUIRE(mailslot_create("another", NULL, &slot) == 0);
    mailslot_close(slot);
}

static void by_info(struct board *board) {
    (void)board;
    mailslot_info info = MAILSLOT_INFO_INIT;
    REQUIRE(mailslot_get_info_by_name(SLOT, &info) == -ENOENT);
}

static void (*const sweeps[])(struct board *) = {by_open, by_create,
                                                 by_create_of_another_name, by_info};

static void sweep_and_die(void *memory) {
    const struct context *context = memory;
    steps_begin(&context->board->steps, context->index);
    context->sweep(context->board);
}

/* A writer that was there before the owner died, and sweeps when it sends. */
static void send_and_die(void *memory) {
    const struct context *context = memory;
    struct board *board = context->board;
    REQUIRE(await_value(&board->is_created, 1));
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    atomic_store(&board->has_writer, 1);
    REQUIRE(await_value(&board->is_dead, 1));
    steps_begin(&board->steps, context->index);
    REQUIRE(mailslot_writer_send(writer, "late", 4, 0) == -EPIPE);
    mailslot_writer_close(writer);
}

static void own(void *memory) {
    const struct context *context = memory;
    mailslot *slot;
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == 0);
    REQUIRE(mailslot_send(SLOT, "unread", 6, 0) == 0);
    atomic_store(&context->board->is_created, 1);
    REQUIRE(await_value(&context->board->is_dead, 2)); /* never */
}

static pid_t start_sweeper(struct context *context) {
    if (context->sweep) {
        leave_dead_slot(SLOT);
        return child_start(sweep_and_die, context);
    }
    pid_t owner = child_start(own, context);
    pid_t sweeper = child_start(send_and_die, context);
    ck_assert(await_value(&context->board->has_writer, 1));
    child_kill(owner);
    atomic_store(&context->board->is_dead, 1);
    return sweeper;
}

/* One sweep; whether it was cut short. */
static bool run(struct context *context) {
    memset(context->board, 0, sizeof *context->board);
    int status = child_await(start_sweeper(context));
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ck_assert_msg(is_killed || status == 0, "step %u: wait status %#x", context->index,
                  (unsigned)status);
    mailslot *slot = create_at_once(SLOT, 0);
    ck_assert_int_eq(mailslot_send(SLOT, "new", 3, 0), 0);
    ck_assert_uint_eq(get_info(slot).count, 1);
    ck_assert_int_eq(registry_files(), 1);
    mailslot_close(slot);
    ck_assert_int_eq(registry_files(), 0);
    return is_killed;
}

START_TEST(a_sweeper_killed_at_any_step_is_in_nobodys_way) {
    struct context context = {.board = share(sizeof *context.board),
                              .index = STEPS_ALL,
                              .sweep = (size_t)_i < COUNT(sweeps) ? sweeps[_i] : NULL};
    ck_assert(!run(&context));
    uint32_t count = context.board->steps.count;
    ck_assert_uint_ge(steps_passed(&context.board->steps, "remove.removed"), 1);
    /* One step less after the first run, which made the library known to this process.
     */
    for (context.index = 0; run(&context);) {
        context.index++;
    }
    ck_assert_uint_ge(context.index + 1, count);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("sweeper killed");
    tcase_add_loop_test(cases, a_sweeper_killed_at_any_step_is_in_nobodys_way, 0,
                        COUNT(sweeps) + 1);
    return suite_run();
}
