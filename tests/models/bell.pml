/* SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost: neither the owner's, nor that of writers that wait for space.
 *
 * Describes src/queue/bell.h: ms_bell_arm, ms_bell_take, ms_space_arm, ms_space_ring;
 * src/linux/slot.c: wait_for_bell, ms_slot_release; src/linux/writer.c: take_turn,
 * send_batch; src/linux/turn.h: ms_turn_end; src/os/barrier.c: ms_barrier_for_all. Nobody
 * dies here and nobody looks again at intervals, so a lost wake-up is a state in which
 * nothing can go on: spin calls it an invalid end state. Where there is a barrier between
 * a store and a load, the model's order is that of the program, and a fault that delays
 * the store swaps the two. The owner's head has none: it lies in the store buffer until
 * that is emptied, by itself or by a writer's barrier. An owner with a descriptor for
 * event loops is in readiness.pml.
 */
#define WRITERS 2
#define EACH 2
#define ALL (WRITERS * EACH)
#define CAPACITY 1

byte tail, head;           /* messages written and read, the latter as the owner has it */
byte head_seen;            /* and as writers see it */
bit write_lock;
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

inline lock() { atomic { write_lock == 0; write_lock = 1 } }
inline unlock() { write_lock = 0 }

/* ms_turn_end: the futex call finds the sleeper or nobody. */
inline ring_owner() {
    atomic {
        if
        :: bell == 1 -> bell = 0; rings = 1
        :: else -> rings = 0
        fi
    }
    if
    :: rings -> owner_sleeps = 0
    :: else
    fi
}

inline publish() {
#ifdef FAULT_STORE_AFTER_LOOK
    armed = bell;
    tail++;
    unlock();
    if
    :: armed -> ring_owner()
    :: else
    fi
#else
    tail++;
    unlock();
    ring_owner()
#endif
}

proctype writer(byte me) {
    byte sent, seen;
    bit rings, armed;
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
    bit wish;
    run writer(0);
    run writer(1);
    do
    :: head == ALL -> break
    :: head != tail -> release()
    :: head < ALL && head == tail ->
#ifdef FAULT_LOOK_BEFORE_ARMING
        if
        :: head != tail -> goto next
        :: else
        fi;
        bell = 1;
#else
        bell = 1;
        if
        :: head != tail -> bell = 0; goto next
        :: else
        fi;
#endif
        atomic {
            if
            :: bell == 1 -> owner_sleeps = 1
            :: else
            fi
        }
        owner_sleeps == 0;
        bell = 0;
next:   skip
    od;
    assert(tail == ALL)
}
