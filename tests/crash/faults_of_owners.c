/* SPDX-License-Identifier: MIT */
/* Faults that an owner meets. */
#include "faults.h"
#include "places.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#define BUSY "busy"
#define DEAD "dead"
#define SIZE 300000
#define BACKLOG 16

static mailslot *busy;

/* In the victim. */
static mailslot *create(uint64_t max_bytes) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    options.max_bytes = max_bytes;
    ATTEMPT(0, create_errors, mailslot_create(SLOT, &options, &slot));
    return slot;
}

/* From another process, in which no call fails. */
static void run_check(void *context) {
    check_slot(SLOT, *(const uint64_t *)context);
}

static void check_from_outside(uint64_t count) {
    steps_mute(true);
    child_finish(child_start(run_check, &count));
    steps_mute(false);
}

/* Notes of 300000 bytes lie beyond the window that keeps its memory. */
static void queue_notes(uint32_t first, uint32_t end) {
    steps_mute(true);
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = first; i < end; i++) {
        REQUIRE(send_note(writer, 0, i, SIZE, 0) == 0);
    }
    mailslot_writer_close(writer);
    steps_mute(false);
}

/* Dead slots have the name and another one, a living one a third. */
static void leave_slots(void) {
    leave_dead_slot(SLOT);
    leave_dead_slot(DEAD);
    busy = create_at_once(BUSY, 0);
}

static void live(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot_message message;
    mailslot *slot = NULL;
    fault_begin();
    ATTEMPT(-EEXIST, create_errors, mailslot_create(BUSY, NULL, &slot));
    slot = create(16 * MIB);
    queue_notes(0, BACKLOG);
    ATTEMPT(0, info_errors, mailslot_get_info(slot, &info));
    REQUIRE(info.count == BACKLOG && info.next_size == SIZE);
    for (uint32_t i = 0; i < BACKLOG; i++) {
        struct note note;
        ATTEMPT(0, read_errors, mailslot_peek(slot, 0, &message));
        REQUIRE(note_read(message.data, message.size, &note) && note.index == i);
        REQUIRE(mailslot_consume(slot) == 0);
    }
    ATTEMPT(-ETIMEDOUT, read_errors, mailslot_wait(slot, 1));
    REQUIRE(mailslot_cancel(slot) == 0);
    ATTEMPT(-ECANCELED, read_errors, mailslot_wait(slot, 1));
    queue_notes(BACKLOG, BACKLOG + 1);
    check_from_outside(1);
    mailslot_close(slot);
    fault_end();
}

static void check_names(bool is_whole) {
    mailslot_writer *writer;
    (void)is_whole;
    HOLDS(mailslot_open(SLOT, &writer) == -ENOENT);
    check_reuse(SLOT, 1);
    mailslot_close(busy);
    HOLDS(registry_files() == 0);
}

/* A dead slot of another version of this library. */
static void leave_foreign(void) {
    char path[256];
    registry_path(SLOT, path);
    file_write(path, "MAILSLOT", 8192);
}

static void create_only(void) {
    fault_begin();
    mailslot_close(create(4 * KIB));
    fault_end();
}

/* In a child: so the next victim, too, is one to which the library is new. */
static void run_reuse(void *context) {
    (void)context;
    check_reuse(SLOT, 0);
}

static void check_free(bool is_whole) {
    (void)is_whole;
    child_finish(child_start(run_reuse, NULL));
}

/* The thread that created the slot ends, and another one closes it. */
static void *run_create(void *context) {
    *(mailslot **)context = create(4 * KIB);
    return NULL;
}

static void hand_over(void) {
    pthread_t thread;
    mailslot *slot;
    fault_begin();
    REQUIRE(pthread_create(&thread, NULL, run_create, &slot) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    mailslot_close(slot);
    fault_end();
}

/* The descriptor of a slot tells of a message, and not when there is none. */
static void watch(void) {
    mailslot_message message;
    struct pollfd polled = {.events = POLLIN};
    fault_begin();
    mailslot *slot = create(16 * MIB);
    ATTEMPT(0, fd_errors, mailslot_get_fd(slot, &polled.fd));
    queue_notes(0, 1);
    REQUIRE(poll(&polled, 1, DEADLINE_MS) == 1);
    ATTEMPT(0, read_errors, mailslot_peek(slot, 0, &message));
    REQUIRE(mailslot_consume(slot) == 0);
    REQUIRE(poll(&polled, 1, 0) == 0);
    mailslot_close(slot);
    fault_end();
}

/* The victim owns a full slot, and somebody waits for space. */
static void make_room(void) {
    mailslot_message message;
    fault_begin();
    mailslot *slot = create(4 * KIB);
    steps_mute(true);
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < 4; i++) {
        REQUIRE(send_note(writer, 0, i, 1024 - 24, 0) == 0);
    }
    mailslot_writer_close(writer);
    steps_mute(false);
    fault_board->is_ready = 1;
    REQUIRE(await_value(&fault_board->is_waiting, 1));
    for (uint32_t i = 0; i < 5; i++) {
        struct note note;
        ATTEMPT(0, read_errors, mailslot_peek(slot, DEADLINE_MS, &message));
        REQUIRE(note_read(message.data, message.size, &note));
        REQUIRE(note.writer == i / 4 && note.index == i % 4);
        REQUIRE(mailslot_consume(slot) == 0);
    }
    check_from_outside(0);
    mailslot_close(slot);
    fault_end();
}

static void wait_for_room(void *context) {
    (void)context;
    mailslot_writer *writer;
    steps_signal_at("space.waiting", &fault_board->is_waiting);
    int r = mailslot_open(SLOT, &writer);
    if (r == -ENOENT) {
        return; /* the victim has died */
    }
    REQUIRE(r == 0);
    r = send_note(writer, 1, 0, 500, DEADLINE_MS);
    REQUIRE(r == 0 || r == -EPIPE);
    mailslot_writer_close(writer);
}

static void serve_room(pid_t victim) {
    while (!child_has_ended(victim) && fault_board->is_ready == 0) {
        nap_us(50);
    }
    if (fault_board->is_ready == 1) {
        child_finish(child_start(wait_for_room, NULL));
    }
}

static void leave_nothing(void) {
}

const struct fault_scenario owner_faults[] = {
    {"the life of an owner", leave_slots, live, NULL, check_names, NULL},
    {"a slot of another version", leave_foreign, create_only, NULL, check_free, NULL},
    {"a slot outlives its thread", leave_nothing, hand_over, NULL, check_free, NULL},
    {"a slot with a descriptor", leave_nothing, watch, NULL, check_free, NULL},
    {"an owner makes room", leave_nothing, make_room, serve_room, check_free, NULL},
};
const size_t owner_fault_count = COUNT(owner_faults);
