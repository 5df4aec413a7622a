/* SPDX-License-Identifier: MIT */
/*
 * Killed at every step of a letter's way: its sender, which is another user, and the
 * owner, while its thread or a reading call takes letters in.
 */
#include "note.h"
#include "steps.h"
#include "users.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SLOT "jobs"

/* A note in a packet, one in a sealed file, and one more. */
static const uint32_t sizes[] = {100, 50000, 200};
#define NOTES ((uint32_t)COUNT(sizes))

struct board {
    struct steps steps;
    uint32_t index;
    _Atomic uint32_t ready;
    _Atomic uint32_t told; /* notes whose send has returned */
};

static struct board *board;

static mailslot *create_box(void) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    options.mode = 0622;
    REQUIRE(mailslot_create(SLOT, &options, &slot) == 0);
    return slot;
}

static void send_notes(mailslot_writer *writer, int expected) {
    unsigned char *buffer = malloc(sizes[1] + 8);
    for (uint32_t i = 0; i < NOTES; i++) {
        note_write(buffer, 1, i, sizes[i]);
        int r = mailslot_writer_send(writer, buffer, sizes[i], 0);
        REQUIRE(r == 0 || r == expected);
        if (r < 0) {
            break;
        }
        board->told++;
    }
    free(buffer);
}

static void send_and_die(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    steps_begin(&board->steps, board->index);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    send_notes(writer, 0);
    mailslot_writer_close(writer);
    steps_end();
}

/* Whether the sender was killed. What it was told is there; one note more may be. */
static bool run_sender(uint32_t index) {
    memset(board, 0, sizeof *board);
    board->index = index;
    mailslot *slot = create_box();
    int status = child_await(child_start(send_and_die, NULL));
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ck_assert_msg(is_killed || status == 0, "step %u: status %#x", index, status);
    uint64_t count = get_info(slot).count;
    ck_assert_uint_ge(count, board->told);
    ck_assert_uint_le(count, board->told + 1);
    for (uint32_t i = 0; i < count; i++) {
        mailslot_message message;
        struct note note;
        ck_assert_int_eq(mailslot_peek(slot, 0, &message), 0);
        ck_assert(note_read(message.data, message.size, &note));
        ck_assert(note.index == i && message.size == sizes[i]);
        ck_assert_int_eq(mailslot_consume(slot), 0);
    }
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    mailslot_close(slot);
    ck_assert_int_eq(registry_files(), 0);
    return is_killed;
}

START_TEST(a_sender_killed_at_any_step_leaves_whole_messages_or_none) {
    if (!can_become_others()) {
        return;
    }
    board = share(sizeof *board);
    ck_assert(!run_sender(STEPS_ALL));
    uint32_t count = board->steps.count;
    ck_assert_uint_eq(steps_passed(&board->steps, "client.sent"), NOTES);
    ck_assert_uint_eq(steps_passed(&board->steps, "client.sealed"), 1);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert(run_sender(i));
    }
}
END_TEST

/* Steps of the owner's thread count, too: they are in any order with its own. */
static void own_and_die(void *context) {
    (void)context;
    steps_begin(&board->steps, board->index);
    mailslot *slot = create_box();
    board->ready = 1;
    for (uint32_t i = 0; i < NOTES; i++) {
        mailslot_message message;
        struct note note;
        REQUIRE(mailslot_peek(slot, DEADLINE_MS, &message) == 0);
        REQUIRE(note_read(message.data, message.size, &note) && note.index == i);
        REQUIRE(mailslot_consume(slot) == 0);
    }
    mailslot_close(slot);
    steps_end();
}

static void send_all_of_it(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    int r = mailslot_open(SLOT, &writer);
    /* EACCES: the letterbox was removed, and the slot's file was not. */
    REQUIRE(r == 0 || r == -ENOENT || r == -EACCES);
    if (r == 0) {
        send_notes(writer, -EPIPE);
        mailslot_writer_close(writer);
    }
}

static void reuse(void *context) {
    (void)context;
    mailslot *slot = create_box();
    REQUIRE(registry_files() == 2);
    mailslot_close(slot);
}

static bool run_owner(uint32_t index) {
    memset(board, 0, sizeof *board);
    board->index = index;
    pid_t owner = child_start(own_and_die, NULL);
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    while (!board->ready && !child_has_ended(owner)) {
        ck_assert_int_lt(now_ms(), deadline_ms);
        nap_us(100);
    }
    if (board->ready) {
        child_finish(child_start(send_all_of_it, NULL));
    }
    int status = child_await(owner);
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ck_assert_msg(is_killed || status == 0, "step %u: status %#x", index, status);
    child_finish(child_start(reuse, NULL));
    ck_assert_int_eq(registry_files(), 0);
    return is_killed;
}

/* How many steps there are differs from run to run: go on until one is not reached. */
START_TEST(an_owner_killed_at_any_step_leaves_a_free_name_and_no_letterbox) {
    if (!can_become_others()) {
        return;
    }
    board = share(sizeof *board);
    ck_assert(!run_owner(STEPS_ALL));
    ck_assert_uint_ge(steps_passed(&board->steps, "letter.taken"), NOTES);
    ck_assert_uint_eq(steps_passed(&board->steps, "create.letterbox"), 1);
    ck_assert_uint_eq(steps_passed(&board->steps, "letterbox.greeting"), 1);
    ck_assert_uint_ge(steps_passed(&board->steps, "remove.letterbox"), 1);
    uint32_t killed = 0;
    while (run_owner(killed)) {
        killed++;
    }
    ck_assert_uint_ge(killed, 20);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("letter_killed");
    tcase_add_test(cases, a_sender_killed_at_any_step_leaves_whole_messages_or_none);
    tcase_add_test(cases,
                   an_owner_killed_at_any_step_leaves_a_free_name_and_no_letterbox);
    return suite_run();
}
