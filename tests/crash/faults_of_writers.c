/* SPDX-License-Identifier: MIT */
/* Faults that a writer meets. */
#include "faults.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define OUTBOX "gateway\\outbox"
#define REMOTE_SIZE 96

/* Whose notes there are. */
enum { EARLIER, VICTIM };

/* The test is the owner. */
static struct {
    mailslot *slot;
    uint32_t first; /* of the earlier notes that are queued, */
    uint32_t end;   /* and after the last one */
    struct pollfd polled;
    pid_t stopped; /* a writer in its turn */
} owner;

static void own(uint64_t max_bytes) {
    owner.slot = create_at_once(SLOT, max_bytes);
    owner.first = owner.end = 0;
}

static void send_and_read(uint32_t size, uint32_t sent, uint32_t read) {
    mailslot_writer *writer = open_writer(SLOT);
    while (owner.end < sent) {
        HOLDS(send_note(writer, EARLIER, owner.end++, size, 0) == 0);
    }
    while (owner.first < read) {
        read_note(owner.slot, EARLIER, owner.first++);
    }
    mailslot_writer_close(writer);
}

static void own_empty(void) {
    own(1024 * KIB);
}

/* It waits for its descriptor. */
static void own_polling(void) {
    own(1024 * KIB);
    owner.polled.events = POLLIN;
    HOLDS(mailslot_get_fd(owner.slot, &owner.polled.fd) == 0);
}

/* The tail is 1000 bytes before the end of the ring. */
static void own_before_wrap(void) {
    own(4 * KIB);
    send_and_read(1008, 3, 2);
}

/* The tail is beyond the middle, and the start of the ring has not all its memory. */
static void own_far(void) {
    own(512 * KIB);
    send_and_read(200000, 2, 1);
}

static void own_large(void) {
    own(8192 * KIB);
}

static void own_full(void) {
    own(4 * KIB);
    send_and_read(1024 - 24, 4, 0);
}

static void stop_in_turn(void *context) {
    (void)context;
    mailslot_writer *writer = open_writer(SLOT);
    steps_stop_at("turn.begun");
    REQUIRE(send_note(writer, EARLIER, 0, 100, 0) == 0);
    mailslot_writer_close(writer);
}

static void own_in_use(void) {
    own(1024 * KIB);
    owner.stopped = child_start(stop_in_turn, NULL);
    child_await_stop(owner.stopped);
    owner.end++;
}

static mailslot_writer *begin(void) {
    mailslot_writer *writer = NULL;
    fault_begin();
    ATTEMPT(0, open_errors, mailslot_open(SLOT, &writer));
    return writer;
}

static void end(mailslot_writer *writer) {
    mailslot_writer_close(writer);
    fault_end();
}

static void send_notes(uint32_t count, uint32_t size) {
    mailslot_writer *writer = begin();
    for (uint32_t i = 0; i < count; i++) {
        ATTEMPT(0, send_errors, send_note(writer, VICTIM, i, size, 0));
        fault_board->told++;
    }
    end(writer);
}

static void send_three(void) {
    send_notes(3, 70000);
}

static void send_two(void) {
    send_notes(2, 100);
}

static void send_wrapped(void) {
    send_notes(1, 1000);
}

static void send_far(void) {
    send_notes(3, 95000);
}

/* What the first call has sent is not sent again. */
static void send_batch(void) {
    enum { NOTES = 3, SIZE = 600000 };
    mailslot_buffer messages[NOTES];
    unsigned char *memory = malloc(NOTES * SIZE);
    REQUIRE(memory);
    for (uint32_t i = 0; i < NOTES; i++) {
        messages[i] = (mailslot_buffer){memory + (size_t)i * SIZE, SIZE};
        note_write(memory + (size_t)i * SIZE, VICTIM, i, SIZE);
    }
    mailslot_writer *writer = begin();
    size_t sent;
    size_t done = 0;
    for (int i = 0; i < 2 && done < NOTES; i++) {
        int r =
            mailslot_writer_send_all(writer, messages + done, NOTES - done, 0, &sent);
        REQUIRE(i == 0 ? !fault_has_failed("send_all", r, 0, send_errors) ||
                             sent < NOTES - done
                       : r == 0);
        done += sent;
        fault_board->told = (uint32_t)done;
    }
    REQUIRE(done == NOTES);
    end(writer);
    free(memory);
}

static void send_waiting(void) {
    mailslot_writer *writer = begin();
    ATTEMPT(0, send_errors, send_note(writer, VICTIM, 0, 500, DEADLINE_MS));
    fault_board->told++;
    end(writer);
}

static void send_to_sleeper(void) {
    mailslot_writer *writer = begin();
    REQUIRE(await_value(&fault_board->is_waiting, 1));
    ATTEMPT(0, send_errors, send_note(writer, VICTIM, 0, 100, 0));
    fault_board->told++;
    end(writer);
}

static void send_in_vain(void) {
    mailslot_writer *writer = begin();
    ATTEMPT(-EAGAIN, send_errors, send_note(writer, VICTIM, 0, 500, 0));
    end(writer);
}

static void send_once(void) {
    uint64_t data[16];
    note_write(data, VICTIM, 0, sizeof data);
    fault_begin();
    ATTEMPT(0, once_errors, mailslot_send(SLOT, data, sizeof data, 0));
    fault_board->told++;
    fault_end();
}

/* What goes to another machine goes into the outbox of a gateway, behind a head. */
static void own_outbox(void) {
    owner.slot = create_at_once(OUTBOX, 1024 * KIB);
}

static void send_elsewhere(void) {
    mailslot_writer *writer = NULL;
    fault_begin();
    ATTEMPT(0, remote_errors, mailslot_open("\\\\elsewhere\\mailslot\\a", &writer));
    for (uint32_t i = 0; i < 2; i++) {
        ATTEMPT(0, send_errors, send_note(writer, VICTIM, i, REMOTE_SIZE, 0));
        fault_board->told++;
    }
    end(writer);
}

static void check_outbox(bool is_whole) {
    uint64_t count = get_info(owner.slot).count;
    uint32_t told = fault_board->told;
    check_slot(OUTBOX, count);
    HOLDS(count >= told && count <= told + (is_whole ? 0 : 1));
    for (uint32_t i = 0; i < count; i++) {
        mailslot_message message;
        struct note note;
        HOLDS(mailslot_peek(owner.slot, 0, &message) == 0);
        HOLDS(message.size > REMOTE_SIZE);
        uint64_t copy[REMOTE_SIZE / 8];
        const char *data = message.data;
        memcpy(copy, data + message.size - sizeof copy, sizeof copy);
        HOLDS(note_read(copy, sizeof copy, &note) && note.index == i);
        HOLDS(mailslot_consume(owner.slot) == 0);
    }
    mailslot_close(owner.slot);
    HOLDS(registry_files() == 0);
}

static void look(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    fault_begin();
    ATTEMPT(0, info_errors, mailslot_get_info_by_name(SLOT, &info));
    REQUIRE(info.count == 1 && info.next_size == 200000);
    fault_end();
}

/* Whenever the victim waits for space, there is some. */
static void make_room(pid_t victim) {
    uint32_t waits = 0;
    while (!child_has_ended(victim)) {
        if (steps_passed(&fault_board->steps, "space.waiting") > waits) {
            waits++;
            read_note(owner.slot, EARLIER, owner.first++);
        }
        nap_us(50);
    }
}

/* When the victim has waited for its turn, or is dead, the other goes on. */
static void go_on(pid_t victim) {
    while (!child_has_ended(victim) &&
           steps_passed(&fault_board->steps, "ppoll.nap") < 2) {
        nap_us(50);
    }
    HOLDS(kill(owner.stopped, SIGCONT) == 0);
    child_finish(owner.stopped);
}

static void do_nothing(int signal) {
    (void)signal;
}

/* The owner sleeps until there is a message; the victim's end ends its sleep, too. */
static void sleep_meanwhile(pid_t victim) {
    struct sigaction action = {.sa_handler = do_nothing};
    int r = -EINTR;
    HOLDS(sigaction(SIGCHLD, &action, NULL) == 0);
    steps_signal_at("wait.armed", &fault_board->is_waiting);
    while (r < 0 && !child_has_ended(victim)) {
        r = mailslot_wait(owner.slot, 1000);
        HOLDS(r == 0 || r == -EINTR || r == -ETIMEDOUT);
    }
    steps_end();
}

static void check_queue(bool is_whole, uint32_t at_once) {
    uint64_t count = get_info(owner.slot).count;
    uint64_t earlier = owner.end - owner.first;
    uint32_t told = fault_board->told;
    check_slot(SLOT, count);
    HOLDS(count >= earlier + told);
    HOLDS(count <= earlier + told + (is_whole ? 0 : at_once));
    while (owner.first < owner.end) {
        read_note(owner.slot, EARLIER, owner.first++);
    }
    for (uint32_t i = 0; i < count - earlier; i++) {
        read_note(owner.slot, VICTIM, i);
    }
    HOLDS(mailslot_wait(owner.slot, 0) == -EAGAIN);
    check_slot(SLOT, 0);
    mailslot_close(owner.slot);
    HOLDS(registry_files() == 0);
}

static void check_each(bool is_whole) {
    check_queue(is_whole, 1);
}

/* What a victim that was killed has not done, the thread does: later. */
static void check_polling(bool is_whole) {
    HOLDS(!is_whole || poll(&owner.polled, 1, DEADLINE_MS) == 1);
    check_queue(is_whole, 1);
}

static void check_batch(bool is_whole) {
    check_queue(is_whole, 3);
}

static void leave_dead(void) {
    leave_dead_slot(SLOT);
}

static void open_dead(void) {
    mailslot_writer *writer;
    fault_begin();
    ATTEMPT(-ENOENT, open_errors, mailslot_open(SLOT, &writer));
    fault_end();
}

static void check_free(bool is_whole) {
    (void)is_whole;
    check_reuse(SLOT, 0);
}

const struct fault_scenario writer_faults[] = {
    {"a writer needs more memory", own_empty, send_three, NULL, check_each, NULL},
    {"a writer wraps with padding", own_before_wrap, send_wrapped, NULL, check_each,
     NULL},
    {"a writer needs memory at the wrap", own_far, send_far, NULL, check_each, NULL},
    {"a writer sends a batch of several turns", own_large, send_batch, NULL,
     check_batch, NULL},
    {"a writer waits for its turn", own_in_use, send_waiting, go_on, check_each, NULL},
    {"a writer waits for space", own_full, send_waiting, make_room, check_each, NULL},
    {"a writer wakes the owner", own_empty, send_to_sleeper, sleep_meanwhile,
     check_each, NULL},
    {"a writer pulls the cord", own_polling, send_two, NULL, check_polling, NULL},
    {"a writer that sends once has it pulled", own_polling, send_once, NULL,
     check_polling, NULL},
    {"a writer meets a full slot", own_full, send_in_vain, NULL, check_each, NULL},
    {"a writer sends once", own_empty, send_once, NULL, check_each, NULL},
    {"a writer sends to another machine", own_outbox, send_elsewhere, NULL,
     check_outbox, NULL},
    {"an onlooker", own_far, look, NULL, check_each, NULL},
    {"who opens a dead slot", leave_dead, open_dead, NULL, check_free, NULL},
};
const size_t writer_fault_count = COUNT(writer_faults);
