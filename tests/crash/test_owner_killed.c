/* SPDX-License-Identifier: MIT */
/*
 * An owner killed at every step of create, read, release, giving memory back, rewind,
 * wait and close: the slot is dead at once, and nobody has to clean up (cases 88, 89).
 */
#include "note.h"
#include "steps.h"
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>

#define SLOT "jobs"
#define BUSY "busy"
#define CAPACITY (UINT64_C(16) << 20)
#define SIZE 300000
#define BACKLOG 14

struct board {
    struct steps steps;
    _Atomic uint32_t is_created;
    _Atomic uint32_t has_writer;
};

struct context {
    struct board *board;
    uint32_t index;
};

static _Alignas(8) unsigned char buffer[SIZE];

/* Beyond the window that keeps its memory, so that there is something to give back. */
static void queue_backlog(uint32_t count) {
    steps_mute(true);
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < count; i++) {
        note_write(buffer, 0, i, SIZE);
        REQUIRE(mailslot_writer_send(writer, buffer, SIZE, 0) == 0);
    }
    mailslot_writer_close(writer);
    steps_mute(false);
}

static void read_backlog(mailslot *slot, uint32_t count) {
    size_t size;
    for (uint32_t i = 0; i < count; i++) {
        struct note note;
        REQUIRE(mailslot_read(slot, buffer, sizeof buffer, 0, &size) == 0);
        REQUIRE(note_read(buffer, size, &note) && note.index == i);
    }
    REQUIRE(mailslot_read(slot, buffer, sizeof buffer, 0, &size) == -EAGAIN);
}

/* The life of an owner. A dead slot has the name at first, a living one another. */
static void own_and_die(void *memory) {
    const struct context *context = memory;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = CAPACITY;
    steps_begin(&context->board->steps, context->index);
    mailslot *slot;
    REQUIRE(mailslot_create(BUSY, &options, &slot) == -EEXIST);
    REQUIRE(mailslot_create(SLOT, &options, &slot) == 0);
    atomic_store(&context->board->is_created, 1);
    REQUIRE(await_value(&context->board->has_writer, 1));
    queue_backlog(BACKLOG);
    read_backlog(slot, BACKLOG);
    REQUIRE(mailslot_wait(slot, 1) == -ETIMEDOUT);
    queue_backlog(1); /* unread */
    mailslot_close(slot);
}

/* One life; whether it was cut short. Gives a writer of the slot, if it got so far. */
static bool run(const struct context *context, mailslot_writer **ret_writer) {
    memset(context->board, 0, sizeof *context->board);
    leave_dead_slot(SLOT);
    struct context copy = *context;
    pid_t owner = child_start(own_and_die, &copy);
    *ret_writer = NULL;
    while (!child_has_ended(owner)) {
        if (atomic_load(&context->board->is_created) && !*ret_writer) {
            *ret_writer = open_writer(SLOT);
            atomic_store(&context->board->has_writer, 1);
        }
        nap_us(100);
    }
    int status = child_await(owner);
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ck_assert_msg(is_killed || status == 0, "step %u: wait status %#x", context->index,
                  (unsigned)status);
    return is_killed;
}

static void check_writer_is_dead(mailslot_writer *writer) {
    for (int i = 0; writer && i < 2; i++) {
        mailslot_info info = MAILSLOT_INFO_INIT;
        ck_assert_int_eq(mailslot_writer_send(writer, "x", 1, 0), -EPIPE);
        ck_assert_int_eq(mailslot_writer_get_info(writer, &info), -EPIPE);
    }
}

static void check_works(mailslot *slot) {
    size_t size;
    ck_assert_uint_eq(get_info(slot).count, 0);
    ck_assert_int_eq(mailslot_send(SLOT, "new", 3, 0), 0);
    ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), 0);
    ck_assert_uint_eq(size, 3);
}

/* Who opens the name finds nobody, and a new owner is there at once. */
static void open_then_create(mailslot_writer *old) {
    mailslot_writer *writer;
    ck_assert_int_eq(mailslot_open(SLOT, &writer), -ENOENT);
    ck_assert_int_eq(registry_files(), 1);
    mailslot *slot = create_at_once(SLOT, 0);
    check_writer_is_dead(old);
    check_works(slot);
    mailslot_close(slot);
}

static void create(mailslot_writer *old) {
    mailslot *slot = create_at_once(SLOT, 0);
    check_writer_is_dead(old);
    check_works(slot);
    mailslot_close(slot);
}

/* Whoever creates any slot sweeps the dead one away. */
static void create_another(mailslot_writer *old) {
    mailslot *slot = create_at_once("another", 0);
    ck_assert_int_eq(registry_files(), 2);
    mailslot_close(slot);
    check_writer_is_dead(old);
}

/* So does an old writer that sends, and a new one. */
static void send_again(mailslot_writer *old) {
    check_writer_is_dead(old);
    ck_assert_int_eq(mailslot_send(SLOT, "x", 1, 0), -ENOENT);
}

static void (*const sequels[])(mailslot_writer *) = {open_then_create, create,
                                                     create_another, send_again};

START_TEST(case_89_an_owner_killed_at_any_step_leaves_a_free_name) {
    struct context context = {share(sizeof *context.board), STEPS_ALL};
    mailslot *busy = create_at_once(BUSY, 0);
    mailslot_writer *writer;
    ck_assert(!run(&context, &writer));
    mailslot_writer_close(writer);
    uint32_t count = context.board->steps.count;
    for (context.index = 0; context.index < count; context.index++) {
        bool is_killed = run(&context, &writer);
        if (is_killed) {
            sequels[_i](writer);
            ck_assert_msg(registry_files() == 1, "step %u: a file is left",
                          context.index);
        }
        mailslot_writer_close(writer);
        ck_assert_msg(is_killed ||
                          steps_fell_short(&context.board->steps, context.index, count),
                      "not killed at step %u of %u", context.index, count);
    }
    mailslot_close(busy);
}
END_TEST

/* Otherwise the test above would test less than it says. */
START_TEST(the_life_of_an_owner_passes_each_of_its_steps) {
    static const char *const names[] = {
        "create.built",      "create.owned",      "create.published",
        "publish.taken",     "remove.locked",     "remove.closed",
        "remove.given_back", "remove.found",      "remove.removed",
        "release.totalled",  "release.published", "give_back.given_back",
        "rewind.given_back", "rewind.tail",       "rewind.noted",
        "wait.armed",
    };
    struct context context = {share(sizeof *context.board), STEPS_ALL};
    mailslot *busy = create_at_once(BUSY, 0);
    mailslot_writer *writer;
    ck_assert(!run(&context, &writer));
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_msg(steps_passed(&context.board->steps, names[i]) > 0, "%s",
                      names[i]);
    }
    mailslot_writer_close(writer);
    mailslot_close(busy);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("owner killed");
    tcase_add_test(cases, the_life_of_an_owner_passes_each_of_its_steps);
    tcase_add_loop_test(cases, case_89_an_owner_killed_at_any_step_leaves_a_free_name,
                        0, COUNT(sequels));
    return suite_run();
}
