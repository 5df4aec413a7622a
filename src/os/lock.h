/* SPDX-License-Identifier: MIT */
/*
 * A lock in memory that processes share: one word, zero when it is free, else the
 * thread id of its holder. When the holder dies the kernel frees it, and the next one
 * takes it as if nothing had happened. Two bits tell more, as the kernel means them: it
 * is watched, and it was let go of, by a death or since it is watched.
 *
 * The kernel finds the locks of a thread that dies through memory of that thread: a
 * list of locks and a place for one more. The C library has made them for its own
 * robust mutexes, and shares them with us. Nobody follows a pointer that lies in
 * shared memory, so no byte in it can do more harm than a lock that is taken or free
 * at the wrong time.
 *
 * A lock is taken into the place for one more, so a thread has one such lock at a
 * time, for a short while, and runs nothing of the program meanwhile. A lock that is
 * to be held longer is then kept: linked into the list by its node.
 */
#ifndef MS_OS_LOCK_H
#define MS_OS_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint32_t ms_lock;

/* The node of a lock that is kept: these bytes after the word belong to the list and
 * must be private memory of the process. */
#define MS_LOCK_NODE_OFFSET 24
#define MS_LOCK_NODE_SIZE 16

/* Returns 0; -EBUSY; -ENOSYS when the list is not as the C library of GNU makes it,
 * or -ENOMEM, here and below. */
int ms_lock_try(ms_lock *lock);

/* deadline_ns: absolute, CLOCK_MONOTONIC. Returns 0 or -ETIMEDOUT. */
int ms_lock_wait(ms_lock *lock, int64_t deadline_ns);

/* The same, but also -EINTR when a signal handler has run. */
int ms_lock_wait_or_signal(ms_lock *lock, int64_t deadline_ns);

/* Let go of a lock that was taken. A full barrier as well: what was stored before it is
 * seen before anything is loaded after it. */
void ms_lock_release(ms_lock *lock);

/* The same in two steps, between which who watches it can be woken: who dies there has
 * the kernel do that. Returns true when somebody has watched it since it was free, and
 * this is the first time that it is let go of since then. */
bool ms_lock_free(ms_lock *lock);
void ms_lock_done(void);

/*
 * Watch a lock: to sleep on its word (os/futex.h) for as long as that is *ret_word. It
 * is until somebody lets go of the lock; and who dies with it wakes who watches.
 * Returns false when somebody holds it at the moment: then a sleep has to end by
 * itself, because the same thread may take it once more. One thread at a time watches a
 * lock, and does not take it meanwhile.
 */
bool ms_lock_watch(ms_lock *lock, uint32_t *ret_word);

/* Watch it no more. By another thread: the word changes, and who sleeps on it is to be
 * woken. */
void ms_lock_unwatch(ms_lock *lock);

/* Keep a lock that was taken, with its node. */
void ms_lock_keep(ms_lock *lock);

/* Let go of a lock that was kept. Returns false when this thread does not keep it:
 * while the thread that does lives, the node must stay where it is. */
bool ms_lock_drop(ms_lock *lock);

/* The thread id of who holds it, 0 when it is free: one load. */
uint32_t ms_lock_holder(const ms_lock *lock);

/* Whether a living thread holds it. */
bool ms_lock_is_held(const ms_lock *lock);

#endif
