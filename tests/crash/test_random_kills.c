/* SPDX-License-Identifier: MIT */
/* Writers and owners killed at random moments, hundreds of times. */
#include "note.h"
#include "support.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SLOT "jobs"
#define CAPACITY (UINT64_C(2) << 20)
#define SIZE_MAX_SENT 120000
#define WRITERS_MAX 5000
#define ALL_SENT_MS 60000 /* at most */
#define AT_WORK 3         /* writers at the same time */
#define KILL_WITHIN_US 15000

static _Alignas(8) unsigned char buffer[SIZE_MAX_SENT + 8];

struct board {
    _Atomic uint32_t sent[WRITERS_MAX]; /* sends that have returned */
    _Atomic uint32_t has_ended;
};

/* Another run, another sequence of moments; a failure says which. */
static uint64_t first_random(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t random = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    printf("%s: random %llu\n", tcase_name(), (unsigned long long)random);
    fflush(stdout);
    return random;
}

/* Most are small, some are large. */
static uint32_t next_size(uint64_t *random) {
    uint32_t limit = next_random(random) % 16 ? 700 : SIZE_MAX_SENT - NOTE_SIZE_MIN;
    return (uint32_t)NOTE_SIZE_MIN + next_random(random) % limit;
}

struct victim {
    struct board *board;
    uint32_t writer;
    pid_t pid;
    int64_t end_ms;
};

static void write_until_killed(void *memory) {
    const struct victim *victim = memory;
    uint64_t random = victim->writer;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0;; i++) {
        uint32_t size = next_size(&random);
        note_write(buffer, victim->writer, i, size);
        REQUIRE(mailslot_writer_send(writer, buffer, size, MAILSLOT_FOREVER) == 0);
        atomic_fetch_add(&victim->board->sent[victim->writer], 1);
    }
}

static void start(struct victim *victim, uint32_t writer, uint64_t *random) {
    victim->writer = writer;
    victim->pid = child_start(write_until_killed, victim);
    victim->end_ms = now_ms() + next_random(random) % (KILL_WITHIN_US / 1000);
    nap_us(next_random(random) % 300);
}

/* Show a few and release them at once; whether there was any. */
static bool read_some(mailslot *slot, uint32_t *next_index, int64_t timeout_ms) {
    mailslot_message message;
    int shown = 0;
    for (; shown < 20 && mailslot_peek(slot, shown ? 0 : timeout_ms, &message) == 0;
         shown++) {
        struct note note;
        HOLDS(note_read(message.data, message.size, &note));
        HOLDS(note.writer < WRITERS_MAX);
        HOLDS(note.index == next_index[note.writer]);
        next_index[note.writer]++;
    }
    HOLDS(mailslot_consume(slot) == 0);
    return shown > 0;
}

static void check_totals(mailslot *slot, const struct board *board,
                         const uint32_t *next_index, uint32_t writers) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < writers; i++) {
        uint32_t sent = atomic_load(&board->sent[i]);
        HOLDS(next_index[i] == sent || next_index[i] == sent + 1);
        total += next_index[i];
    }
    mailslot_info info = get_info(slot);
    ck_assert_uint_eq(info.count, 0);
    ck_assert_uint_eq(info.bytes, 0);
    ck_assert_uint_eq(info.received, total);
    ck_assert_uint_gt(total, writers);
}

/* Case 87. */
START_TEST(writers_killed_at_random_lose_nothing_that_they_were_told_is_sent) {
    uint32_t writers = few_or_many(300, WRITERS_MAX);
    uint64_t random = first_random();
    struct board *board = share(sizeof *board);
    uint32_t *next_index = calloc(WRITERS_MAX, sizeof *next_index);
    struct victim victims[AT_WORK] = {0};
    mailslot *slot = create_at_once(SLOT, CAPACITY);
    uint32_t started = 0;
    uint32_t ended = 0;
    for (; started < AT_WORK; started++) {
        victims[started].board = board;
        start(&victims[started], started, &random);
    }
    while (ended < writers) {
        struct victim *victim = &victims[next_random(&random) % AT_WORK];
        if (victim->pid && now_ms() >= victim->end_ms) {
            child_kill(victim->pid);
            victim->pid = 0;
            ended++;
            if (started < writers) {
                start(victim, started++, &random);
            }
        }
        read_some(slot, next_index, 1);
    }
    while (read_some(slot, next_index, 0)) {
    }
    check_totals(slot, board, next_index, writers);
    free(next_index);
    mailslot_close(slot);
}
END_TEST

/* Each owner must get the name at once, and finds only messages of its own time. */
static void own_until_killed(void *memory) {
    struct board *board = memory;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_bytes = CAPACITY;
    mailslot *slot;
    int64_t begin_ms = now_ms();
    REQUIRE(mailslot_create(SLOT, &options, &slot) == 0);
    REQUIRE(now_ms() - begin_ms < AT_ONCE_MS);
    uint32_t next_index[AT_WORK] = {0};
    for (;;) {
        mailslot_message message;
        struct note note;
        REQUIRE(mailslot_peek(slot, MAILSLOT_FOREVER, &message) == 0);
        REQUIRE(note_read(message.data, message.size, &note));
        REQUIRE(note.writer < AT_WORK && note.index >= next_index[note.writer]);
        /* A writer that opened this slot goes on counting, without a gap. */
        REQUIRE(note.index == next_index[note.writer] || next_index[note.writer] == 0);
        next_index[note.writer] = note.index + 1;
        REQUIRE(mailslot_consume(slot) == 0);
        atomic_fetch_add(&board->sent[note.writer], 1);
    }
}

/* Send until the slot dies; what a dead slot refuses is sent to the next one. */
static uint32_t send_until_dead(const struct victim *me, mailslot_writer *writer,
                                uint32_t index) {
    uint64_t random = index;
    while (!atomic_load(&me->board->has_ended)) {
        uint32_t size = next_size(&random);
        note_write(buffer, me->writer, index, size);
        int r = mailslot_writer_send(writer, buffer, size, MAILSLOT_FOREVER);
        if (r == -EPIPE) {
            REQUIRE(mailslot_writer_send(writer, buffer, size, 0) == -EPIPE);
            break;
        }
        REQUIRE(r == 0);
        index++;
    }
    return index;
}

static void write_to_all_owners(void *memory) {
    const struct victim *me = memory;
    uint32_t index = 0;
    while (!atomic_load(&me->board->has_ended)) {
        mailslot_writer *writer;
        int r = mailslot_open(SLOT, &writer);
        REQUIRE(r == 0 || r == -ENOENT);
        if (r == 0) {
            index = send_until_dead(me, writer, index);
            mailslot_writer_close(writer);
        } else {
            nap_us(100);
        }
    }
}

/* An owner may live too short for a writer to get its turn, and the next ones, too. */
static bool have_all_sent(const struct board *board) {
    for (uint32_t i = 0; i < AT_WORK; i++) {
        if (atomic_load(&board->sent[i]) == 0) {
            return false;
        }
    }
    return true;
}

START_TEST(owners_killed_at_random_are_followed_by_the_next_one_at_once) {
    uint32_t owners = few_or_many(100, 2000);
    uint64_t random = first_random();
    struct board *board = share(sizeof *board);
    struct victim writers[AT_WORK];
    for (uint32_t i = 0; i < AT_WORK; i++) {
        writers[i] = (struct victim){.board = board, .writer = i};
        writers[i].pid = child_start(write_to_all_owners, &writers[i]);
    }
    int64_t end_ms = now_ms() + ALL_SENT_MS;
    for (uint32_t i = 0; i < owners || (!have_all_sent(board) && now_ms() < end_ms);
         i++) {
        pid_t owner = child_start(own_until_killed, board);
        nap_us(next_random(&random) % 20000);
        child_kill(owner);
    }
    atomic_store(&board->has_ended, 1);
    for (uint32_t i = 0; i < AT_WORK; i++) {
        child_finish(writers[i].pid);
    }
    ck_assert(have_all_sent(board));
    mailslot_close(create_at_once(SLOT, 0));
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("random kills");
    tcase_add_test(cases,
                   writers_killed_at_random_lose_nothing_that_they_were_told_is_sent);
    tcase_add_test(cases, owners_killed_at_random_are_followed_by_the_next_one_at_once);
    return suite_run();
}
