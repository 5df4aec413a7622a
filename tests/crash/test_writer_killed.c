/* SPDX-License-Identifier: MIT */
/*
 * A writer killed at every step of a send. Each scenario is one way through the write
 * path: it is run once to record its steps, then killed at each of them (case 87).
 */
#include "note.h"
#include "steps.h"
#include "support.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOT "jobs"
#define BUFFER_SIZE (1u << 20)

/* Whose notes there are. */
enum { EARLIER, VICTIM, OTHER };

struct board {
    struct steps steps;
    _Atomic uint32_t told; /* the victim's messages whose send has returned */
    _Atomic uint32_t is_owner_asleep;
};

struct scenario {
    const char *name;
    uint64_t max_bytes;
    void (*prepare)(mailslot *slot, mailslot_writer *writer);
    void (*write)(struct board *board, mailslot_writer *writer);
    uint32_t at_once;   /* messages of one call */
    const char *passes; /* what makes the scenario what it is, */
    uint32_t times;     /* and how often */
};

static _Alignas(8) unsigned char buffer[BUFFER_SIZE];

static int send_note(mailslot_writer *writer, uint32_t who, uint32_t index,
                     uint32_t size, int64_t timeout_ms) {
    note_write(buffer, who, index, size);
    return mailslot_writer_send(writer, buffer, size, timeout_ms);
}

/* In the victim: send so many notes of that size, and tell of each. */
static void send_notes(struct board *board, mailslot_writer *writer, uint32_t count,
                       uint32_t size) {
    for (uint32_t i = 0; i < count; i++) {
        REQUIRE(send_note(writer, VICTIM, i, size, 0) == 0);
        atomic_fetch_add(&board->told, 1);
    }
}

static void prepare_nothing(mailslot *slot, mailslot_writer *writer) {
    (void)slot;
    (void)writer;
}

/* Notes are sent until `sent`, and read but for the last `kept`. */
static void send_and_read(mailslot *slot, mailslot_writer *writer, uint32_t size,
                          uint32_t sent, uint32_t kept) {
    for (uint32_t i = 0; i < sent; i++) {
        ck_assert_int_eq(send_note(writer, EARLIER, i, size, 0), 0);
    }
    mailslot_message message;
    for (uint32_t i = 0; i < sent - kept; i++) {
        ck_assert_int_eq(mailslot_peek(slot, 0, &message), 0);
    }
    ck_assert_int_eq(mailslot_consume(slot), 0);
}

/* A ring of 4096 with the tail 1000 bytes before its end. */
static void prepare_wrap(mailslot *slot, mailslot_writer *writer) {
    send_and_read(slot, writer, 1008, 3, 1);
}

/* A ring of 512 KiB with its tail beyond the middle, where the owner does not rewind
 * because a message is queued. */
static void prepare_far(mailslot *slot, mailslot_writer *writer) {
    send_and_read(slot, writer, 200000, 2, 1);
}

static void prepare_full(mailslot *slot, mailslot_writer *writer) {
    send_and_read(slot, writer, 1024 - 24, 4, 4);
}

static void write_one(struct board *board, mailslot_writer *writer) {
    send_notes(board, writer, 1, 100);
}

static void write_brought(struct board *board, mailslot_writer *writer) {
    REQUIRE(mailslot_writer_set_origin(writer, "beta", 0) == 0);
    send_notes(board, writer, 3, 100);
}

static void write_wrapped(struct board *board, mailslot_writer *writer) {
    send_notes(board, writer, 1, 1000);
}

static void write_reserving(struct board *board, mailslot_writer *writer) {
    send_notes(board, writer, 3, 70000);
}

static void write_far(struct board *board, mailslot_writer *writer) {
    send_notes(board, writer, 3, 95000);
}

static void write_many(struct board *board, mailslot_writer *writer, uint32_t count,
                       uint32_t size) {
    mailslot_buffer messages[8];
    unsigned char *memory = malloc((size_t)count * size);
    REQUIRE(memory && count <= COUNT(messages));
    for (uint32_t i = 0; i < count; i++) {
        messages[i].data = memory + (size_t)i * size;
        messages[i].size = size;
        note_write(memory + (size_t)i * size, VICTIM, i, size);
    }
    size_t sent;
    REQUIRE(mailslot_writer_send_all(writer, messages, count, 0, &sent) == 0);
    REQUIRE(sent == count);
    atomic_store(&board->told, count);
    free(memory);
}

static void write_batch(struct board *board, mailslot_writer *writer) {
    write_many(board, writer, 5, 1000);
}

static void write_long_batch(struct board *board, mailslot_writer *writer) {
    write_many(board, writer, 4, 600000);
}

static void write_waiting(struct board *board, mailslot_writer *writer) {
    REQUIRE(send_note(writer, VICTIM, 0, 500, DEADLINE_MS) == 0);
    atomic_store(&board->told, 1);
}

static void write_in_vain(struct board *board, mailslot_writer *writer) {
    (void)board;
    REQUIRE(send_note(writer, VICTIM, 0, 500, 0) == -EAGAIN);
}

#define KIB UINT64_C(1024)

static const struct scenario scenarios[] = {
    {"the first message", 1024 * KIB, prepare_nothing, write_one, 1, "reserve.noted",
     1},
    {"messages from another machine", 1024 * KIB, prepare_nothing, write_brought, 1,
     "push.published", 3},
    {"a wrap with padding", 4096, prepare_wrap, write_wrapped, 1, "push.padded", 1},
    {"more memory", 1024 * KIB, prepare_nothing, write_reserving, 1, "reserve.noted",
     3},
    {"more memory at the wrap", 512 * KIB, prepare_far, write_far, 1, "push.padded", 1},
    {"a batch", 1024 * KIB, prepare_nothing, write_batch, 5, "push.published", 5},
    {"a batch of several turns", 8192 * KIB, prepare_nothing, write_long_batch, 4,
     "turn.begun", 2},
    {"a wait for space", 4096, prepare_full, write_waiting, 1, "space.waiting", 1},
    {"a full slot", 4096, prepare_full, write_in_vain, 1, "turn.ended", 1},
};

struct context {
    const struct scenario *scenario;
    struct board *board;
    uint32_t index;
};

static void write_and_die(void *memory) {
    const struct context *context = memory;
    steps_begin(&context->board->steps, context->index);
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    context->scenario->write(context->board, writer);
    mailslot_writer_close(writer);
}

/* What the owner has read, and must read next. */
struct reading {
    mailslot *slot;
    uint32_t next_index[OTHER + 1];
    uint64_t count;
};

/* Read one message: a whole note, the next one of its writer. */
static uint32_t read_note(struct reading *reading) {
    mailslot_message message;
    int r = mailslot_peek(reading->slot, 0, &message);
    ck_assert_msg(r == 0, "peek: %s", mailslot_error_name(r));
    struct note note;
    HOLDS(note_read(message.data, message.size, &note));
    HOLDS(note.writer <= OTHER);
    HOLDS(note.index == reading->next_index[note.writer]);
    reading->next_index[note.writer]++;
    reading->count++;
    HOLDS(mailslot_consume(reading->slot) == 0);
    return note.writer;
}

/* Until the victim's end; whenever it waits for space, there is some. */
static int serve(struct reading *reading, const struct context *context, pid_t victim) {
    uint32_t waits = 0;
    while (!child_has_ended(victim)) {
        if (steps_passed(&context->board->steps, "space.waiting") > waits) {
            waits++;
            ck_assert_uint_eq(read_note(reading), EARLIER);
        }
        nap_us(100);
    }
    return child_await(victim);
}

/* Another writer sends at once, unless the slot is full. */
static int send_other(mailslot_writer *writer, uint32_t index) {
    int64_t begin_ms = now_ms();
    int r = send_note(writer, OTHER, index, 200, 0);
    ck_assert_int_lt(now_ms() - begin_ms, AT_ONCE_MS);
    return r;
}

/* Of all messages, those that the victim has sent told an origin, or none did. */
static void check_brought(const struct reading *reading,
                          const struct context *context) {
    int64_t created_ns;
    uint64_t brought;
    mailslot_writer *writer = open_writer(SLOT);
    ck_assert_int_eq(mailslot_writer_set_origin(writer, "gamma", 0), 0);
    ck_assert_int_eq(mailslot_writer_get_accepted(writer, &created_ns, &brought), 0);
    ck_assert_uint_eq(brought, context->scenario->write == write_brought
                                   ? reading->next_index[VICTIM]
                                   : 0);
    mailslot_writer_close(writer);
}

/* What is queued when the victim is dead, and that the slot goes on. */
static void check_after(struct reading *reading, const struct context *context,
                        mailslot_writer *other) {
    mailslot_info info = get_info(reading->slot);
    uint32_t told = atomic_load(&context->board->told);
    bool is_full = send_other(other, 0) == -EAGAIN;
    if (!is_full) {
        info.count++;
    }
    uint64_t count = 0;
    for (; get_info(reading->slot).count; count++) {
        read_note(reading);
    }
    ck_assert_uint_eq(count, info.count);
    ck_assert_uint_ge(reading->next_index[VICTIM], told);
    ck_assert_uint_le(reading->next_index[VICTIM], told + context->scenario->at_once);
    ck_assert_uint_eq(reading->next_index[OTHER], is_full ? 0 : 1);
    ck_assert_int_eq(send_other(other, reading->next_index[OTHER]), 0);
    ck_assert_uint_eq(read_note(reading), OTHER);
    info = get_info(reading->slot);
    ck_assert_uint_eq(info.count, 0);
    ck_assert_uint_eq(info.bytes, 0);
    ck_assert_uint_eq(info.next_size, MAILSLOT_NO_MESSAGE);
    ck_assert_uint_eq(info.received, reading->count);
    check_brought(reading, context);
}

/* One run of a scenario; whether the victim was killed. */
static bool run(const struct context *context) {
    memset(context->board, 0, sizeof *context->board);
    struct reading reading = {.slot =
                                  create_at_once(SLOT, context->scenario->max_bytes)};
    mailslot_writer *other = open_writer(SLOT);
    context->scenario->prepare(reading.slot, other);
    reading.count = get_info(reading.slot).received - get_info(reading.slot).count;
    reading.next_index[EARLIER] = (uint32_t)reading.count;
    struct context copy = *context;
    int status = serve(&reading, context, child_start(write_and_die, &copy));
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ck_assert_msg(is_killed || status == 0, "%s, step %u: wait status %#x",
                  context->scenario->name, context->index, (unsigned)status);
    check_after(&reading, context, other);
    mailslot_writer_close(other);
    mailslot_close(reading.slot);
    ck_assert_int_eq(registry_files(), 0);
    return is_killed;
}

START_TEST(case_87_a_writer_killed_at_any_step_leaves_whole_messages_and_no_lock) {
    struct context context = {&scenarios[_i], share(sizeof *context.board), STEPS_ALL};
    ck_assert(!run(&context));
    uint32_t count = context.board->steps.count;
    ck_assert_uint_ge(steps_passed(&context.board->steps, context.scenario->passes),
                      context.scenario->times);
    for (context.index = 0; context.index < count; context.index++) {
        ck_assert_msg(run(&context) ||
                          steps_fell_short(&context.board->steps, context.index, count),
                      "%s: not killed at step %u of %u", context.scenario->name,
                      context.index, count);
    }
}
END_TEST

/* The owner is asleep when the victim begins. If the victim dies before its message is
 * in the slot, another writer wakes the owner; else the owner must find it itself. */
struct ward {
    struct board *board;
    uint32_t index;
    int ends[2]; /* a pipe: it ends with the victim */
};

static void wake_if_lost(void *memory) {
    const struct ward *ward = memory;
    char byte;
    close(ward->ends[1]);
    REQUIRE(read(ward->ends[0], &byte, 1) == 0);
    mailslot_info info = MAILSLOT_INFO_INIT;
    REQUIRE(mailslot_get_info_by_name(SLOT, &info) == 0);
    mailslot_writer *writer;
    if (info.received == 0) {
        REQUIRE(mailslot_open(SLOT, &writer) == 0);
        REQUIRE(send_note(writer, OTHER, 0, 100, 0) == 0);
    }
}

static void wake_and_die(void *memory) {
    const struct ward *ward = memory;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    REQUIRE(await_value(&ward->board->is_owner_asleep, 1));
    steps_begin(&ward->board->steps, ward->index);
    REQUIRE(send_note(writer, VICTIM, 0, 100, 0) == 0);
}

/* Nobody looks again; whether the victim was killed. */
static bool run_asleep(struct ward *ward) {
    memset(ward->board, 0, sizeof *ward->board);
    struct reading reading = {.slot = create_at_once(SLOT, 0)};
    ck_assert_int_eq(pipe(ward->ends), 0);
    pid_t waker = child_start(wake_if_lost, ward);
    steps_signal_at("wait.armed", &ward->board->is_owner_asleep);
    pid_t victim = child_start(wake_and_die, ward);
    close(ward->ends[0]);
    close(ward->ends[1]);
    int64_t begin_ms = now_ms();
    ck_assert_int_eq(mailslot_wait(reading.slot, 10000), 0);
    ck_assert_int_lt(now_ms() - begin_ms, 2500);
    steps_end();
    int status = child_await(victim);
    child_finish(waker);
    read_note(&reading);
    ck_assert_uint_eq(get_info(reading.slot).count, 0);
    mailslot_close(reading.slot);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

START_TEST(a_sleeping_owner_finds_the_message_of_a_writer_killed_at_any_step) {
    struct ward ward = {.board = share(sizeof *ward.board), .index = STEPS_ALL};
    ck_assert(!run_asleep(&ward));
    uint32_t count = ward.board->steps.count;
    ck_assert_uint_eq(steps_passed(&ward.board->steps, "turn.ringing"), 1);
    for (ward.index = 0; ward.index < count; ward.index++) {
        ck_assert(run_asleep(&ward));
    }
}
END_TEST

/* The same with a descriptor. */
static bool run_polling(struct ward *ward) {
    memset(ward->board, 0, sizeof *ward->board);
    struct reading reading = {.slot = create_at_once(SLOT, 0)};
    struct pollfd entry = {.events = POLLIN};
    ck_assert_int_eq(mailslot_get_fd(reading.slot, &entry.fd), 0);
    ck_assert_int_eq(pipe(ward->ends), 0);
    pid_t waker = child_start(wake_if_lost, ward);
    pid_t victim = child_start(wake_and_die, ward);
    close(ward->ends[0]);
    close(ward->ends[1]);
    int64_t begin_ms = now_ms();
    ward->board->is_owner_asleep = 1;
    ck_assert_int_eq(poll(&entry, 1, 10000), 1);
    ck_assert_int_lt(now_ms() - begin_ms, 2500);
    int status = child_await(victim);
    child_finish(waker);
    read_note(&reading);
    ck_assert_int_eq(poll(&entry, 1, 0), 0);
    mailslot_close(reading.slot);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

START_TEST(a_descriptor_tells_of_the_message_of_a_writer_killed_at_any_step) {
    struct ward ward = {.board = share(sizeof *ward.board), .index = STEPS_ALL};
    ck_assert(!run_polling(&ward));
    uint32_t count = ward.board->steps.count;
    ck_assert_uint_eq(steps_passed(&ward.board->steps, "turn.pulling"), 1);
    for (ward.index = 0; ward.index < count; ward.index++) {
        ck_assert(run_polling(&ward));
    }
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("writer killed");
    tcase_add_loop_test(
        cases, case_87_a_writer_killed_at_any_step_leaves_whole_messages_and_no_lock, 0,
        COUNT(scenarios));
    tcase_add_test(cases,
                   a_sleeping_owner_finds_the_message_of_a_writer_killed_at_any_step);
    tcase_add_test(cases,
                   a_descriptor_tells_of_the_message_of_a_writer_killed_at_any_step);
    return suite_run();
}
