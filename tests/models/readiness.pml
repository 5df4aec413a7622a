/* SPDX-License-Identifier: MIT */
/*
 * A slot's descriptor is readable while there is a message to read, and the owner's own
 * waits lose no wake-up although a thread sleeps on the same bell.
 *
 * Describes src/queue/bell.h: ms_bell_arm, ms_bell_ring, ms_bell_hear, ms_bell_silence;
 * src/linux/readiness.c: look, finish_setting, clear, listen, ms_readiness_settle,
 * ms_readiness_pause, ms_readiness_resume, stand_aside, run, ms_readiness_close;
 * src/linux/slot.c: wait_for_bell, ms_slot_cancel, ms_slot_close. The owner either polls
 * the descriptor or waits itself, as it likes each time; then it reads one message.
 * Nobody looks again at intervals, so a lost wake-up is an invalid end state. A
 * descriptor that is readable with nothing to read is an assertion violated.
 */
#define WRITERS 2
#define EACH 1
#define ALL (WRITERS * EACH)

#define SILENT 0
#define ARMED 1
#define HEARD 2

#define CLEAR 0
#define SETTING 1
#define SET 2

/* Where a process sleeps. */
#define NOWHERE 0
#define ON_BELL 1
#define ON_PAUSE 2

byte tail, head, seen;
byte bell, state;
bit readable;             /* the descriptor */
bit mutex, is_paused, is_closing, is_cancelled;
byte thread_sleeps, owner_sleeps;
bit thread_first;         /* the thread came to the bell before the owner */
bit has_ended;

inline lock() { atomic { mutex == 0; mutex = 1 } }
inline unlock() { mutex = 0 }

/* A futex wakes who came first. */
inline wake_one() {
    atomic {
        if
        :: thread_sleeps == ON_BELL && (owner_sleeps != ON_BELL || thread_first) ->
            thread_sleeps = NOWHERE
        :: else -> owner_sleeps = NOWHERE
        fi
    }
}

proctype writer() {
    byte sent;
    bit rings;
    do
    :: sent == EACH -> break
    :: else ->
        tail++;
        atomic {
            rings = (bell == ARMED);
            if
            :: rings -> bell = SILENT
            :: else
            fi
        }
        if
        :: rings -> wake_one()
        :: else
        fi;
        sent++
    od
}

proctype canceller() {
    is_cancelled = 1;
    bell = SILENT;
    wake_one()
}

/* Holding the mutex. */
inline look_as_thread() {
    must_set = 0;
#ifdef FAULT_THREAD_ARMS_FOR_OWNER
    if
    :: state == CLEAR ->
#else
    if
    :: !is_paused && state == CLEAR ->
#endif
        if
#ifndef FAULT_NO_ARMING_AFTER_CANCEL
        :: tail == seen -> bell = ARMED
#endif
#ifdef FAULT_NO_LOOK_AFTER_ARMING
        :: else -> must_set = 1; state = SETTING
        fi
#else
        :: else
        fi;
        if
        :: tail != seen -> must_set = 1; state = SETTING
        :: else
        fi
#endif
    :: else
    fi
}

proctype thread() {
    byte found;
    bit must_set;
    do
    :: atomic {
#ifndef FAULT_TWO_VALUES
            if
            :: bell == SILENT -> bell = HEARD
            :: else
            fi;
#endif
            found = bell
        }
        lock();
        look_as_thread();
        unlock();
        if
        :: must_set ->
            readable = 1;
            atomic {
                if
                :: state == SETTING -> state = SET
                :: else
                fi
            }
        :: else
        fi;
        if
        :: is_closing -> break
        :: else
        fi;
        if
        :: is_paused ->
#ifndef FAULT_KEEPS_THE_RING
            wake_one();
#endif
            atomic {
                if
                :: is_paused -> thread_sleeps = ON_PAUSE
                :: else
                fi
            }
        :: else ->
            atomic {
                if
                :: bell == found ->
                    thread_sleeps = ON_BELL;
                    thread_first = (owner_sleeps != ON_BELL)
                :: else
                fi
            }
        fi;
        thread_sleeps == NOWHERE
    od;
    has_ended = 1
}

/* ms_readiness_settle: the owner has read all before `head`. */
inline settle() {
    if
    :: head != tail && state != CLEAR
    :: head == tail && state == CLEAR && seen == head && bell == ARMED
    :: else ->
        lock();
        if
        :: head != tail -> set_as_owner()
        :: else ->
            if
            :: state == CLEAR
            :: else ->
#ifndef FAULT_CLEAR_DOES_NOT_WAIT
                (readable || state != SETTING);
#endif
                readable = 0;
                state = CLEAR
            fi;
            seen = head;
            bell = ARMED;
#ifndef FAULT_NO_LOOK_AFTER_LISTENING
            if
            :: head != tail -> set_as_owner()
            :: else
            fi
#endif
        fi;
        unlock()
    fi
}

inline set_as_owner() {
    if
    :: state == CLEAR -> state = SET; readable = 1
    :: else
    fi
}

/* Moved without being woken. */
inline pause() {
    lock(); is_paused = 1; unlock();
    atomic {
        if
        :: thread_sleeps == ON_BELL -> thread_sleeps = ON_PAUSE
        :: else
        fi
    }
}

inline resume() {
    lock(); is_paused = 0; unlock();
#ifndef FAULT_THREAD_LEFT_ASIDE
    atomic {
        if
        :: thread_sleeps == ON_PAUSE -> thread_sleeps = ON_BELL; thread_first = 1
        :: else
        fi
    }
#endif
}

/* Until there is a message or a cancel. */
inline wait_for_bell() {
    do
    :: bell = ARMED;
        if
        :: head != tail -> break
        :: else
        fi;
        atomic {
            cancelled = is_cancelled;
            is_cancelled = 0
        }
        if
        :: cancelled -> break
        :: else
        fi;
        atomic {
            if
            :: bell == ARMED ->
                owner_sleeps = ON_BELL;
                thread_first = (thread_sleeps == ON_BELL)
            :: else
            fi
        }
        owner_sleeps == NOWHERE
    od
}

inline wait() {
    if
    :: head == tail ->
        pause();
        wait_for_bell();
        resume();
        bell = SILENT
    :: else
    fi
}

active proctype owner() {
    bit cancelled;
    settle();
    run thread();
    run writer();
    run writer();
    run canceller();
    do
    :: head == ALL -> break
    :: head < ALL ->
        if
        :: true -> /* it polls and nothing else */
            readable;
            assert(head != tail)
        :: true -> wait()
        fi;
        if
        :: head != tail -> head++
        :: else
        fi;
        settle()
    od;
    assert(!readable);
    is_closing = 1;
#ifndef FAULT_CLOSE_WITHOUT_SILENCE
    bell = SILENT;
#endif
    wake_one();
    has_ended == 1
}
