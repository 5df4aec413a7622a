/* SPDX-License-Identifier: MIT */
/* Locks in shared memory that no death leaves held. */
#include "os/lock.h"

#include "os/clock.h"
#include "os/futex.h"
#include "suite.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
#define PAGE 4096

/* One page that processes share, and one that is private, for the nodes. */
struct shared {
    _Atomic int is_ready;
    _Atomic int is_free;
    _Atomic int64_t value;
    ms_lock turn;
    char unused[4052];
    ms_lock kept;
    char unused_too[12];
    ms_lock kept_too;
    char end[4];
    char nodes[PAGE];
};

_Static_assert(offsetof(struct shared, kept) == 4072, "as in a region");
_Static_assert(offsetof(struct shared, kept_too) == 4088, "as in a region");

/* Thousands of mutexes are held here, in any order, as no program does it. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return "detect_deadlocks=0";
}

/* Who lets others run lets this holder go on, which lets go of its lock. */
static ms_lock *let_go;

int sched_yield(void) {
    if (let_go) {
        atomic_store(let_go, 0);
    }
    return 0;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void *share(void *at, size_t size) {
    void *memory = mmap(at, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
    HOLDS(memory != MAP_FAILED);
    return memory;
}

static struct shared *map(void) {
    void *memory = mmap(NULL, 2 * (size_t)PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    HOLDS(memory != MAP_FAILED);
    return share(memory, PAGE);
}

static void unmap(struct shared *shared) {
    munmap(shared, sizeof *shared);
}

static void await_ready(struct shared *shared) {
    int64_t end_ns = now_ns() + 20 * SECOND_NS;
    while (!atomic_load(&shared->is_ready) && now_ns() < end_ns) {
        usleep(1000);
    }
    ck_assert_int_eq(atomic_load(&shared->is_ready), 1);
}

/* What a process does; it ends with status 0 unless it is killed before. */
static pid_t start(void (*run)(struct shared *), struct shared *shared) {
    atomic_store(&shared->is_ready, 0);
    pid_t pid = fork();
    if (pid == 0) {
        run(shared);
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static void end(pid_t pid) {
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void finish(pid_t pid) {
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

static void stay(struct shared *shared) {
    atomic_store(&shared->is_ready, 1);
    for (;;) {
        pause();
    }
}

static void hold_turn(struct shared *shared) {
    HOLDS(ms_lock_try(&shared->turn) == 0);
    stay(shared);
}

static void keep(ms_lock *lock) {
    HOLDS(ms_lock_wait(lock, now_ns() + 20 * SECOND_NS) == 0);
    ms_lock_keep(lock);
}

/* As the owner of a slot that removes its name. */
static void hold_all(struct shared *shared) {
    keep(&shared->kept);
    keep(&shared->kept_too);
    hold_turn(shared);
}

static pid_t start_holder(void (*hold)(struct shared *), struct shared *shared) {
    pid_t pid = start(hold, shared);
    await_ready(shared);
    return pid;
}

/* Nobody holds it, and it can be taken as if nothing had happened. */
static void expect_free(ms_lock *lock) {
    ck_assert(!ms_lock_is_held(lock));
    ck_assert_int_eq(ms_lock_try(lock), 0);
    ck_assert(ms_lock_is_held(lock));
    ms_lock_release(lock);
    ck_assert_uint_eq(atomic_load(lock), 0);
}

START_TEST(a_lock_is_taken_and_released) {
    struct shared *shared = map();
    expect_free(&shared->turn);
    ck_assert_int_eq(ms_lock_wait(&shared->turn, now_ns()), 0);
    ck_assert_uint_eq(ms_lock_holder(&shared->turn), (uint32_t)gettid());
    ms_lock_release(&shared->turn);
    keep(&shared->kept);
    keep(&shared->kept_too);
    expect_free(&shared->turn);
    ck_assert(ms_lock_drop(&shared->kept));
    ck_assert(!ms_lock_drop(&shared->kept));
    ck_assert(ms_lock_is_held(&shared->kept_too));
    ck_assert(ms_lock_drop(&shared->kept_too));
    expect_free(&shared->kept);
    unmap(shared);
}
END_TEST

START_TEST(a_held_lock_is_busy_until_the_deadline) {
    struct shared *shared = map();
    pid_t holder = start_holder(hold_turn, shared);
    ck_assert_int_eq(ms_lock_try(&shared->turn), -EBUSY);
    ck_assert_uint_eq(ms_lock_holder(&shared->turn), (uint32_t)holder);
    int64_t begin_ns = now_ns();
    ck_assert_int_eq(ms_lock_wait(&shared->turn, begin_ns + SECOND_NS / 10),
                     -ETIMEDOUT);
    int64_t taken_ns = now_ns() - begin_ns;
    ck_assert_int_ge(taken_ns, SECOND_NS / 10);
    ck_assert_int_lt(taken_ns, 10 * SECOND_NS);
    ck_assert_int_eq(ms_lock_wait(&shared->turn, begin_ns), -ETIMEDOUT);
    end(holder);
    unmap(shared);
}
END_TEST

static volatile sig_atomic_t alarms;

static void on_alarm(int number) {
    (void)number;
    alarms++;
}

START_TEST(who_waits_lets_a_holder_run_that_has_no_processor) {
    struct shared *shared = map();
    atomic_store(&shared->turn, 1);
    let_go = &shared->turn;
    int r = ms_lock_wait(&shared->turn, now_ns() + SECOND_NS);
    let_go = NULL;
    ck_assert_int_eq(r, 0);
    ms_lock_release(&shared->turn);
    unmap(shared);
}
END_TEST

START_TEST(a_signal_ends_a_wait_that_says_so_and_no_other) {
    struct shared *shared = map();
    pid_t holder = start_holder(hold_turn, shared);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{.tv_usec = 20000}, {.tv_usec = 20000}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    int64_t begin_ns = now_ns();
    ck_assert_int_eq(ms_lock_wait_or_signal(&shared->turn, begin_ns + 20 * SECOND_NS),
                     -EINTR);
    begin_ns = now_ns();
    ck_assert_int_eq(ms_lock_wait(&shared->turn, begin_ns + SECOND_NS / 5), -ETIMEDOUT);
    ck_assert_int_ge(now_ns() - begin_ns, SECOND_NS / 5);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    end(holder);
    unmap(shared);
}
END_TEST

#define WAITS 400

/* Between two naps, too. A few come before the wait has begun. */
START_TEST(hardly_a_signal_goes_unnoticed) {
    struct shared *shared = map();
    pid_t holder = start_holder(hold_turn, shared);
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    alarms = 0;
    for (int i = 0; i < WAITS; i++) {
        struct timeval pause = {.tv_usec = 300 + i * 3};
        setitimer(ITIMER_REAL, &(struct itimerval){pause, pause}, NULL);
        ck_assert_int_eq(
            ms_lock_wait_or_signal(&shared->turn, now_ns() + 20 * SECOND_NS), -EINTR);
    }
    ck_assert_int_lt(alarms, WAITS + WAITS / 20);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    end(holder);
    unmap(shared);
}
END_TEST

static void *try_to_drop(void *context) {
    struct shared *shared = context;
    return ms_lock_drop(&shared->kept) ? shared : NULL;
}

START_TEST(only_the_thread_that_keeps_a_lock_can_drop_it) {
    struct shared *shared = map();
    keep(&shared->kept);
    pthread_t thread;
    void *result;
    ck_assert_int_eq(pthread_create(&thread, NULL, try_to_drop, shared), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_null(result);
    ck_assert(ms_lock_is_held(&shared->kept));
    ck_assert(ms_lock_drop(&shared->kept));
    expect_free(&shared->kept);
    unmap(shared);
}
END_TEST

START_TEST(the_locks_of_a_killed_process_are_free_at_once) {
    struct shared *shared = map();
    for (int i = 0; i < 20; i++) {
        end(start_holder(hold_all, shared));
        ck_assert_uint_eq(atomic_load(&shared->kept), FUTEX_OWNER_DIED);
        expect_free(&shared->kept);
        expect_free(&shared->kept_too);
        expect_free(&shared->turn);
    }
    unmap(shared);
}
END_TEST

static void *take_and_end(void *context) {
    struct shared *shared = context;
    keep(&shared->kept);
    return ms_lock_try(&shared->turn) == 0 ? shared : NULL;
}

START_TEST(the_locks_of_a_thread_that_has_ended_are_free) {
    struct shared *shared = map();
    pthread_t thread;
    void *result;
    ck_assert_int_eq(pthread_create(&thread, NULL, take_and_end, shared), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, shared);
    expect_free(&shared->kept);
    expect_free(&shared->turn);
    unmap(shared);
}
END_TEST

/* There is no looking again: who is not woken in time, is never. */
static int watch_turn(struct shared *shared) {
    uint32_t word;
    shared->is_free = ms_lock_watch(&shared->turn, &word);
    atomic_store(&shared->is_ready, 1);
    int r = ms_futex_wait(&shared->turn, word, now_ns() + 20 * SECOND_NS);
    ms_lock_unwatch(&shared->turn);
    return r;
}

static void *watch_in_thread(void *context) {
    return watch_turn(context) == 0 ? context : NULL;
}

static pthread_t start_watcher(struct shared *shared) {
    pthread_t thread;
    atomic_store(&shared->is_ready, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, watch_in_thread, shared), 0);
    await_ready(shared);
    return thread;
}

/* Returns whether it was the first time since the watcher watched it. */
static bool release_and_wake(struct shared *shared) {
    bool is_first = ms_lock_free(&shared->turn);
    ms_futex_wake(&shared->turn, 1);
    ms_lock_done();
    return is_first;
}

static void expect_woken(struct shared *shared, pthread_t watcher) {
    void *result;
    ck_assert_int_eq(pthread_join(watcher, &result), 0);
    ck_assert_ptr_eq(result, shared);
    expect_free(&shared->turn);
}

START_TEST(who_watches_a_lock_is_woken_when_somebody_lets_go_of_it) {
    struct shared *shared = map();
    for (int i = 0; i < 100; i++) {
        pthread_t watcher = start_watcher(shared);
        ck_assert(shared->is_free);
        ck_assert_int_eq(ms_lock_try(&shared->turn), 0);
        ck_assert(ms_lock_is_held(&shared->turn));
        ck_assert(release_and_wake(shared));
        expect_woken(shared, watcher);
    }
    unmap(shared);
}
END_TEST

START_TEST(who_watches_a_lock_that_is_held_learns_that) {
    struct shared *shared = map();
    ck_assert_int_eq(ms_lock_try(&shared->turn), 0);
    pthread_t watcher = start_watcher(shared);
    ck_assert(!shared->is_free);
    ck_assert_uint_eq(ms_lock_holder(&shared->turn), (uint32_t)gettid());
    ck_assert(!release_and_wake(shared));
    expect_woken(shared, watcher);
    unmap(shared);
}
END_TEST

/* Whoever takes it and lets go of it, the word is not the same again. */
START_TEST(nobody_begins_to_sleep_on_a_lock_that_was_let_go_of) {
    struct shared *shared = map();
    uint32_t word;
    ck_assert(ms_lock_watch(&shared->turn, &word));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ms_lock_try(&shared->turn), 0);
        ck_assert_uint_ne(atomic_load(&shared->turn), word);
        ck_assert_int_eq(ms_lock_free(&shared->turn), i == 0);
        ms_lock_done();
        ck_assert_uint_ne(atomic_load(&shared->turn), word);
        ck_assert_int_eq(ms_futex_wait(&shared->turn, word, MS_NEVER), 0);
    }
    ck_assert(ms_lock_watch(&shared->turn, &word));
    ck_assert_uint_eq(atomic_load(&shared->turn), word);
    ms_lock_unwatch(&shared->turn);
    ck_assert_int_eq(ms_futex_wait(&shared->turn, word, MS_NEVER), 0);
    ck_assert_int_eq(ms_lock_try(&shared->turn), 0);
    ck_assert(!ms_lock_free(&shared->turn));
    ms_lock_done();
    unmap(shared);
}
END_TEST

/* Killed while it holds the lock, or when it has let go of it and woken nobody. */
static void take_and_stop(struct shared *shared) {
    HOLDS(ms_lock_try(&shared->turn) == 0);
    if (shared->value) {
        HOLDS(ms_lock_free(&shared->turn));
    }
    stay(shared);
}

START_TEST(who_watches_a_lock_is_woken_when_its_holder_dies) {
    struct shared *shared = map();
    for (shared->value = 0; shared->value < 2; shared->value++) {
        pthread_t watcher = start_watcher(shared);
        atomic_store(&shared->is_ready, 0);
        end(start_holder(take_and_stop, shared));
        expect_woken(shared, watcher);
    }
    unmap(shared);
}
END_TEST

/* Bytes that somebody else has written. */

static const uint32_t hostile_words[] = {1,
                                         FUTEX_TID_MASK,
                                         FUTEX_WAITERS,
                                         FUTEX_OWNER_DIED,
                                         FUTEX_WAITERS | 1,
                                         FUTEX_OWNER_DIED | 1,
                                         FUTEX_WAITERS | FUTEX_OWNER_DIED,
                                         UINT32_MAX};

START_TEST(any_word_is_free_or_busy) {
    struct shared *shared = map();
    uint32_t word = hostile_words[_i];
    bool is_free = !(word & FUTEX_TID_MASK) || (word & FUTEX_OWNER_DIED);
    atomic_store(&shared->turn, word);
    ck_assert_int_eq(ms_lock_is_held(&shared->turn), !is_free);
    ck_assert_int_eq(ms_lock_try(&shared->turn), is_free ? 0 : -EBUSY);
    atomic_store(&shared->turn, word);
    ck_assert_int_eq(ms_lock_wait(&shared->turn, now_ns() + SECOND_NS / 20),
                     is_free ? 0 : -ETIMEDOUT);
    unmap(shared);
}
END_TEST

/* A thread that dies with the C library's robust mutex and our locks. */
static void *smash_while_kept(void *context) {
    struct shared *shared = context;
    pthread_mutex_t mutexes[2];
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutexes[0], &robust);
    pthread_mutex_init(&mutexes[1], &robust);
    keep(&shared->kept);
    pthread_mutex_lock(&mutexes[0]);
    keep(&shared->kept_too);
    HOLDS(ms_lock_try(&shared->turn) == 0);
    memset(shared, (int)shared->value, PAGE);
    ms_lock_release(&shared->turn);
    pthread_mutex_lock(&mutexes[1]);
    pthread_mutex_unlock(&mutexes[0]);
    HOLDS(ms_lock_drop(&shared->kept));
    HOLDS(ms_lock_drop(&shared->kept_too));
    pthread_mutex_unlock(&mutexes[1]);
    memset(shared, 0, sizeof *shared);
    keep(&shared->kept);
    return shared;
}

START_TEST(bytes_that_are_overwritten_while_locks_are_held_do_no_harm) {
    static const unsigned char bytes[] = {0, 1, 0x41, 0x80, 0xff};
    struct shared *shared = map();
    for (size_t i = 0; i < sizeof bytes; i++) {
        pthread_t thread;
        void *result;
        shared->value = bytes[i];
        ck_assert_int_eq(pthread_create(&thread, NULL, smash_while_kept, shared), 0);
        ck_assert_int_eq(pthread_join(thread, &result), 0);
        ck_assert_ptr_eq(result, shared);
        expect_free(&shared->kept);
    }
    unmap(shared);
}
END_TEST

static void *flip(void *context) {
    struct shared *shared = context;
    for (uint32_t i = 0; !atomic_load(&shared->is_ready); i++) {
        uint32_t word = i * 2654435761U;
        atomic_store(&shared->turn, (word & ~(uint32_t)FUTEX_OWNER_DIED) | 1);
    }
    return shared;
}

START_TEST(a_word_that_never_rests_is_waited_for_until_the_deadline) {
    struct shared *shared = map();
    pthread_t thread;
    atomic_store(&shared->turn, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, flip, shared), 0);
    int64_t begin_ns = now_ns();
    ck_assert_int_eq(ms_lock_wait(&shared->turn, begin_ns + SECOND_NS / 5), -ETIMEDOUT);
    ck_assert_int_lt(now_ns() - begin_ns, 10 * SECOND_NS);
    atomic_store(&shared->is_ready, 1);
    pthread_join(thread, NULL);
    unmap(shared);
}
END_TEST

/* The list, shared with the C library. */

#define AREAS 6
#define MUTEXES 12

struct mix {
    pthread_mutex_t mutexes[MUTEXES];
    bool is_locked[MUTEXES];
    bool is_kept[AREAS];
};

static struct mix *map_mix(void) {
    struct mix *mix = share(NULL, sizeof *mix);
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
    for (int i = 0; i < MUTEXES; i++) {
        /* Those that inherit priorities are marked in the list. */
        pthread_mutexattr_setprotocol(&robust,
                                      i % 3 ? PTHREAD_PRIO_NONE : PTHREAD_PRIO_INHERIT);
        ck_assert_int_eq(pthread_mutex_init(&mix->mutexes[i], &robust), 0);
    }
    return mix;
}

static void turn_over_mutex(struct mix *mix, uint32_t i) {
    int r = mix->is_locked[i] ? pthread_mutex_unlock(&mix->mutexes[i])
                              : pthread_mutex_lock(&mix->mutexes[i]);
    HOLDS(r == 0);
    mix->is_locked[i] = !mix->is_locked[i];
}

static void turn_over_area(struct mix *mix, struct shared **areas, uint32_t i) {
    if (mix->is_kept[i]) {
        HOLDS(ms_lock_drop(&areas[i]->kept));
    } else {
        keep(&areas[i]->kept);
    }
    mix->is_kept[i] = !mix->is_kept[i];
}

static void turn_over_many(struct mix *mix, struct shared **areas, uint32_t seed) {
    for (uint32_t n = 0; n < 400; n++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t i = (seed >> 16) % (MUTEXES + AREAS);
        if (i < MUTEXES) {
            turn_over_mutex(mix, i);
        } else {
            turn_over_area(mix, areas, i - MUTEXES);
        }
    }
    raise(SIGKILL);
}

START_TEST(locks_and_the_c_librarys_robust_mutexes_share_a_list) {
    for (uint32_t seed = 0; seed < 40; seed++) {
        struct mix *mix = map_mix();
        struct shared *areas[AREAS];
        for (int i = 0; i < AREAS; i++) {
            areas[i] = map();
        }
        pid_t pid = fork();
        if (pid == 0) {
            turn_over_many(mix, areas, seed);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        for (int i = 0; i < MUTEXES; i++) {
            ck_assert_int_eq(pthread_mutex_trylock(&mix->mutexes[i]),
                             mix->is_locked[i] ? EOWNERDEAD : 0);
            pthread_mutex_unlock(&mix->mutexes[i]);
        }
        for (int i = 0; i < AREAS; i++) {
            ck_assert_uint_eq(atomic_load(&areas[i]->kept) != 0, mix->is_kept[i]);
            expect_free(&areas[i]->kept);
            unmap(areas[i]);
        }
        munmap(mix, sizeof *mix);
    }
}
END_TEST

/* More than the kernel looks at. */
#define MANY 3000

static void hold_among_many(struct shared *shared) {
    static pthread_mutex_t mutexes[MANY];
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    keep(&shared->kept);
    for (int i = 0; i < MANY; i++) {
        pthread_mutex_init(&mutexes[i], &robust);
        pthread_mutex_lock(&mutexes[i]);
    }
    HOLDS(ms_lock_drop(&shared->kept));
    keep(&shared->kept_too);
    hold_turn(shared);
}

START_TEST(thousands_of_mutexes_are_in_nobodys_way) {
    struct shared *shared = map();
    end(start_holder(hold_among_many, shared));
    expect_free(&shared->kept);
    expect_free(&shared->kept_too);
    expect_free(&shared->turn);
    unmap(shared);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

/* Killed at each instruction; or at some, because a long run takes half a minute. */
static int stride(void) {
    const char *is_long = getenv("MAILSLOT_TEST_LONG");
    return is_long && strcmp(is_long, "1") == 0 ? 1 : 7;
}

static void be_traced(void) {
    HOLDS(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    raise(SIGSTOP);
}

static void take_all_and_release(struct shared *shared) {
    expect_free(&shared->turn); /* the next time no symbol is looked up */
    keep(&shared->kept);
    HOLDS(ms_lock_drop(&shared->kept));
    be_traced();
    HOLDS(ms_lock_try(&shared->kept) == 0);
    ms_lock_keep(&shared->kept);
    HOLDS(ms_lock_try(&shared->turn) == 0);
    ms_lock_release(&shared->turn);
    HOLDS(ms_lock_drop(&shared->kept));
    raise(SIGSTOP);
}

static void release_turn(struct shared *shared) {
    HOLDS(ms_lock_try(&shared->turn) == 0);
    ms_lock_release(&shared->turn);
    HOLDS(ms_lock_try(&shared->turn) == 0);
    be_traced();
    ms_lock_release(&shared->turn);
    raise(SIGSTOP);
}

static void drop_kept(struct shared *shared) {
    keep(&shared->kept);
    HOLDS(ms_lock_drop(&shared->kept));
    keep(&shared->kept);
    be_traced();
    HOLDS(ms_lock_drop(&shared->kept));
    raise(SIGSTOP);
}

static void await_stop(pid_t pid, int signal) {
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(WSTOPSIG(status), signal);
}

/* Whether the process went on by that many instructions, or came to its end before. */
static bool step(pid_t pid, int instructions) {
    for (int i = 0; i < instructions; i++) {
        int status;
        ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSTOPPED(status));
        if (WSTOPSIG(status) != SIGTRAP) {
            ck_assert_int_eq(WSTOPSIG(status), SIGSTOP);
            return false;
        }
    }
    return true;
}

START_TEST(a_process_killed_at_any_instruction_leaves_no_lock) {
    struct shared *shared = map();
    bool is_on_its_way = true;
    int instructions = 0;
    for (; is_on_its_way; instructions += stride()) {
        pid_t pid = start(take_all_and_release, shared);
        await_stop(pid, SIGSTOP);
        is_on_its_way = step(pid, instructions);
        end(pid);
        expect_free(&shared->kept);
        expect_free(&shared->turn);
    }
    ck_assert_int_gt(instructions, 100);
    unmap(shared);
}
END_TEST

static void wait_for(ms_lock *lock) {
    HOLDS(ms_lock_wait(lock, now_ns() + 20 * SECOND_NS) == 0);
    ms_lock_release(lock);
}

static void wait_for_turn(struct shared *shared) {
    wait_for(&shared->turn);
}

static void wait_for_kept(struct shared *shared) {
    wait_for(&shared->kept);
}

static void await_sleep(pid_t pid) {
    char path[32];
    char state = 0;
    int64_t end_ns = now_ns() + 20 * SECOND_NS;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    while (state != 'S' && now_ns() < end_ns) {
        FILE *stream = fopen(path, "re");
        ck_assert_ptr_nonnull(stream);
        ck_assert_int_eq(fscanf(stream, "%*d (%*[^)]) %c", &state), 1);
        fclose(stream);
    }
    ck_assert_int_eq(state, 'S');
}

/* A waiter that does not look again fails 20 seconds later. */
START_TEST(who_waits_gets_it_whatever_the_holder_died_at) {
    struct shared *shared = map();
    ms_lock *lock = _i ? &shared->kept : &shared->turn;
    bool is_on_its_way = true;
    int instructions = 0;
    for (; is_on_its_way; instructions += stride()) {
        pid_t holder = start(_i ? drop_kept : release_turn, shared);
        await_stop(holder, SIGSTOP);
        pid_t waiters[2];
        for (int i = 0; i < 2; i++) {
            waiters[i] = start(_i ? wait_for_kept : wait_for_turn, shared);
            await_sleep(waiters[i]);
        }
        is_on_its_way = step(holder, instructions);
        end(holder);
        finish(waiters[0]);
        finish(waiters[1]);
        expect_free(lock);
    }
    ck_assert_int_gt(instructions, 20);
    unmap(shared);
}
END_TEST

/* As a turn ends. */
static void free_and_wake_turn(struct shared *shared) {
    HOLDS(ms_lock_try(&shared->turn) == 0);
    ms_lock_release(&shared->turn);
    ms_futex_wake(&shared->turn, 1);
    HOLDS(ms_lock_try(&shared->turn) == 0);
    be_traced();
    release_and_wake(shared);
    raise(SIGSTOP);
}

static void watch(struct shared *shared) {
    HOLDS(watch_turn(shared) == 0);
}

START_TEST(who_watches_is_woken_whatever_the_holder_died_at) {
    struct shared *shared = map();
    bool is_on_its_way = true;
    int instructions = 0;
    for (; is_on_its_way; instructions += stride()) {
        pid_t holder = start(free_and_wake_turn, shared);
        await_stop(holder, SIGSTOP);
        pid_t watcher = start(watch, shared);
        await_ready(shared);
        await_sleep(watcher);
        is_on_its_way = step(holder, instructions);
        end(holder);
        finish(watcher);
        expect_free(&shared->turn);
    }
    ck_assert_int_gt(instructions, 20);
    unmap(shared);
}
END_TEST

/* Not one step: an increment gets lost if another thread does the same meanwhile. */
static void *increment(void *context) {
    struct shared *shared = context;
    for (int i = 0; i < 20000; i++) {
        if (ms_lock_wait(&shared->turn, now_ns() + 20 * SECOND_NS) < 0) {
            return NULL;
        }
        int64_t value = atomic_load(&shared->value);
        atomic_store(&shared->value, value + 1);
        ms_lock_release(&shared->turn);
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
    tcase_add_test(cases, a_held_lock_is_busy_until_the_deadline);
    tcase_add_test(cases, who_waits_lets_a_holder_run_that_has_no_processor);
    tcase_add_test(cases, a_signal_ends_a_wait_that_says_so_and_no_other);
    tcase_add_test(cases, hardly_a_signal_goes_unnoticed);
    tcase_add_test(cases, only_the_thread_that_keeps_a_lock_can_drop_it);
    tcase_add_test(cases, the_locks_of_a_killed_process_are_free_at_once);
    tcase_add_test(cases, the_locks_of_a_thread_that_has_ended_are_free);
    tcase_add_test(cases, who_watches_a_lock_is_woken_when_somebody_lets_go_of_it);
    tcase_add_test(cases, who_watches_a_lock_that_is_held_learns_that);
    tcase_add_test(cases, nobody_begins_to_sleep_on_a_lock_that_was_let_go_of);
    tcase_add_test(cases, who_watches_a_lock_is_woken_when_its_holder_dies);
    tcase_add_loop_test(cases, any_word_is_free_or_busy, 0,
                        sizeof hostile_words / sizeof *hostile_words);
    tcase_add_test(cases, bytes_that_are_overwritten_while_locks_are_held_do_no_harm);
    tcase_add_test(cases, a_word_that_never_rests_is_waited_for_until_the_deadline);
    tcase_add_test(cases, locks_and_the_c_librarys_robust_mutexes_share_a_list);
    tcase_add_test(cases, thousands_of_mutexes_are_in_nobodys_way);
    if (IS_SANITIZED) {
        puts("skipped: what a sanitizer makes of the code is too long to single-step");
    } else {
        tcase_add_test(cases, a_process_killed_at_any_instruction_leaves_no_lock);
        tcase_add_loop_test(cases, who_waits_gets_it_whatever_the_holder_died_at, 0, 2);
        tcase_add_test(cases, who_watches_is_woken_whatever_the_holder_died_at);
    }
    tcase_add_test(cases, one_at_a_time_holds_a_lock);
    return suite_run(suite);
}
