/* SPDX-License-Identifier: MIT */
/* Locks in shared memory that no death leaves held. */
#include "os/lock.h"

#include "os/clock.h"
#include "os/cpu.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How far a list is followed to find a node in it. */
#define LIST_MAX 65536

/* So many looks, because a turn is short; and before the first nap so many times again,
 * letting others run each time: one that has just woken may have taken the processor
 * from the holder. */
#define LOOKS 32
#define YIELDS 16

/* The shortest nap, and the longest. Each is twice the one before, so that many who
 * wait for a holder that is stopped cost little; but they are so short that who waits
 * beside others who hold it most of the time soon finds it free. Who wakes takes the
 * processor from who runs, which may be the holder, and then all others find it taken:
 * so the first nap is almost as long as the last one that was enough. */
#define NAP_NS INT64_C(200000)
#define NAP_MAX_NS (NAP_NS << 3)

/* As the C library lays a robust mutex out: word, ..., pointer back, pointer on. Both
 * lead to the pointer on of a neighbour. The kernel follows only that one; by the
 * pointer back the C library unlinks its mutexes. */
struct node {
    struct robust_list *back;
    struct robust_list on;
};

_Static_assert(sizeof(struct node) == MS_LOCK_NODE_SIZE, "node");
#define ON_OFFSET (MS_LOCK_NODE_OFFSET + (long)offsetof(struct node, on))

/* This thread: as the kernel knows it, and what it knows of its waits. */
static _Thread_local struct {
    uint32_t id;    /* 0: not known yet */
    uint32_t taken; /* the word that it has replaced last */
    int64_t nap_ns; /* with how long a nap to begin */
    struct robust_list_head *locks;
} self __attribute__((tls_model("initial-exec"))); /* no call to find it */

static void forget_self(void) {
    self.id = 0;
}

/* The only thread of a forked child has another id than the one that it was. To be told
 * twice of a fork does no harm. */
static int watch_forks(void) {
    static _Atomic bool is_watching;
    if (!is_watching && pthread_atfork(NULL, NULL, forget_self) != 0) {
        return -ENOMEM;
    }
    is_watching = true;
    return 0;
}

static int learn_self(void) {
    struct robust_list_head *locks = NULL;
    size_t size = 0;
    int r = watch_forks();
    if (r < 0) {
        return r;
    }
    if (syscall(SYS_get_robust_list, 0, &locks, &size) < 0 || !locks ||
        size != sizeof *locks || locks->futex_offset != -ON_OFFSET) {
        return -ENOSYS;
    }
    self.locks = locks;
    self.id = (uint32_t)syscall(SYS_gettid);
    return 0;
}

static int know_self(void) {
    return self.id ? 0 : learn_self();
}

/* The kernel looks at this thread's list whenever the thread dies: what was stored
 * before must be there, and nothing of what comes later. It is the same thread, so the
 * order of the program is enough. */
static void set(struct robust_list **place, struct robust_list *value) {
    atomic_signal_fence(memory_order_seq_cst);
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
    atomic_signal_fence(memory_order_seq_cst);
}

static struct robust_list *link_of(ms_lock *lock) {
    return (struct robust_list *)((char *)lock + ON_OFFSET);
}

/* From now on the kernel frees this lock if it is, or becomes, this thread's. */
static void begin(ms_lock *lock) {
    set(&self.locks->list_op_pending, link_of(lock));
}

static void end(void) {
    set(&self.locks->list_op_pending, NULL);
}

static bool is_free(uint32_t word) {
    return (word & FUTEX_TID_MASK) == 0 || (word & FUTEX_OWNER_DIED) != 0;
}

/* Who watches it goes on watching. */
static bool take(ms_lock *lock) {
    uint32_t word = atomic_load_explicit(lock, memory_order_relaxed);
    while (is_free(word)) {
        if (atomic_compare_exchange_strong_explicit(
                lock, &word, self.id | (word & FUTEX_WAITERS), memory_order_acquire,
                memory_order_relaxed)) {
            self.taken = word;
            return true;
        }
    }
    return false;
}

inline int ms_lock_try(ms_lock *lock) {
    int r = know_self();
    if (r < 0) {
        return r;
    }
    begin(lock);
    if (!take(lock)) {
        end();
        return -EBUSY;
    }
    return 0;
}

static bool look_at(ms_lock *lock) {
    for (int i = 0; i < LOOKS; i++) {
        if (take(lock)) {
            return true;
        }
        ms_cpu_pause();
    }
    return false;
}

static bool spin_on(ms_lock *lock) {
    bool is_taken = look_at(lock);
    for (int i = 0; i < YIELDS && !is_taken; i++) {
        sched_yield();
        is_taken = look_at(lock);
    }
    return is_taken;
}

/*
 * Nobody wakes who naps: a system call in a turn costs more than many turns, and
 * whoever is woken comes back to find the lock taken. Signals are blocked but in here,
 * so none comes between two naps and goes unnoticed. A system call of its own, because
 * the C library's is a point at which a thread can be cancelled. Returns 0, -EINTR or
 * -ETIMEDOUT.
 */
static int nap(int64_t nap_ns, int64_t deadline_ns, const sigset_t *signals) {
    int64_t left_ns = deadline_ns - ms_clock_now_ns();
    if (left_ns <= 0) {
        return -ETIMEDOUT;
    }
    struct timespec time = {.tv_nsec = nap_ns < left_ns ? nap_ns : left_ns};
    long r = syscall(SYS_ppoll, NULL, 0, &time, signals, _NSIG / 8);
    return r < 0 && errno == EINTR ? -EINTR : 0;
}

static int nap_on(ms_lock *lock, int64_t deadline_ns) {
    sigset_t all;
    sigset_t before;
    int r = 0;
    bool is_taken = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int64_t next_ns = self.nap_ns > NAP_NS ? self.nap_ns : NAP_NS;
    while (r == 0 && !is_taken) {
        self.nap_ns = next_ns / 4 * 3;
        r = nap(next_ns, deadline_ns, &before);
        is_taken = r == 0 && look_at(lock);
        next_ns = 2 * next_ns < NAP_MAX_NS ? 2 * next_ns : NAP_MAX_NS;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

int ms_lock_wait_or_signal(ms_lock *lock, int64_t deadline_ns) {
    int r = know_self();
    if (r < 0) {
        return r;
    }
    begin(lock);
    r = spin_on(lock) ? 0 : nap_on(lock, deadline_ns);
    if (r < 0) {
        end();
    }
    return r;
}

int ms_lock_wait(ms_lock *lock, int64_t deadline_ns) {
    int r = -EINTR;
    while (r == -EINTR) {
        r = ms_lock_wait_or_signal(lock, deadline_ns);
    }
    return r;
}

/* What was stored before an exchange comes before what is loaded after it. */
static void order_after_exchange(void) {
#if defined(__x86_64__)
    atomic_signal_fence(memory_order_seq_cst); /* the exchange has seen to it */
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* A word that is not this thread's has been overwritten: then it is left alone. A lock
 * that is watched stays so, with another word than before. Release, for who takes the
 * lock next; and acquire: what who watches it stored before is seen. */
inline bool ms_lock_free(ms_lock *lock) {
    uint32_t word = atomic_load_explicit(lock, memory_order_relaxed);
    uint32_t next;
    do {
        if ((word & FUTEX_TID_MASK) != self.id) {
            return false;
        }
        next = word & FUTEX_WAITERS ? FUTEX_WAITERS | FUTEX_OWNER_DIED : 0;
    } while (!atomic_compare_exchange_strong_explicit(
        lock, &word, next, memory_order_acq_rel, memory_order_relaxed));
    order_after_exchange();
    return next != 0 && self.taken == FUTEX_WAITERS;
}

inline void ms_lock_done(void) {
    end();
}

void ms_lock_release(ms_lock *lock) {
    ms_lock_free(lock);
    ms_lock_done();
}

/* The kernel leaves a lock whose holder dies as ms_lock_free does, and wakes. It also
 * wakes when who dies has let go of the lock, and that is still in the place for one
 * more: since Linux 6.2 (5.10, 5.15 and 6.1 of that time) whatever the bits. */
bool ms_lock_watch(ms_lock *lock, uint32_t *ret_word) {
    uint32_t word = atomic_load_explicit(lock, memory_order_relaxed);
    uint32_t next;
    do {
        next = is_free(word) ? FUTEX_WAITERS : word | FUTEX_WAITERS;
    } while (!atomic_compare_exchange_strong(lock, &word, next));
    *ret_word = next;
    return next == FUTEX_WAITERS;
}

void ms_lock_unwatch(ms_lock *lock) {
    atomic_fetch_and(lock, ~(uint32_t)FUTEX_WAITERS);
}

/* The lowest bit of a pointer of the list tells the kind of the lock that follows. */
static struct robust_list *after(const struct robust_list *link) {
    return (struct robust_list *)((uintptr_t)link->next & ~(uintptr_t)1);
}

/* Tell what follows a link, unless it is the end of the list. */
static void tell_next(struct robust_list *link) {
    struct robust_list *next = after(link);
    if (next != &self.locks->list) {
        struct node *node = (struct node *)((char *)next - offsetof(struct node, on));
        node->back = link;
    }
}

/* The link that leads to this one, NULL when none in this thread's list does. */
static struct robust_list *find_before(const struct robust_list *link) {
    struct robust_list *at = &self.locks->list;
    for (int i = 0; i < LIST_MAX && after(at) != link; i++) {
        at = after(at);
        if (at == &self.locks->list) {
            return NULL;
        }
    }
    return after(at) == link ? at : NULL;
}

void ms_lock_keep(ms_lock *lock) {
    struct robust_list *link = link_of(lock);
    set(&link->next, self.locks->list.next);
    set(&self.locks->list.next, link);
    tell_next(link);
    end();
}

bool ms_lock_drop(ms_lock *lock) {
    struct robust_list *link = link_of(lock);
    struct robust_list *before = know_self() == 0 ? find_before(link) : NULL;
    if (!before) {
        return false;
    }
    begin(lock);
    set(&before->next, link->next);
    tell_next(before);
    ms_lock_release(lock);
    return true;
}

inline uint32_t ms_lock_holder(const ms_lock *lock) {
    /* Relaxed: the kernel changes the word at death, and nothing is read because of
     * it. */
    uint32_t word = atomic_load_explicit(lock, memory_order_relaxed);
    return is_free(word) ? 0 : word & FUTEX_TID_MASK;
}

inline bool ms_lock_is_held(const ms_lock *lock) {
    return ms_lock_holder(lock) != 0;
}
