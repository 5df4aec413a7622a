/* SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost: neither the owner's, nor that of writers that wait for space.
 *
 * Describes src/queue/bell.h: ms_bell_arm_sleeper, ms_space_arm, ms_space_ring;
 * src/os/lock.c: ms_lock_free, ms_lock_watch; src/linux/slot.c: sleep_once,
 * ms_slot_release; src/linux/writer.c: take_turn, send_batch; src/linux/turn.h:
 * ms_turn_end; src/os/barrier.c: ms_barrier_for_all. Nobody dies here (watch.pml) and
 * nobody looks again at intervals, so a lost wake-up is a state in which nothing can go
 * on: spin calls it an invalid end state. The order is that of the program,
 * but for the owner's head: it lies in the store buffer until that is emptied, by itself
 * or by a writer's barrier. An owner with a descriptor for
 * event loops is in readiness.pml.
 */
#define WRITERS 2
#define EACH 2
#define ALL (WRITERS * EACH)
#define CAPACITY 1

byte tail, head;           /* messages written and read, the latter as the owner has it */
byte head_seen;            /* and as writers see it */
bit is_held, is_freed; /* write_lock, and whether it was since it is watched */
bit bell, owner_sleeps;
bit wanted;                /* space_wanted */
byte space_bell;
bit writer_sleeps[WRITERS];

/* ms_barrier_for_all */
inline barrier() {
#ifdef FAULT_NO_BARRIER
    skip
#else
    head_seen = head
#endif
}

active proctype store_buffer() {
end:
    do
    :: head_seen != head -> head_seen = head
    od
}

inline lock() { atomic { !is_held; is_held = 1 } }
inline unlock() { d_step { is_held = 0; is_freed = 1 } }

/* ms_turn_end: the futex call finds the sleeper or nobody. */
inline publish() {
    tail++;
    unlock();
    if
    :: bell -> owner_sleeps = 0
    :: else
    fi
}

proctype writer(byte me) {
    byte sent, seen;
    do
    :: sent == EACH -> break
    :: else ->
        lock();
        if
        :: tail - head_seen < CAPACITY -> publish(); sent++
        :: else ->
#if defined(FAULT_WISH_BEFORE_BELL)
            wanted = 1;
            barrier();
            if
            :: tail - head_seen < CAPACITY -> publish(); sent++
            :: else -> unlock(); seen = space_bell; goto sleep
            fi
#elif defined(FAULT_NO_SECOND_LOOK)
            seen = space_bell; wanted = 1; unlock(); goto sleep
#else
            seen = space_bell;
            wanted = 1;
            barrier();
            if
            :: tail - head_seen < CAPACITY -> publish(); sent++
            :: else -> unlock(); goto sleep
            fi
#endif
        fi;
        goto next;
sleep:
        atomic {
            if
            :: space_bell == seen -> writer_sleeps[me] = 1
            :: else
            fi
        }
        writer_sleeps[me] == 0;
next:   skip
    od
}

inline release() {
    head++;
    wish = wanted;
    if
    :: wish && CAPACITY - (tail - head) > 0 ->
        wanted = 0;
#ifndef FAULT_BELL_NOT_CHANGED
        space_bell++;
#endif
        d_step { writer_sleeps[0] = 0; writer_sleeps[1] = 0 }
    :: else
    fi
}

active proctype owner() {
    bit wish, may_sleep;
    run writer(0);
    run writer(1);
    do
    :: head == ALL -> break
    :: head != tail -> release()
    :: head < ALL && head == tail ->
#ifdef FAULT_LOOK_BEFORE_WATCHING
        if
        :: head != tail -> goto next
        :: else
        fi;
#endif
        bell = 1;
        d_step { may_sleep = !is_held; is_freed = 0 };
#ifndef FAULT_LOOK_BEFORE_WATCHING
        if
        :: head != tail -> goto next
        :: else
        fi;
#endif
        atomic {
            if
            :: may_sleep && !is_held && !is_freed -> owner_sleeps = 1
            :: else
            fi
        }
        owner_sleeps == 0;
next:   bell = 0
    od;
    assert(tail == ALL)
}
