/* SPDX-License-Identifier: MIT */
/* Processes that are stopped (SIGSTOP) while they hold a lock: nobody hangs. */
#include "note.h"
#include "places.h"
#include "queue/step.h"
#include "steps.h"
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define SLOT "jobs"
#define SIZE 1000
#define MUCH (UINT64_C(64) << 20)

/* A stopped writer's turn is waited for a second; busy machines take longer. */
#define TURN_MS 1000
#define TURN_MAX_MS 5000

static _Alignas(8) unsigned char buffer[SIZE];

static int send_note(mailslot_writer *writer, uint32_t who, uint32_t index,
                     int64_t timeout_ms) {
    note_write(buffer, who, index, SIZE);
    return mailslot_writer_send(writer, buffer, SIZE, timeout_ms);
}

static void read_note(mailslot *slot, uint32_t who, uint32_t index) {
    size_t size;
    struct note note;
    ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), 0);
    ck_assert(note_read(buffer, size, &note));
    ck_assert_uint_eq(note.writer, who);
    ck_assert_uint_eq(note.index, index);
}

/* The steps of a turn, from its begin to its end. */
static const char *const turn_steps[] = {"turn.begun",     "turn.claimed",
                                         "push.copied",    "push.totalled",
                                         "push.published", "turn.ending"};

static bool is_published_at(const char *step) {
    return strcmp(step, "push.published") == 0 || strcmp(step, "turn.ending") == 0;
}

static void stop_and_send(void *context) {
    const char *const *step = context;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    steps_stop_at(*step);
    REQUIRE(send_note(writer, 1, 0, 0) == 0);
    REQUIRE(send_note(writer, 1, 1, 0) == 0);
    mailslot_writer_close(writer);
}

/* The same, but the slot is dead when it goes on. */
static void stop_and_find_it_dead(void *context) {
    const char *const *step = context;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    steps_stop_at(*step);
    int r = send_note(writer, 1, 0, 0);
    REQUIRE(r == 0 || r == -EPIPE);
    REQUIRE(send_note(writer, 1, 1, 0) == -EPIPE);
    mailslot_writer_close(writer);
}

static pid_t start_and_stop(child_main *run, const char *const *step) {
    const char *name = *step;
    pid_t pid = child_start(run, &name);
    child_await_stop(pid);
    return pid;
}

START_TEST(a_writer_stopped_in_its_turn_makes_others_time_out_and_go_on_later) {
    mailslot *slot = create_at_once(SLOT, 0);
    mailslot_writer *writer = open_writer(SLOT);
    ck_assert_int_eq(send_note(writer, 0, 0, 0), 0);
    ck_assert_int_eq(send_note(writer, 0, 1, 0), 0);
    pid_t stopped = start_and_stop(stop_and_send, &turn_steps[_i]);

    read_note(slot, 0, 0);
    int64_t begin_ms = now_ms();
    ck_assert_int_eq(send_note(writer, 0, 2, 0), -ETIMEDOUT);
    int64_t waited_ms = now_ms() - begin_ms;
    ck_assert_int_ge(waited_ms, TURN_MS - 1);
    ck_assert_int_le(waited_ms, TURN_MAX_MS);
    read_note(slot, 0, 1);
    ck_assert_uint_eq(get_info(slot).count, is_published_at(turn_steps[_i]) ? 1 : 0);

    kill(stopped, SIGCONT);
    child_finish(stopped);
    ck_assert_int_eq(send_note(writer, 0, 2, 0), 0);
    read_note(slot, 1, 0);
    read_note(slot, 1, 1);
    read_note(slot, 0, 2);
    ck_assert_uint_eq(get_info(slot).count, 0);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_longer_timeout_waits_longer_for_the_turn) {
    mailslot *slot = create_at_once(SLOT, 0);
    mailslot_writer *writer = open_writer(SLOT);
    pid_t stopped = start_and_stop(stop_and_send, &turn_steps[2]);
    int64_t begin_ms = now_ms();
    ck_assert_int_eq(send_note(writer, 0, 0, 1500), -ETIMEDOUT);
    ck_assert_int_ge(now_ms() - begin_ms, 1499);
    kill(stopped, SIGCONT);
    child_finish(stopped);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_writer_stopped_in_its_turn_and_then_killed_frees_the_others) {
    mailslot *slot = create_at_once(SLOT, 0);
    mailslot_writer *writer = open_writer(SLOT);
    pid_t stopped = start_and_stop(stop_and_send, &turn_steps[_i]);
    child_kill(stopped);
    int64_t begin_ms = now_ms();
    ck_assert_int_eq(send_note(writer, 0, 0, 0), 0);
    ck_assert_int_lt(now_ms() - begin_ms, AT_ONCE_MS);
    if (is_published_at(turn_steps[_i])) {
        read_note(slot, 1, 0);
    }
    read_note(slot, 0, 0);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

/* A writer that has let go of its turn, but has not woken the owner. */
static const char *const waking_steps[] = {"turn.ended", "turn.ringing"};

struct sleeping {
    const char *step;
    _Atomic uint32_t *is_asleep;
};

static void stop_and_let_another_send(void *context) {
    const struct sleeping *sleeping = context;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    REQUIRE(await_value(sleeping->is_asleep, 1));
    const char *step = sleeping->step;
    pid_t stopped = child_start(stop_and_send, &step);
    child_await_stop(stopped);
    REQUIRE(send_note(writer, 0, 0, 0) == 0);
    mailslot_writer_close(writer);
    REQUIRE(await_value(sleeping->is_asleep, 2));
    kill(stopped, SIGCONT);
    child_finish(stopped);
}

START_TEST(a_writer_stopped_before_it_has_woken_the_owner_leaves_it_to_the_next) {
    mailslot *slot = create_at_once(SLOT, 0);
    struct sleeping sleeping = {waking_steps[_i], share(sizeof(uint32_t))};
    pid_t others = child_start(stop_and_let_another_send, &sleeping);
    steps_signal_at("wait.armed", sleeping.is_asleep);
    ck_assert_int_eq(mailslot_wait(slot, MAILSLOT_FOREVER), 0);
    steps_end();
    *sleeping.is_asleep = 2;
    child_finish(others);
    read_note(slot, 1, 0);
    read_note(slot, 0, 0);
    read_note(slot, 1, 1);
    mailslot_close(slot);
}
END_TEST

/* What the owner of the slot in memory looks like to who asks. */
static struct {
    struct ms_header *header;
    uint64_t count; /* of messages, all of SIZE bytes */
    uint64_t moves;
} reader;

/* Whenever somebody looks, the owner has read one more; and begins again in the end. */
static void read_while_looked_at(const char *name) {
    if (strcmp(name, "status.found") == 0) {
        uint64_t extent = (MS_RECORD_SIZE + SIZE + 7) / 8 * 8;
        uint64_t taken = ++reader.moves % reader.count;
        uint64_t index = reader.moves & 1;
        atomic_store(&reader.header->taken[index].count, taken);
        atomic_store(&reader.header->taken[index].bytes, taken * SIZE);
        atomic_store(&reader.header->head, taken * extent | index);
    }
}

START_TEST(who_cannot_see_a_queue_for_its_changes_and_gets_no_turn_is_told_so) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot *slot = create_at_once(SLOT, MUCH);
    mailslot_writer *writer = open_writer(SLOT);
    reader.header = map_header(SLOT);
    reader.count = 1000;
    for (uint32_t i = 0; i < reader.count; i++) {
        ck_assert_int_eq(send_note(writer, 0, i, 0), 0);
    }
    pid_t stopped = start_and_stop(stop_and_send, &turn_steps[0]);
    ms_step_hook = read_while_looked_at;
    ck_assert_int_eq(mailslot_writer_get_info(writer, &info), -ETIMEDOUT);
    ms_step_hook = NULL;
    ck_assert_uint_gt(reader.moves, 1);
    ck_assert_int_eq(mailslot_writer_get_info(writer, &info), 0);
    child_kill(stopped);
    munmap(reader.header, MS_HEADER_SIZE);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

/* The owner gives memory back and rewinds only when no writer is in its turn. */
START_TEST(an_owner_reads_a_backlog_while_a_writer_is_stopped_in_its_turn) {
    mailslot *slot = create_at_once(SLOT, MUCH);
    mailslot_writer *writer = open_writer(SLOT);
    uint32_t count = 8000;
    for (uint32_t i = 0; i < count; i++) {
        HOLDS(send_note(writer, 0, i, 0) == 0);
    }
    pid_t stopped = start_and_stop(stop_and_send, &turn_steps[2]);
    int64_t begin_ms = now_ms();
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        struct note note;
        HOLDS(mailslot_read(slot, buffer, sizeof buffer, 0, &size) == 0);
        HOLDS(note_read(buffer, size, &note) && note.index == i);
    }
    ck_assert_int_lt(now_ms() - begin_ms, 10000);
    kill(stopped, SIGCONT);
    child_finish(stopped);
    read_note(slot, 1, 0);
    read_note(slot, 1, 1);
    size_t size;
    ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), -EAGAIN);
    ck_assert_int_le(registry_memory(SLOT), DRAINED_BYTES + (64 << 10));
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_close_waits_a_second_at_most_for_a_stopped_writer) {
    mailslot *slot = create_at_once(SLOT, 0);
    pid_t stopped = start_and_stop(stop_and_find_it_dead, &turn_steps[_i]);
    int64_t begin_ms = now_ms();
    mailslot_close(slot);
    ck_assert_int_le(now_ms() - begin_ms, TURN_MAX_MS);
    ck_assert_int_eq(registry_files(), 0);
    mailslot_close(create_at_once(SLOT, 0));
    kill(stopped, SIGCONT);
    child_finish(stopped);
}
END_TEST

/* Whoever removes a dead slot may be stopped, too; the next one waits a second. */
static void stop_and_sweep(void *context) {
    const char *const *step = context;
    mailslot_writer *writer;
    steps_stop_at(*step);
    REQUIRE(mailslot_open(SLOT, &writer) == -ENOENT);
}

START_TEST(a_sweeper_stopped_at_its_work_makes_a_create_time_out_and_work_later) {
    static const char *const steps[] = {"remove.locked", "remove.found"};
    leave_dead_slot(SLOT);
    pid_t stopped = start_and_stop(stop_and_sweep, &steps[_i]);
    mailslot *slot;
    int64_t begin_ms = now_ms();
    ck_assert_int_eq(mailslot_create(SLOT, NULL, &slot), -ETIMEDOUT);
    ck_assert_int_le(now_ms() - begin_ms, TURN_MAX_MS);
    mailslot_writer *writer;
    ck_assert_int_eq(mailslot_open(SLOT, &writer), -ENOENT);
    kill(stopped, SIGCONT);
    child_finish(stopped);
    mailslot_close(create_at_once(SLOT, 0));
}
END_TEST

START_TEST(a_stopped_sweeper_of_one_name_does_not_hold_up_a_create_of_another) {
    static const char *const step = "remove.locked";
    leave_dead_slot(SLOT);
    pid_t stopped = start_and_stop(stop_and_sweep, &step);
    mailslot_close(create_at_once("another", 0));
    kill(stopped, SIGCONT);
    child_finish(stopped);
}
END_TEST

/* A stopped owner is alive: its slot takes messages. */
static void own_until_told(void *context) {
    _Atomic uint32_t *word = context;
    mailslot *slot;
    REQUIRE(mailslot_create(SLOT, NULL, &slot) == 0);
    atomic_store(word, 1);
    REQUIRE(await_value(word, 2));
    REQUIRE(mailslot_read(slot, buffer, sizeof buffer, 0, &(size_t){0}) == 0);
    mailslot_close(slot);
}

START_TEST(the_slot_of_a_stopped_owner_lives_on) {
    _Atomic uint32_t *word = share(sizeof *word);
    pid_t owner = child_start(own_until_told, (void *)word);
    ck_assert(await_value(word, 1));
    kill(owner, SIGSTOP);
    child_await_stop(owner);
    mailslot *slot;
    ck_assert_int_eq(mailslot_create(SLOT, NULL, &slot), -EEXIST);
    ck_assert_int_eq(mailslot_send(SLOT, "to you", 6, 0), 0);
    kill(owner, SIGCONT);
    atomic_store(word, 2);
    child_finish(owner);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("stopped");
    tcase_add_loop_test(
        cases, a_writer_stopped_in_its_turn_makes_others_time_out_and_go_on_later, 0,
        COUNT(turn_steps));
    tcase_add_test(cases, a_longer_timeout_waits_longer_for_the_turn);
    tcase_add_loop_test(
        cases, a_writer_stopped_before_it_has_woken_the_owner_leaves_it_to_the_next, 0,
        COUNT(waking_steps));
    tcase_add_loop_test(cases,
                        a_writer_stopped_in_its_turn_and_then_killed_frees_the_others,
                        0, COUNT(turn_steps));
    tcase_add_test(cases,
                   who_cannot_see_a_queue_for_its_changes_and_gets_no_turn_is_told_so);
    tcase_add_test(cases,
                   an_owner_reads_a_backlog_while_a_writer_is_stopped_in_its_turn);
    tcase_add_loop_test(cases, a_close_waits_a_second_at_most_for_a_stopped_writer, 0,
                        COUNT(turn_steps));
    tcase_add_loop_test(
        cases, a_sweeper_stopped_at_its_work_makes_a_create_time_out_and_work_later, 0,
        2);
    tcase_add_test(cases,
                   a_stopped_sweeper_of_one_name_does_not_hold_up_a_create_of_another);
    tcase_add_test(cases, the_slot_of_a_stopped_owner_lives_on);
    return suite_run();
}
