/* SPDX-License-Identifier: MIT */
/*
 * A process of the same user that writes anything anywhere into a region while the
 * owner and a writer work: they get errors that mailslot.h has, or messages, and
 * neither crashes nor hangs.
 */
#include "queue/layout.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT "jobs"
#define MAX_BYTES 65536
#define SIZE 1000

/* A slot is soon past all help: many get a little time each, and some time between two
 * writes in which to go on with the damage. */
#define ROUND_MS 50
#define PAUSE_MAX_US 2000

/* What the scribbler leaves alone. */
enum { NOTHING, LOCKS };

struct board {
    _Atomic uint32_t is_over;
    uint32_t spared;
    uint64_t seed;
};

static unsigned char buffer[MAX_BYTES];

/* Small values and neighbours do more harm than any others. */
static uint64_t next_value(uint64_t *state, uint64_t old) {
    switch (next_random(state) % 4) {
    case 0:
        return next_random(state) % 100;
    case 1:
        return old + next_random(state) % 64 - 32;
    case 2:
        return ~UINT64_C(0);
    default:
        return (uint64_t)next_random(state) << 32 | next_random(state);
    }
}

/* Of eight bytes: whether a lock, or what says that the slot is dead, lies in them. */
static bool is_lock(size_t offset) {
    static const size_t words[] = {offsetof(struct ms_header, owner_lock),
                                   offsetof(struct ms_header, removal_lock),
                                   offsetof(struct ms_header, write_lock),
                                   offsetof(struct ms_header, closed)};
    for (size_t i = 0; i < COUNT(words); i++) {
        if (offset == words[i] / 8 * 8) {
            return true;
        }
    }
    return false;
}

static void scribble(void *context) {
    struct board *board = context;
    char path[256];
    struct stat status;
    uint64_t state = board->seed;
    registry_path(SLOT, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    REQUIRE(fd >= 0 && fstat(fd, &status) == 0);
    size_t size = (size_t)status.st_size;
    unsigned char *file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(file != MAP_FAILED);
    while (!board->is_over) {
        size_t range = next_random(&state) % 4 ? MS_HEADER_SIZE : size;
        size_t offset = next_random(&state) % (range / 8) * 8;
        if (board->spared == LOCKS && is_lock(offset)) {
            continue;
        }
        volatile uint64_t *word = (volatile uint64_t *)(void *)(file + offset);
        *word = next_value(&state, *word);
        nap_us(next_random(&state) % PAUSE_MAX_US);
    }
}

static bool is_for_writer(int r) {
    return r == 0 || r == -EAGAIN || r == -ETIMEDOUT || r == -EPIPE || r == -EBADMSG ||
           r == -ENOSPC || r == -EMSGSIZE;
}

static void send_all_the_time(void *context) {
    const struct board *board = context;
    while (!board->is_over) {
        mailslot_writer *writer;
        mailslot_info info = MAILSLOT_INFO_INIT;
        int r = mailslot_open(SLOT, &writer);
        REQUIRE(r == 0 || r == -ENOENT || r == -EBADMSG);
        for (int i = 0; r == 0 && i < 1000 && !board->is_over; i++) {
            r = mailslot_writer_send(writer, buffer, (size_t)i % SIZE, 0);
            REQUIRE(is_for_writer(r));
            r = r == -EPIPE ? r : 0;
            int looked = mailslot_writer_get_info(writer, &info);
            REQUIRE(looked == 0 || looked == -EBADMSG || looked == -EPIPE);
        }
        if (r == 0 || r == -EPIPE) {
            mailslot_writer_close(writer);
        }
    }
}

/* How often a read found a message, and how often damage. */
static uint64_t messages;
static uint64_t damages;

static void read_for(mailslot *slot, int64_t end_ms) {
    while (now_ms() < end_ms) {
        mailslot_info info = MAILSLOT_INFO_INIT;
        size_t size = 0;
        int r = mailslot_read(slot, buffer, sizeof buffer, 1, &size);
        HOLDS(r == 0 || r == -EAGAIN || r == -ETIMEDOUT || r == -EBADMSG ||
              r == -EPIPE);
        HOLDS(r != 0 || size <= MAX_BYTES / 2);
        messages += r == 0;
        damages += r == -EBADMSG;
        r = mailslot_get_info(slot, &info);
        HOLDS(r == 0 || r == -EBADMSG);
    }
}

static void remove_leftover(void) {
    char path[256];
    registry_path(SLOT, path);
    unlink(
        path); /* a lock that looks held keeps the file: that is the scribbler's harm */
}

static void face_scribbler(struct board *board, uint32_t spared, uint32_t seed) {
    board->is_over = 0;
    board->spared = spared;
    board->seed = seed;
    mailslot *slot = create_at_once(SLOT, MAX_BYTES);
    int fd;
    ck_assert_int_eq(mailslot_get_fd(slot, &fd), 0);
    pid_t scribbler = child_start(scribble, board);
    pid_t writer = child_start(send_all_the_time, board);
    int64_t begin_ms = now_ms();
    read_for(slot, begin_ms + ROUND_MS);
    board->is_over = 1;
    child_finish(scribbler);
    child_finish(writer);
    mailslot_close(slot);
    ck_assert_int_lt(now_ms() - begin_ms, DEADLINE_MS);
    remove_leftover();
}

START_TEST(wild_writes_into_figures_and_records_are_errors_at_worst) {
    struct board *board = share(sizeof *board);
    uint32_t rounds = few_or_many(20, 1000);
    int64_t end_ms = now_ms() + DEADLINE_MS;
    /* On a busy machine the scribbler may not get its turn at first. */
    for (uint32_t i = 1; i <= rounds || !messages || !damages; i++) {
        ck_assert(i <= rounds || now_ms() < end_ms);
        face_scribbler(board, LOCKS, i);
    }
}
END_TEST

START_TEST(wild_writes_into_all_of_a_region_are_errors_at_worst) {
    struct board *board = share(sizeof *board);
    uint32_t rounds = few_or_many(20, 1000);
    for (uint32_t i = 1; i <= rounds; i++) {
        face_scribbler(board, NOTHING, i);
    }
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("hostile");
    tcase_add_test(cases, wild_writes_into_figures_and_records_are_errors_at_worst);
    tcase_add_test(cases, wild_writes_into_all_of_a_region_are_errors_at_worst);
    return suite_run();
}
