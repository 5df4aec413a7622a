/* SPDX-License-Identifier: MIT */
/* Faults that happen to a letter on its way: to its sender, and to the owner. */
#include "faults.h"
#include "users.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

/* A note in a packet, one in a sealed file, and one more. */
static const uint32_t sizes[] = {100, 50000, 200};
/* Longer than any wait that a fault causes. */
#define PATIENCE_MS 5000

#define NOTES ((uint32_t)COUNT(sizes))

/* The test is the owner. */
static mailslot *box;

static mailslot_options open_to_all(void) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.mode = 0622;
    options.gid = USER_A;
    return options;
}

static void own_box(void) {
    mailslot_options options = open_to_all();
    HOLDS(mailslot_create(SLOT, &options, &box) == 0);
    await_idle_threads();
}

static void post(void) {
    mailslot_writer *writer = NULL;
    become(USER_A);
    prctl(PR_SET_DUMPABLE, 1); /* so that it may count its own descriptors */
    fault_begin();
    ATTEMPT(0, open_errors, mailslot_open(SLOT, &writer));
    REQUIRE(mailslot_writer_set_origin(writer, "beta", 0) == 0);
    for (uint32_t i = 0; i < NOTES; i++) {
        ATTEMPT(0, send_errors, send_note(writer, 1, i, sizes[i], 0));
        fault_board->told++;
    }
    mailslot_writer_close(writer);
    fault_end();
}

static void check_box(bool is_whole) {
    uint64_t count = get_info(box).count;
    uint32_t told = fault_board->told;
    check_slot(SLOT, count);
    HOLDS(count >= told && count <= told + (is_whole ? 0 : 1));
    for (uint32_t i = 0; i < count; i++) {
        read_note(box, 1, i);
    }
    HOLDS(mailslot_wait(box, 0) == -EAGAIN);
    check_slot(SLOT, 0);
    mailslot_close(box);
    check_reuse(SLOT, 0);
}

/* A dead slot with a letterbox has the name. */
static void own_box_and_die(void *context) {
    (void)context;
    own_box();
    raise(SIGKILL);
}

static void leave_dead_box(void) {
    child_await(child_start(own_box_and_die, NULL));
    HOLDS(registry_files() == 2);
}

static void run_check(void *context) {
    (void)context;
    check_slot(SLOT, 0);
}

/* Until the thread knows that a letter waits for room; not for ever, because of faults.
 */
static void await_thread(void) {
    int64_t end_ms = now_ms() + 1000;
    while (steps_passed(&fault_board->steps, "eventfd_read") == 0 &&
           now_ms() < end_ms) {
        nap_us(100);
    }
}

static void serve_letters(void) {
    mailslot_options options = open_to_all();
    mailslot *slot = NULL;
    options.user_max_bytes = sizes[1] / 2; /* so there is always a note that waits */
    fault_begin();
    ATTEMPT(0, create_errors, mailslot_create(SLOT, &options, &slot));
    fault_board->is_ready = 1;
    REQUIRE(await_value(&fault_board->told, NOTES));
    await_thread();
    for (uint32_t i = 0; i < NOTES; i++) {
        mailslot_message message;
        struct note note;
        ATTEMPT(0, read_errors, mailslot_peek(slot, PATIENCE_MS, &message));
        REQUIRE(note_read(message.data, message.size, &note) && note.index == i);
        REQUIRE(mailslot_consume(slot) == 0);
    }
    steps_mute(true);
    child_finish(child_start(run_check, NULL));
    steps_mute(false);
    mailslot_close(slot);
    fault_end();
}

/* Every note is sent until it is accepted, once. */
static bool post_note(mailslot_writer **writer, uint32_t index) {
    int64_t end_ms = now_ms() + PATIENCE_MS;
    for (;;) {
        int r = *writer ? 0 : mailslot_open(SLOT, writer);
        if (r == 0) {
            REQUIRE(mailslot_writer_set_origin(*writer, "beta", 0) == 0);
            r = send_note(*writer, 1, index, sizes[index], 0);
        } else if (r == -ENOENT || r == -EACCES) {
            return false; /* the owner has died */
        }
        if (r == 0) {
            fault_board->told++;
            return true;
        }
        if (r == -EPIPE) {
            *writer = mailslot_writer_close(*writer);
        }
        REQUIRE(r == -EPIPE || r == -EAGAIN || r == -ETIMEDOUT);
        REQUIRE(now_ms() < end_ms);
    }
}

static void post_all(void *context) {
    (void)context;
    mailslot_writer *writer = NULL;
    become(USER_A);
    for (uint32_t i = 0; i < NOTES && post_note(&writer, i); i++) {
    }
    mailslot_writer_close(writer);
}

static void send_letters(pid_t victim) {
    while (!child_has_ended(victim) && fault_board->is_ready == 0) {
        nap_us(50);
    }
    if (fault_board->is_ready == 1) {
        child_finish(child_start(post_all, NULL));
    }
}

static void check_free(bool is_whole) {
    (void)is_whole;
    check_reuse(SLOT, 0);
}

const struct fault_scenario letter_faults[] = {
    {"a letter's sender", own_box, post, NULL, check_box, NULL},
    /* What a sealed file cannot give is gone. */
    {"a letter's owner", leave_dead_box, serve_letters, send_letters, check_free,
     "pread"},
};
const size_t letter_fault_count = COUNT(letter_faults);
