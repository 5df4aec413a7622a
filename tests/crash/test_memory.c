/* SPDX-License-Identifier: MIT */
/* A slot uses memory for what is queued and little more, and gives it back. */
#include "note.h"
#include "places.h"
#include "queue/step.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER_BYTES 4096
#define RECORD_BYTES 24
#define AHEAD_BYTES ((int64_t)(64 * KIB))   /* reserved before it is needed */
#define STEP_BYTES ((int64_t)MIB)           /* read, but not yet given back */
#define WAITING_BYTES ((int64_t)(64 * MIB)) /* the same, of a backlog, at most */
#define BUSY_BYTES ((int64_t)(3 * MIB))     /* keep their memory while messages come */

static struct {
    uint32_t reserved;
    uint32_t given_back;
    uint32_t rewound;
} counted;

static void count_steps(const char *name) {
    counted.reserved += strcmp(name, "reserve.reserved") == 0;
    counted.given_back += strcmp(name, "rewind.given_back") == 0;
    counted.given_back += strcmp(name, "give_back.given_back") == 0;
    counted.rewound += strcmp(name, "rewind.tail") == 0;
}

static void expect_memory(const char *name, int64_t least, int64_t most) {
    int64_t memory = registry_memory(name);
    if (memory < least || memory > most) {
        ck_abort_msg("%lld bytes of memory, not %lld to %lld", (long long)memory,
                     (long long)least, (long long)most);
    }
}

/* Bytes of its mappings in this process that the kernel was told are used once. */
static int64_t used_once(const char *name) {
    char path[256];
    struct stat status;
    registry_path(name, path);
    HOLDS(stat(path, &status) == 0);
    FILE *smaps = fopen("/proc/self/smaps", "re");
    HOLDS(smaps != NULL);
    char line[512];
    unsigned long start, end, inode;
    int64_t size = 0;
    int64_t sum = 0;
    while (fgets(line, sizeof line, smaps)) {
        // NOLINTNEXTLINE(cert-err34-c)
        if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &start, &end, &inode) == 3) {
            size = inode == status.st_ino ? (int64_t)(end - start) : 0;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " sr")) {
            sum += size;
        }
    }
    fclose(smaps);
    return sum;
}

static void send_note(mailslot_writer *writer, uint32_t index, uint32_t size) {
    static uint64_t buffer[16 * MIB / 8];
    note_write(buffer, 0, index, size);
    HOLDS(mailslot_writer_send(writer, buffer, size, 0) == 0);
}

static void take_note(mailslot *slot, uint32_t index, uint32_t size) {
    mailslot_message message;
    struct note note;
    HOLDS(mailslot_peek(slot, 0, &message) == 0);
    HOLDS(message.size == size && note_read(message.data, size, &note));
    HOLDS(note.index == index);
    HOLDS(mailslot_consume(slot) == 0);
}

static void fill_backlog(mailslot_writer *writer, uint32_t count, uint32_t size) {
    int64_t queued = count * (RECORD_BYTES + (int64_t)size);
    for (uint32_t i = 0; i < count; i++) {
        send_note(writer, i, size);
    }
    expect_memory("backlog", queued, HEADER_BYTES + queued + AHEAD_BYTES);
}

/* It takes no more than before, nor more than what is queued and may wait. */
static void drain_backlog(mailslot *slot, uint32_t count, uint32_t size,
                          int64_t may_wait) {
    int64_t record = RECORD_BYTES + (int64_t)size;
    int64_t most = HEADER_BYTES + count * record + AHEAD_BYTES;
    ck_assert_uint_eq(get_info(slot).count, count);
    for (uint32_t i = 0; i < count; i++) {
        if (i % (count < 1000 ? 1 : 1000) == 0) {
            int64_t left = (count - i) * record;
            int64_t now = DRAINED_BYTES + left + AHEAD_BYTES + may_wait + STEP_BYTES;
            expect_memory("backlog", left, now < most ? now : most);
        }
        take_note(slot, i, size);
    }
}

/* Queue notes with nobody reading, then read them. */
static void check_backlog(uint32_t count, uint32_t size) {
    mailslot *slot = create_at_once("backlog", 0);
    mailslot_writer *writer = open_writer("backlog");
    expect_memory("backlog", HEADER_BYTES, HEADER_BYTES);
    fill_backlog(writer, count, size);
    drain_backlog(slot, count, size, WAITING_BYTES);
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    expect_memory("backlog", HEADER_BYTES, DRAINED_BYTES);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}

START_TEST(a_hundred_thousand_messages_take_what_they_weigh) {
    check_backlog(100000, 64);
}
END_TEST

START_TEST(a_message_of_16_mib_takes_what_it_weighs) {
    check_backlog(1, 16 * MIB);
    check_backlog(3, 5 * MIB + 8);
}
END_TEST

START_TEST(of_a_backlog_that_was_read_64_mib_wait_until_there_is_nothing_to_read) {
    for (int i = 0; i < 2; i++) {
        mailslot *slot = create_at_once("backlog", 0);
        mailslot_writer *writer = open_writer("backlog");
        fill_backlog(writer, 100, MIB);
        drain_backlog(slot, 100, MIB, WAITING_BYTES);
        expect_memory("backlog", WAITING_BYTES - STEP_BYTES, INT64_MAX);
        if (i == 0) {
            ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
        } else {
            ck_assert_uint_eq(get_info(slot).count, 0);
        }
        expect_memory("backlog", HEADER_BYTES, DRAINED_BYTES);
        mailslot_writer_close(writer);
        mailslot_close(slot);
    }
}
END_TEST

START_TEST(a_small_backlog_is_given_back_with_its_last_message) {
    mailslot *slot = create_at_once("backlog", 0);
    mailslot_writer *writer = open_writer("backlog");
    for (int i = 0; i < 100; i++) {
        fill_backlog(writer, 7, MIB / 2);
        drain_backlog(slot, 7, MIB / 2, WAITING_BYTES);
        expect_memory("backlog", HEADER_BYTES, DRAINED_BYTES);
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(where_memory_is_scarce_less_of_a_backlog_waits) {
    place_mount("size=64m");
    mailslot *slot = create_at_once("backlog", 0);
    mailslot_writer *writer = open_writer("backlog");
    fill_backlog(writer, 56, MIB);
    drain_backlog(slot, 56, MIB, 8 * MIB);
    mailslot_writer_close(writer);
    mailslot_close(slot);
    place_unmount();
}
END_TEST

static mailslot_writer *interrupter;

static void send_once(const char *name) {
    if (interrupter && strcmp(name, "tidy.stepped") == 0) {
        mailslot_writer *writer = interrupter;
        interrupter = NULL;
        send_note(writer, 0, 64);
    }
}

START_TEST(a_message_that_comes_meanwhile_does_not_wait_for_the_giving_back) {
    mailslot *slot = create_at_once("backlog", 0);
    mailslot_writer *writer = interrupter = open_writer("backlog");
    fill_backlog(writer, 32, MIB);
    drain_backlog(slot, 32, MIB, WAITING_BYTES);
    ms_step_hook = send_once;
    ck_assert_int_eq(mailslot_wait(slot, DEADLINE_MS), 0);
    ms_step_hook = NULL;
    expect_memory("backlog", 30 * (int64_t)MIB, INT64_MAX);
    take_note(slot, 0, 64);
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    expect_memory("backlog", HEADER_BYTES, DRAINED_BYTES);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_slot_in_steady_use_stays_in_its_window) {
    mailslot *slot = create_at_once("steady", 0);
    mailslot_writer *writer = open_writer("steady");
    ms_step_hook = count_steps;
    for (uint32_t i = 0; i < 200000; i++) {
        send_note(writer, i, 64);
        take_note(slot, i, 64);
        if (i % 100 == 0) {
            expect_memory("steady", HEADER_BYTES, IDLE_BYTES);
        }
    }
    ms_step_hook = NULL;
    ck_assert_uint_le(counted.reserved, 4);
    ck_assert_uint_eq(counted.given_back, 0);
    ck_assert_uint_gt(counted.rewound, 0);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(a_slot_that_is_idle_for_a_while_keeps_only_its_window) {
    mailslot *slot = create_at_once("idle", 0);
    mailslot_writer *writer = open_writer("idle");
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    for (uint32_t round = 0; round < 3; round++) {
        send_note(writer, round, 2 * MIB);
        take_note(slot, round, 2 * MIB);
        while (registry_memory("idle") > IDLE_BYTES) {
            ck_assert_int_lt(now_ms(), deadline_ms);
            ck_assert_int_eq(mailslot_wait(slot, 20), -ETIMEDOUT);
        }
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

struct sleeper {
    int64_t begin_ms;
    int64_t took_ms; /* until the slot had given its memory back */
};

static void wake_when_cool(void *context) {
    struct sleeper *sleeper = context;
    while (registry_memory("idle") > IDLE_BYTES) {
        REQUIRE(now_ms() - sleeper->begin_ms < DEADLINE_MS);
        nap_us(1000);
    }
    sleeper->took_ms = now_ms() - sleeper->begin_ms;
    REQUIRE(mailslot_send("idle", "x", 1, 0) == 0);
}

START_TEST(an_owner_that_sleeps_gives_memory_back_meanwhile) {
    struct sleeper *sleeper = share(sizeof *sleeper);
    mailslot *slot = create_at_once("idle", 0);
    mailslot_writer *writer = open_writer("idle");
    send_note(writer, 0, 2 * MIB);
    take_note(slot, 0, 2 * MIB);
    ck_assert_int_gt(registry_memory("idle"), IDLE_BYTES);
    sleeper->begin_ms = now_ms();
    pid_t pid = child_start(wake_when_cool, sleeper);
    ck_assert_int_eq(mailslot_wait(slot, DEADLINE_MS), 0);
    child_finish(pid);
    ck_assert_int_lt(sleeper->took_ms, AT_ONCE_MS);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

#define LARGE (6 * MIB)

/* It has reserved 4 MiB of them when it dies. */
static void die_while_reserving(void *context) {
    static char data[LARGE];
    mailslot_writer *writer;
    REQUIRE(mailslot_open("idle", &writer) == 0);
    steps_fault(context, "reserve.reserved", 3, 0);
    mailslot_writer_send(writer, data, sizeof data, 0);
    REQUIRE(false);
}

START_TEST(what_a_killed_writer_had_reserved_is_given_back) {
    mailslot *slot = create_at_once("idle", 0);
    int status =
        child_await(child_start(die_while_reserving, share(sizeof(struct steps))));
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_int_ge(registry_memory("idle"), (int64_t)(4 * MIB));
    mailslot_writer *writer = open_writer("idle");
    for (uint32_t i = 0; i < 1000; i++) { /* enough to go back to the ring's start */
        send_note(writer, i, 1000);
        take_note(slot, i, 1000);
    }
    expect_memory("idle", HEADER_BYTES, DRAINED_BYTES);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(an_idle_slot_gives_back_what_a_killed_writer_had_reserved) {
    mailslot *slot = create_at_once("idle", 0);
    int status =
        child_await(child_start(die_while_reserving, share(sizeof(struct steps))));
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    while (registry_memory("idle") > IDLE_BYTES) {
        ck_assert_int_lt(now_ms(), deadline_ms);
        ck_assert_int_eq(mailslot_wait(slot, 20), -ETIMEDOUT);
    }
    mailslot_close(slot);
}
END_TEST

/* Fill the ring, read all but the last message, send some more, read everything. */
static void drain_after_wrap(uint64_t capacity, uint32_t size, uint32_t more) {
    mailslot *slot = create_at_once("wrap", capacity);
    mailslot_writer *writer = open_writer("wrap");
    uint32_t first = (uint32_t)(capacity / (size + RECORD_BYTES)) - 1;
    for (uint32_t i = 0; i < first; i++) {
        send_note(writer, i, size);
    }
    for (uint32_t i = 0; i < first - 1; i++) {
        take_note(slot, i, size);
    }
    for (uint32_t i = first; i < first + more; i++) {
        send_note(writer, i, size);
    }
    for (uint32_t i = first - 1; i < first + more; i++) {
        take_note(slot, i, size);
    }
    expect_memory("wrap", HEADER_BYTES, DRAINED_BYTES);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}

/* Wherever in the second lap of the ring the last message is read. */
START_TEST(a_slot_drained_after_a_wrap_keeps_only_its_window) {
    for (uint32_t more = 0; more < 500; more += 10) {
        drain_after_wrap(512 * KIB, 1000 - RECORD_BYTES, more);
    }
    for (uint32_t more = 0; more < 150; more += 3) {
        drain_after_wrap(4 * MIB, 16000, more);
    }
}
END_TEST

START_TEST(a_stream_that_never_drains_takes_its_backlog_and_little_more) {
    const uint64_t capacity = 16 * MIB;
    uint32_t wraps = few_or_many(50, 500);
    mailslot *slot = create_at_once("stream", capacity);
    struct stream *stream = share(sizeof *stream);
    *stream = (struct stream){.name = "stream",
                              .size_max = 40000,
                              .large_every = 2,
                              .ahead = 5 * MIB / 4,
                              .timeout_ms = MAILSLOT_FOREVER};
    stream->count = (uint32_t)(wraps * capacity / STREAM_WRITERS / 10000);
    stream_start(stream);
    ms_step_hook = count_steps;
    while (stream_is_running(stream)) {
        int64_t memory = registry_memory("stream");
        uint64_t queued = queued_bytes(slot);
        HOLDS(memory <= (int64_t)(queued + 6 * MIB));
        while (queued > MIB) {
            stream_take(stream, slot);
            queued = queued_bytes(slot);
        }
        sched_yield();
    }
    ck_assert_uint_eq(counted.rewound, 0);
    ck_assert_uint_ge(stream->taken_bytes, (wraps - 1) * capacity);
    stream_finish(stream, slot);
    expect_memory("stream", HEADER_BYTES, DRAINED_BYTES);
    ms_step_hook = NULL;
    mailslot_close(slot);
}
END_TEST

/* Wait until a writer waits for space; read half of the ring; again. */
static void run_near_full(struct stream *stream, mailslot *slot, uint64_t capacity) {
    uint32_t waits = 0;
    int64_t end_ms = now_ms() + DEADLINE_MS;
    while (stream_is_running(stream)) {
        if (stream->waits == waits) {
            HOLDS(now_ms() < end_ms);
            sched_yield();
            continue;
        }
        waits = stream->waits;
        end_ms = now_ms() + DEADLINE_MS;
        HOLDS(registry_memory(stream->name) <= (int64_t)(HEADER_BYTES + capacity));
        while (queued_bytes(slot) > capacity / 2) {
            stream_take(stream, slot);
        }
    }
}

static void check_near_full(uint64_t capacity, uint32_t wraps) {
    mailslot *slot = create_at_once("full", capacity);
    ck_assert_uint_eq(get_info(slot).max_bytes, capacity);
    struct stream *stream = share(sizeof *stream);
    *stream = (struct stream){.name = "full",
                              .size_max = (uint32_t)capacity / 8 - RECORD_BYTES,
                              .large_every = 2,
                              .timeout_ms = MAILSLOT_FOREVER};
    uint32_t about = stream->size_max / 4 + RECORD_BYTES;
    stream->count = (uint32_t)(wraps * capacity / STREAM_WRITERS / about);
    stream_start(stream);
    run_near_full(stream, slot, capacity);
    stream_finish(stream, slot);
    ck_assert_uint_ge(stream->taken_bytes, (wraps - wraps / 8) * capacity);
    ck_assert_uint_ge(stream->waits, wraps / 20);
    expect_memory("full", HEADER_BYTES, DRAINED_BYTES);
    mailslot_close(slot);
}

START_TEST(a_ring_that_stays_nearly_full_loses_nothing_when_it_wraps) {
    check_near_full(16 * MIB, few_or_many(30, 300));
}
END_TEST

START_TEST(small_rings_lose_nothing_when_they_wrap) {
    check_near_full(4 * KIB, few_or_many(3000, 50000));
    check_near_full(64 * KIB, few_or_many(800, 10000));
    check_near_full(256 * KIB, few_or_many(400, 5000));
    check_near_full(512 * KIB, few_or_many(400, 5000));
}
END_TEST

/* Mappings of this process and the pages of its address space. */
static void measure_mappings(int *ret_count, long *ret_pages) {
    static char line[4096];
    FILE *maps = fopen("/proc/self/maps", "re");
    FILE *statm = fopen("/proc/self/statm", "re");
    ck_assert(maps && statm);
    for (*ret_count = 0; fgets(line, sizeof line, maps); (*ret_count)++) {
    }
    ck_assert_int_eq(fscanf(statm, "%ld", ret_pages), 1);
    fclose(maps);
    fclose(statm);
}

/* Create, write, read and close that many slots, all there at once. */
static void use_slots(mailslot **slots, int count) {
    char name[32];
    uint32_t number;
    size_t size;
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "many %d", i);
        ck_assert_int_eq(mailslot_create(name, NULL, &slots[i]), 0);
    }
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "many %d", i);
        HOLDS(mailslot_send(name, &i, sizeof i, 0) == 0);
    }
    for (int i = 0; i < count; i++) {
        HOLDS(mailslot_read(slots[i], &number, sizeof number, 0, &size) == 0);
        HOLDS(size == sizeof number && number == (uint32_t)i);
        slots[i] = mailslot_close(slots[i]);
    }
}

START_TEST(five_hundred_slots_leave_no_descriptor_no_mapping_and_no_file) {
    mailslot *slots[500];
    int mappings;
    int mappings_before;
    long pages;
    long pages_before;
    use_slots(slots, COUNT(slots)); /* the C library and sanitizers keep some memory */
    int descriptors = count_descriptors();
    measure_mappings(&mappings_before, &pages_before);
    use_slots(slots, COUNT(slots));
    measure_mappings(&mappings, &pages);
    ck_assert_int_eq(count_descriptors(), descriptors);
    ck_assert_int_lt(mappings - mappings_before, 10);
    ck_assert_int_lt(pages - pages_before, 100);
    ck_assert_int_eq(registry_files(), 0);
}
END_TEST

#define BACKLOG_MESSAGES 128
#define BACKLOG_SIZE (64 * KIB)

static void queue_backlog(const char *name) {
    static char data[BACKLOG_SIZE];
    for (int i = 0; i < BACKLOG_MESSAGES; i++) {
        REQUIRE(mailslot_send(name, data, sizeof data, 0) == 0);
    }
}

static int open_file(const char *name) {
    char path[256];
    registry_path(name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static int64_t memory_of(int fd) {
    struct stat status;
    ck_assert_int_eq(fstat(fd, &status), 0);
    return status.st_blocks * INT64_C(512);
}

START_TEST(a_close_gives_the_backlog_back_although_a_writer_has_it_open) {
    mailslot *slot = create_at_once("closed", 0);
    mailslot_writer *writer = open_writer("closed");
    queue_backlog("closed");
    int fd = open_file("closed");
    ck_assert_int_ge(memory_of(fd), (int64_t)(BACKLOG_MESSAGES * BACKLOG_SIZE));
    slot = mailslot_close(slot);
    ck_assert_int_le(memory_of(fd), HEADER_BYTES);
    ck_assert_int_eq(mailslot_writer_send(writer, "x", 1, 0), -EPIPE);
    ck_assert_int_le(memory_of(fd), HEADER_BYTES);
    mailslot_writer_close(writer);
    close(fd);
}
END_TEST

static void own_until_killed(void *context) {
    _Atomic uint32_t *is_ready = context;
    mailslot *slot;
    REQUIRE(mailslot_create("dead", NULL, &slot) == 0);
    queue_backlog("dead");
    *is_ready = 1;
    pause();
}

/* A writer of a slot whose owner was killed with a backlog, and a look at its file. */
static mailslot_writer *leave_backlog(int *ret_fd) {
    _Atomic uint32_t *is_ready = share(sizeof *is_ready);
    pid_t owner = child_start(own_until_killed, (void *)is_ready);
    ck_assert(await_value(is_ready, 1));
    mailslot_writer *writer = open_writer("dead");
    *ret_fd = open_file("dead");
    child_kill(owner);
    ck_assert_int_ge(memory_of(*ret_fd), (int64_t)(BACKLOG_MESSAGES * BACKLOG_SIZE));
    return writer;
}

START_TEST(a_writer_that_meets_a_dead_slot_gives_its_backlog_back) {
    int fd;
    mailslot_writer *writer = leave_backlog(&fd);
    ck_assert_int_eq(mailslot_writer_send(writer, "x", 1, 0), -EPIPE);
    ck_assert_int_le(memory_of(fd), HEADER_BYTES);
    mailslot_writer_close(writer);
    close(fd);
}
END_TEST

START_TEST(a_create_of_any_name_gives_the_backlog_of_dead_slots_back) {
    int fd;
    mailslot_writer *writer = leave_backlog(&fd);
    mailslot *slot = create_at_once("other", 0);
    ck_assert_int_le(memory_of(fd), HEADER_BYTES);
    ck_assert_int_eq(registry_files(), 1);
    ck_assert_int_eq(mailslot_writer_send(writer, "x", 1, 0), -EPIPE);
    mailslot_writer_close(writer);
    mailslot_close(slot);
    close(fd);
}
END_TEST

START_TEST(what_lies_beyond_the_window_is_used_once) {
    mailslot *large = create_at_once("large", 16 * MIB);
    mailslot *small = create_at_once("small", MIB);
    ck_assert_int_eq(used_once("large"), 16 * MIB - BUSY_BYTES);
    ck_assert_int_eq(used_once("small"), 0);
    mailslot_writer *writer = open_writer("large");
    ck_assert_int_eq(used_once("large"), 2 * (16 * MIB - BUSY_BYTES));
    mailslot_writer_close(writer);
    mailslot_close(large);
    mailslot_close(small);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("memory");
    tcase_add_test(cases, a_hundred_thousand_messages_take_what_they_weigh);
    tcase_add_test(cases, a_message_of_16_mib_takes_what_it_weighs);
    tcase_add_test(
        cases, of_a_backlog_that_was_read_64_mib_wait_until_there_is_nothing_to_read);
    tcase_add_test(cases, a_small_backlog_is_given_back_with_its_last_message);
    if (place_is_mountable()) {
        tcase_add_test(cases, where_memory_is_scarce_less_of_a_backlog_waits);
    }
    tcase_add_test(cases,
                   a_message_that_comes_meanwhile_does_not_wait_for_the_giving_back);
    tcase_add_test(cases, a_slot_in_steady_use_stays_in_its_window);
    tcase_add_test(cases, a_slot_that_is_idle_for_a_while_keeps_only_its_window);
    tcase_add_test(cases, an_owner_that_sleeps_gives_memory_back_meanwhile);
    tcase_add_test(cases, what_a_killed_writer_had_reserved_is_given_back);
    tcase_add_test(cases, an_idle_slot_gives_back_what_a_killed_writer_had_reserved);
    tcase_add_test(cases, a_slot_drained_after_a_wrap_keeps_only_its_window);
    tcase_add_test(cases, a_stream_that_never_drains_takes_its_backlog_and_little_more);
    tcase_add_test(cases, a_ring_that_stays_nearly_full_loses_nothing_when_it_wraps);
    tcase_add_test(cases, small_rings_lose_nothing_when_they_wrap);
    tcase_add_test(cases,
                   five_hundred_slots_leave_no_descriptor_no_mapping_and_no_file);
    tcase_add_test(cases, a_close_gives_the_backlog_back_although_a_writer_has_it_open);
    tcase_add_test(cases, a_writer_that_meets_a_dead_slot_gives_its_backlog_back);
    tcase_add_test(cases, a_create_of_any_name_gives_the_backlog_of_dead_slots_back);
    tcase_add_test(cases, what_lies_beyond_the_window_is_used_once);
    return suite_run();
}
