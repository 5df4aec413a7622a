/* SPDX-License-Identifier: MIT */
/* The locks of a slot: many who want them, and bytes that another process has written.
 */
#include "queue/layout.h"
#include "queue/step.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define SLOT "jobs"
#define MIB (UINT64_C(1) << 20)

/* Many writers of large batches. */

#define WRITERS 40
#define BATCH 16
#define BATCH_BYTES (64 << 10) /* of each message */
#define TURN_US 50000          /* all of them together take two seconds */

struct crowd {
    _Atomic uint32_t is_open;
    _Atomic uint32_t ready;
    uint32_t batches;
};

/* As on a machine that has much else to do. */
static void take_long(const char *step) {
    if (strcmp(step, "turn.begun") == 0) {
        nap_us(TURN_US);
    }
}

static void send_batches(void *context) {
    struct crowd *crowd = context;
    static char data[BATCH_BYTES];
    mailslot_buffer messages[BATCH];
    for (int i = 0; i < BATCH; i++) {
        messages[i] = (mailslot_buffer){data, sizeof data};
    }
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    ms_step_hook = take_long;
    crowd->ready++;
    REQUIRE(await_value(&crowd->is_open, 1));
    for (uint32_t i = 0; i < crowd->batches; i++) {
        size_t sent;
        REQUIRE(mailslot_writer_send_all(writer, messages, BATCH, 0, &sent) == 0);
    }
    mailslot_writer_close(writer);
}

START_TEST(forty_writers_of_large_batches_all_get_their_turns) {
    struct crowd *crowd = share(sizeof *crowd);
    crowd->batches = few_or_many(1, 3);
    mailslot *slot = create_at_once(SLOT, 2 * WRITERS * crowd->batches * MIB);
    pid_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = child_start(send_batches, crowd);
    }
    ck_assert(await_value(&crowd->ready, WRITERS));
    crowd->is_open = 1;
    for (uint32_t i = 0; i < WRITERS * crowd->batches * BATCH; i++) {
        mailslot_message message;
        HOLDS(mailslot_peek(slot, DEADLINE_MS, &message) == 0);
        HOLDS(message.size == BATCH_BYTES);
        HOLDS(mailslot_consume(slot) == 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        child_finish(writers[i]);
    }
    ck_assert_uint_eq(get_info(slot).rejected, 0);
    mailslot_close(slot);
}
END_TEST

/* A thread that is cancelled in its turn, which has no call where that counts. */

static _Thread_local bool is_doomed;

static void cancel_in_turn(const char *step) {
    if (is_doomed && strcmp(step, "turn.begun") == 0) {
        is_doomed = false;
        pthread_cancel(pthread_self());
    }
}

/* A lock that the thread still held would be off its list now. */
static void send_elsewhere(void *context) {
    (void)context;
    REQUIRE(mailslot_send("other", "x", 1, 0) == 0);
}

static void *send_and_be_cancelled(void *context) {
    mailslot_writer *writer = context;
    pthread_cleanup_push(send_elsewhere, NULL);
    is_doomed = true;
    int r = writer ? mailslot_writer_send(writer, "x", 1, 0)
                   : mailslot_send(SLOT, "x", 1, 0);
    REQUIRE(r == 0 && !is_doomed);
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel_a_sender(mailslot_writer *writer) {
    pthread_t thread;
    void *result;
    REQUIRE(pthread_create(&thread, NULL, send_and_be_cancelled, writer) == 0);
    REQUIRE(pthread_join(thread, &result) == 0);
    REQUIRE(result == PTHREAD_CANCELED);
    REQUIRE(mailslot_send(SLOT, "x", 1, 0) == 0);
}

static void cancel_senders(void *context) {
    (void)context;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    ms_step_hook = cancel_in_turn;
    cancel_a_sender(NULL);
    cancel_a_sender(writer);
}

START_TEST(a_thread_cancelled_in_its_turn_ends_it_first) {
    mailslot *other = create_at_once("other", 0);
    mailslot *slot = create_at_once(SLOT, 0);
    child_finish(child_start(cancel_senders, NULL));
    ck_assert_uint_eq(get_info(slot).count, 4);
    ck_assert_uint_eq(get_info(other).count, 2);
    ck_assert_int_eq(mailslot_send(SLOT, "x", 1, 0), 0);
    mailslot_close(slot);
    mailslot_close(other);
}
END_TEST

/* A writer whom the others leave no space. */

#define GREEDY_SIZE 2016 /* two of them fill a ring of 4 KiB */
#define GREEDY_TIMES 100

static struct {
    mailslot *slot;
    mailslot_writer *other;
    int times;
} greedy;

/* Space comes while a writer waits for it, and is gone before that one looks. */
static void be_greedy(const char *step) {
    static char buffer[GREEDY_SIZE];
    size_t size;
    if (strcmp(step, "space.waiting") == 0 && greedy.times++ < GREEDY_TIMES) {
        nap_us(1000);
        HOLDS(mailslot_read(greedy.slot, buffer, sizeof buffer, 0, &size) == 0);
        HOLDS(mailslot_writer_send(greedy.other, buffer, sizeof buffer, 0) == 0);
    }
}

START_TEST(a_writer_that_gets_no_space_in_time_gives_up) {
    static char buffer[GREEDY_SIZE];
    greedy.slot = create_at_once(SLOT, 4096);
    greedy.other = open_writer(SLOT);
    mailslot_writer *writer = open_writer(SLOT);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(mailslot_writer_send(greedy.other, buffer, sizeof buffer, 0),
                         0);
    }
    ms_step_hook = be_greedy;
    ck_assert_int_eq(mailslot_writer_send(writer, buffer, sizeof buffer, 5),
                     -ETIMEDOUT);
    ms_step_hook = NULL;
    ck_assert_int_gt(greedy.times, 0);
    ck_assert_int_lt(greedy.times, GREEDY_TIMES);
    mailslot_writer_close(writer);
    mailslot_writer_close(greedy.other);
    mailslot_close(greedy.slot);
}
END_TEST

/* Bytes that another process of the same user writes. */

static const uint32_t words[] = {0,           1,           0x3fffffff, 0x40000000,
                                 0x40000001u, 0x80000001u, UINT32_MAX};

/* All of the header that belongs to locks, and what lies around them. */
static void overwrite(uint32_t word) {
    char path[256];
    registry_path(SLOT, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const off_t lock = offsetof(struct ms_header, write_lock);
    REQUIRE(pwrite(fd, &word, sizeof word, lock) == sizeof word);
    for (off_t at = 4032; at < MS_HEADER_SIZE; at += (off_t)sizeof word) {
        REQUIRE(pwrite(fd, &word, sizeof word, at) == sizeof word);
    }
    close(fd);
}

static void lock_robust_mutexes(pthread_mutex_t mutexes[2]) {
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; i < 2; i++) {
        pthread_mutex_init(&mutexes[i], &robust);
        REQUIRE(pthread_mutex_lock(&mutexes[i]) == 0);
    }
}

/* Everything that an owner and a writer do: answered, whatever the answer is. */
static void use(mailslot *slot, mailslot_writer *writer) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot_message message;
    int r = mailslot_writer_send(writer, "x", 1, 0);
    HOLDS(r == 0 || r == -ETIMEDOUT || r == -EPIPE);
    r = mailslot_peek(slot, 0, &message);
    HOLDS(r == 0 || r == -EAGAIN || r == -EBADMSG);
    r = mailslot_consume(slot);
    HOLDS(r == 0 || r == -EAGAIN || r == -EBADMSG);
    r = mailslot_get_info(slot, &info);
    HOLDS(r == 0 || r == -EBADMSG);
}

/* The lists of locks of a thread lead through its slot, its mutexes, and other slots.
 */
static void *own_while_overwritten(void *context) {
    char path[256];
    pthread_mutex_t mutexes[2];
    mailslot *other = create_at_once("other", 0);
    mailslot *slot = create_at_once(SLOT, 0);
    mailslot_writer *writer = open_writer(SLOT);
    lock_robust_mutexes(mutexes);
    overwrite(*(const uint32_t *)context);
    use(slot, writer);
    HOLDS(pthread_mutex_unlock(&mutexes[0]) == 0);
    registry_path(SLOT, path);
    mailslot_close(slot);
    unlink(path); /* close could not, if the lock for it was taken */
    mailslot_writer_close(writer);
    HOLDS(pthread_mutex_unlock(&mutexes[1]) == 0);
    lock_robust_mutexes(mutexes);
    mailslot_close(create_at_once(SLOT, 0));
    HOLDS(pthread_mutex_unlock(&mutexes[1]) == 0);
    HOLDS(pthread_mutex_unlock(&mutexes[0]) == 0);
    mailslot_close(other);
    return NULL;
}

/* On a thread that then ends: the kernel follows its list. */
START_TEST(an_owner_goes_on_whatever_is_written_into_its_locks) {
    pthread_t thread;
    uint32_t word = words[_i];
    ck_assert_int_eq(pthread_create(&thread, NULL, own_while_overwritten, &word), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* A thread that goes on after others have closed its slot. */

struct creator {
    mailslot *slot;
    _Atomic uint32_t is_created;
    _Atomic uint32_t is_closed;
};

static void *create_and_go_on(void *context) {
    struct creator *creator = context;
    pthread_mutex_t mutexes[2];
    REQUIRE(mailslot_create(SLOT, NULL, &creator->slot) == 0);
    creator->is_created = 1;
    REQUIRE(await_value(&creator->is_closed, 1));
    lock_robust_mutexes(mutexes);
    mailslot *another;
    REQUIRE(mailslot_create("another", NULL, &another) == 0);
    mailslot_close(another);
    REQUIRE(pthread_mutex_unlock(&mutexes[0]) == 0);
    REQUIRE(pthread_mutex_unlock(&mutexes[1]) == 0);
    return NULL;
}

static void close_elsewhere(void *context) {
    pthread_t thread;
    struct creator creator = {0};
    REQUIRE(pthread_create(&thread, NULL, create_and_go_on, &creator) == 0);
    REQUIRE(await_value(&creator.is_created, 1));
    overwrite(*(const uint32_t *)context);
    mailslot_close(creator.slot);
    char path[256];
    registry_path(SLOT, path);
    unlink(path);
    creator.is_closed = 1;
    REQUIRE(pthread_join(thread, NULL) == 0);
}

/* In a process of its own, because the lock's node stays mapped. */
START_TEST(a_slot_closed_by_another_thread_does_its_creator_no_harm) {
    uint32_t word = words[_i];
    child_finish(child_start(close_elsewhere, &word));
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("locks");
    tcase_add_test(cases, forty_writers_of_large_batches_all_get_their_turns);
    tcase_add_test(cases, a_thread_cancelled_in_its_turn_ends_it_first);
    tcase_add_test(cases, a_writer_that_gets_no_space_in_time_gives_up);
    tcase_add_loop_test(cases, an_owner_goes_on_whatever_is_written_into_its_locks, 0,
                        COUNT(words));
    tcase_add_loop_test(cases, a_slot_closed_by_another_thread_does_its_creator_no_harm,
                        0, COUNT(words));
    return suite_run();
}
