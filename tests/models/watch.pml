/* SPDX-License-Identifier: MIT */
/*
 * An owner that sleeps without looking again misses no message, whichever writers are
 * killed, and when one is stopped.
 *
 * Describes src/os/lock.c: ms_lock_free, ms_lock_done, ms_lock_watch, ms_lock_unwatch;
 * src/queue/bell.h: ms_bell_arm_sleeper, ms_bell_look, ms_bell_rung; src/linux/turn.h:
 * ms_turn_end; src/linux/turn.c: ms_turn_ring; src/linux/slot.c: sleep_once. A writer may
 * die at each step; some time later, when others may have gone on, the kernel does what it
 * does with the lock. One may be stopped for good instead. The owner may never sleep
 * beside a message whose send has returned, but for a sleep that began in a turn; nor, in
 * the end, beside any message, unless a writer is stopped.
 */
#define EACH(me) (3 - me) /* messages of each of the two writers */
#define FAULTS 2 /* deaths and stops */
#define SLEEPS 2

/* The word of the lock: its holder, and two bits. */
#define HOLDER(word) ((word) & 3)
#define WATCHED 4
#define FREED 8 /* FUTEX_OWNER_DIED */

byte word;
byte bell;                 /* 0: silent; n: armed with n, BESIDE and n: beside a holder */
#define BESIDE 8
byte tail, head, accepted; /* messages written, read, and of sends that have returned */
byte faults;
bit is_stopped, is_beside, owner_sleeps;

/* A sleep beside a holder ends by itself some time, which is left out; so it may be too
 * long by a turn. */
inline check() { assert(!owner_sleeps || accepted <= head || is_beside) }

/* Between two steps. */
inline step() {
    atomic {
        if
        :: true
        :: faults < FAULTS -> faults++; goto died
        :: faults < FAULTS && !is_stopped -> faults++; is_stopped = 1; goto end_stopped
        fi
    }
}

inline free_lock(next_if_watched) {
    atomic {
        is_watched = ((word & WATCHED) != 0);
        is_first = is_first && is_watched;
        if
        :: is_watched -> word = next_if_watched
        :: else -> word = 0
        fi
    }
}

/* The futex call finds the sleeper or nobody. */
inline wake() { owner_sleeps = 0 }

proctype writer(byte me) {
    byte mine, before, sent;
    bit is_watched, is_first;
next:
    if
    :: sent == EACH(me) -> goto end
    :: else -> sent++
    fi;
end_waits:
#ifdef FAULT_TAKE_FORGETS_THE_WATCHER
    atomic { HOLDER(word) == 0 -> word = me };
#else
    atomic {
        HOLDER(word) == 0 ->
        is_first = (word == WATCHED);
        word = me | (word & WATCHED)
    };
#endif
    step();
    atomic { tail++; mine = tail };
    step();
    before = bell;
    step();
#if defined(FAULT_FREED_AS_IT_WAS)
    free_lock(WATCHED);
#elif defined(FAULT_FREED_AND_NOT_WATCHED)
    free_lock(0);
#else
    free_lock(WATCHED | FREED);
#endif
    step();
#ifdef FAULT_SILENCE_BEFORE_WAKE
    if
    :: is_first && before && bell == before -> bell = 0; step(); wake()
    :: else
    fi;
#else
    if
    :: bell != 0 || is_first -> step(); wake(); step()
    :: else
    fi;
#ifdef FAULT_SILENCES_ANOTHER_SLEEP
    before = bell;
    step();
#endif
    atomic {
        if
#ifdef FAULT_SILENCES_A_SLEEP_BESIDE
        :: is_watched && bell -> bell = 0
#else
        :: is_first && before && before < BESIDE && bell == before -> bell = 0
#endif
        :: else
        fi
    };
#endif
    step();
    atomic {
        if
        :: mine > accepted -> accepted = mine
        :: else
        fi;
        check();
        mine = 0;
        before = 0;
        is_watched = 0;
        is_first = 0
    }
    goto next;
died:
    atomic {
        if
        :: HOLDER(word) == me && (word & WATCHED) -> word = WATCHED | FREED; wake()
        :: HOLDER(word) == me && !(word & WATCHED) -> word = FREED
#ifndef FAULT_DONE_BEFORE_WAKE
        :: HOLDER(word) == 0 -> wake()
#endif
        :: else
        fi
    };
    goto end;
end_stopped:
    false;
end:
}

active proctype owner() {
    byte n, seen;
    run writer(1);
    run writer(2);
    run signal();
    do
    :: head < tail -> head++
    :: head == tail && n < SLEEPS ->
        n++;
        bell = n;
        atomic { word = (HOLDER(word) == 0 -> WATCHED : word | WATCHED); seen = word };
        is_beside = (seen != WATCHED);
#ifndef FAULT_NOT_BESIDE
        if
        :: is_beside -> bell = BESIDE + n
        :: else
        fi;
#endif
        if
        :: head != tail
        :: head == tail ->
            atomic {
                if
                :: word == seen -> owner_sleeps = 1; check()
                :: else
                fi
            };
end_sleeps:
            !owner_sleeps
        fi;
#ifndef FAULT_STAYS_WATCHED
        word = word & ~WATCHED;
#endif
        bell = 0
    :: head == tail && n == SLEEPS -> break
    od
}

/* A sleep may end for no reason. */
proctype signal() {
    if
    :: owner_sleeps -> owner_sleeps = 0
    :: true
    fi
}

active proctype end_of_all() {
end:
    timeout;
    assert(is_stopped || !owner_sleeps || head == tail)
}
