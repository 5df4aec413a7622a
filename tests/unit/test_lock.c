/* SPDX-License-Identifier: MIT */
/* Locks in shared memory that no death leaves held. */
#include "queue/lock.h"

#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

/* Memory that processes share. */
struct shared {
    pthread_mutex_t lock;
    _Atomic int is_held;
    _Atomic int64_t value;
};

/* ThreadSanitizer does not know pthread_mutex_clocklock, and takes a lock that was
 * taken so for free. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return "report_mutex_bugs=0";
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static struct shared *map(void) {
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    ck_assert_int_eq(ms_lock_init(&shared->lock), 0);
    return shared;
}

static void unmap(struct shared *shared) {
    munmap(shared, sizeof *shared);
}

/* A process that takes the lock and keeps it. */
static pid_t fork_holder(struct shared *shared) {
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (ms_lock_try(&shared->lock) == 0) {
            atomic_store(&shared->is_held, 1);
        }
        pause();
        _exit(1);
    }
    int64_t end_ns = now_ns() + 20 * SECOND_NS;
    while (!atomic_load(&shared->is_held) && now_ns() < end_ns) {
        usleep(1000);
    }
    ck_assert_int_eq(atomic_load(&shared->is_held), 1);
    return pid;
}

static void end(pid_t pid) {
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_lock_is_taken_and_released) {
    struct shared *shared = map();
    ck_assert(!ms_lock_is_held(&shared->lock));
    ck_assert_int_eq(ms_lock_try(&shared->lock), 0);
    ck_assert(ms_lock_is_held(&shared->lock));
    ck_assert(ms_lock_release(&shared->lock));
    ck_assert(!ms_lock_is_held(&shared->lock));
    ck_assert_int_eq(ms_lock_wait(&shared->lock, now_ns()), 0);
    ck_assert(ms_lock_release(&shared->lock));
    unmap(shared);
}
END_TEST

START_TEST(a_held_lock_is_busy_for_another_process) {
    struct shared *shared = map();
    pid_t holder = fork_holder(shared);
    ck_assert_int_eq(ms_lock_try(&shared->lock), -EBUSY);
    ck_assert(ms_lock_is_held(&shared->lock));
    end(holder);
    unmap(shared);
}
END_TEST

START_TEST(a_wait_for_a_held_lock_ends_at_its_deadline) {
    struct shared *shared = map();
    pid_t holder = fork_holder(shared);
    int64_t begin_ns = now_ns();
    ck_assert_int_eq(ms_lock_wait(&shared->lock, begin_ns + SECOND_NS / 10),
                     -ETIMEDOUT);
    int64_t taken_ns = now_ns() - begin_ns;
    ck_assert_int_ge(taken_ns, SECOND_NS / 10);
    ck_assert_int_lt(taken_ns, 10 * SECOND_NS);
    ck_assert_int_eq(ms_lock_wait(&shared->lock, begin_ns), -ETIMEDOUT);
    end(holder);
    unmap(shared);
}
END_TEST

START_TEST(only_who_holds_a_lock_can_release_it) {
    struct shared *shared = map();
    ck_assert(!ms_lock_release(&shared->lock));
    pid_t holder = fork_holder(shared);
    ck_assert(!ms_lock_release(&shared->lock));
    ck_assert(ms_lock_is_held(&shared->lock));
    end(holder);
    unmap(shared);
}
END_TEST

START_TEST(the_lock_of_a_killed_process_is_free_at_once) {
    struct shared *shared = map();
    end(fork_holder(shared));
    ck_assert(!ms_lock_is_held(&shared->lock));
    if (_i) {
        ck_assert_int_eq(ms_lock_try(&shared->lock), 0);
    } else {
        ck_assert_int_eq(ms_lock_wait(&shared->lock, now_ns()), 0);
    }
    ck_assert(ms_lock_is_held(&shared->lock));
    ck_assert(ms_lock_release(&shared->lock));
    ck_assert_int_eq(ms_lock_try(&shared->lock), 0);
    ck_assert(ms_lock_release(&shared->lock));
    unmap(shared);
}
END_TEST

START_TEST(a_lock_survives_many_deaths) {
    struct shared *shared = map();
    for (int i = 0; i < 20; i++) {
        atomic_store(&shared->is_held, 0);
        end(fork_holder(shared));
    }
    ck_assert_int_eq(ms_lock_try(&shared->lock), 0);
    ck_assert(ms_lock_release(&shared->lock));
    unmap(shared);
}
END_TEST

static void *take_and_end(void *context) {
    struct shared *shared = context;
    return ms_lock_try(&shared->lock) == 0 ? shared : NULL;
}

START_TEST(the_lock_of_a_thread_that_has_ended_is_free) {
    struct shared *shared = map();
    pthread_t thread;
    void *result;
    ck_assert_int_eq(pthread_create(&thread, NULL, take_and_end, shared), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, shared);
    ck_assert(!ms_lock_is_held(&shared->lock));
    ck_assert_int_eq(ms_lock_try(&shared->lock), 0);
    ck_assert(ms_lock_release(&shared->lock));
    unmap(shared);
}
END_TEST

START_TEST(a_lock_that_nobody_can_take_any_more_is_damaged) {
    struct shared *shared = map();
    end(fork_holder(shared));
    /* Whoever took it over did not say that what it protects is whole. */
    ck_assert_int_eq(pthread_mutex_trylock(&shared->lock), EOWNERDEAD);
    pthread_mutex_unlock(&shared->lock);
    if (_i) {
        ck_assert_int_eq(ms_lock_try(&shared->lock), -EBADMSG);
    } else {
        ck_assert_int_eq(ms_lock_wait(&shared->lock, now_ns() + SECOND_NS), -EBADMSG);
    }
    unmap(shared);
}
END_TEST

START_TEST(a_lock_of_an_impossible_kind_is_damaged) {
    struct shared *shared = map();
    memset(&shared->lock, 0xff, sizeof shared->lock);
    ck_assert_int_eq(ms_lock_try(&shared->lock), -EBADMSG);
    ck_assert_int_eq(ms_lock_wait(&shared->lock, now_ns()), -EBADMSG);
    unmap(shared);
}
END_TEST

/* Not one step: an increment gets lost if another thread does the same meanwhile. */
static void *increment(void *context) {
    struct shared *shared = context;
    for (int i = 0; i < 20000; i++) {
        if (ms_lock_wait(&shared->lock, now_ns() + 20 * SECOND_NS) < 0) {
            return NULL;
        }
        int64_t value = atomic_load(&shared->value);
        atomic_store(&shared->value, value + 1);
        ms_lock_release(&shared->lock);
    }
    return shared;
}

START_TEST(one_at_a_time_holds_a_lock) {
    struct shared *shared = map();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, increment, shared), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        ck_assert_ptr_eq(result, shared);
    }
    ck_assert_int_eq(atomic_load(&shared->value), 80000);
    unmap(shared);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "lock");
    tcase_add_test(cases, a_lock_is_taken_and_released);
    tcase_add_test(cases, a_held_lock_is_busy_for_another_process);
    tcase_add_test(cases, a_wait_for_a_held_lock_ends_at_its_deadline);
    tcase_add_test(cases, only_who_holds_a_lock_can_release_it);
    tcase_add_loop_test(cases, the_lock_of_a_killed_process_is_free_at_once, 0, 2);
    tcase_add_test(cases, a_lock_survives_many_deaths);
    tcase_add_test(cases, the_lock_of_a_thread_that_has_ended_is_free);
    tcase_add_loop_test(cases, a_lock_that_nobody_can_take_any_more_is_damaged, 0, 2);
    tcase_add_test(cases, a_lock_of_an_impossible_kind_is_damaged);
    tcase_add_test(cases, one_at_a_time_holds_a_lock);
    return suite_run(suite);
}
