/* SPDX-License-Identifier: MIT */
/*
 * A slot's descriptor is readable while there is a message to read, whoever makes it so,
 * and the owner's own waits lose no wake-up.
 *
 * Describes src/queue/bell.h: ms_bell_arm, ms_bell_has, ms_bell_has_news,
 * ms_bell_take_cord, ms_bell_take_back, ms_bell_call; src/linux/turn.h: ms_turn_end;
 * src/linux/turn.c: ms_turn_ring, pull; src/linux/readiness.c: look, pull_for, set, clear,
 * listen, ms_readiness_settle, ms_readiness_pause, run, ms_readiness_close;
 * src/linux/slot.c: sleep_once, wait_for_bell, ms_slot_cancel, ms_slot_close. The owner
 * either polls the descriptor or waits itself, as it likes each time; then it reads one
 * message. How it sleeps is in watch.pml, and simpler here. One writer can pull the cord
 * and may die at each step, the other has the thread pull. Only after a death does time go
 * by, and only when nothing else can happen (`timeout`): then the thread looks again, a
 * bounded number of times. So a lost wake-up is an invalid end state. A descriptor that is
 * readable with nothing to read is an assertion violated. Left out are writers that are
 * stopped for longer than the owner waits for them.
 */
#define ALL 2

#define SILENT 0
#define ARMED 1
#define CORD 2 /* and above */

#define MUTE 0
#define LISTENING 1
#define SET 2

/* Two to see a pull missing and to do it, for each of the dead writer's steps. */
#define LOOKS 4

byte tail, head, seen;
byte bell, calls;
bit readable;             /* the descriptor */
byte state, round, value = CORD;
bit is_closing, is_cancelled, has_died;
bit is_freed;             /* write_lock, since the owner watches it */
bit thread_sleeps, owner_sleeps;
bit has_ended;

/* The kernel wakes whom a lock that is watched has lost. */
inline kill() { has_died = 1; owner_sleeps = 0 }

proctype writer(bit has_cord) {
    byte how;
    tail++;
    is_freed = 1;
    if
    :: has_cord -> kill(); goto end
    :: true
    fi;
    if
    :: bell == ARMED -> owner_sleeps = 0
    :: else
    fi;
    if
    :: has_cord -> kill(); goto end
    :: true
    fi;
    do
    :: how = bell;
        if
        :: how < CORD -> how = SILENT; break
#ifndef FAULT_RINGS_FOR_WHAT_WAS_SEEN
        :: how >= CORD && tail == seen -> how = SILENT; break
#endif
        :: else
        fi;
        atomic {
            if
#ifdef FAULT_TAKES_ANOTHER_ROUND
            :: bell != SILENT -> bell = SILENT; break
#else
            :: bell == how -> bell = SILENT; break
#endif
            :: else
            fi
        }
    od;
    if
    :: has_cord -> has_died = 1; goto end
    :: true
    fi;
    if
    :: how >= CORD && has_cord -> readable = 1
    :: how >= CORD && !has_cord ->
#ifndef FAULT_NO_CALL
        calls++;
#endif
        thread_sleeps = 0
    :: else
    fi;
end:
}

inline take_back(how, ret_is_back) {
    atomic {
        ret_is_back = (bell == how);
        if
        :: ret_is_back -> bell = SILENT
        :: else
        fi
    }
}

proctype canceller() {
    is_cancelled = 1;
#ifdef FAULT_CANCEL_SILENCES_THE_CORD
    bell = SILENT;
#else
    is_freed = 1;
#endif
    owner_sleeps = 0
}

inline look_as_thread() {
    now = round;
    is_set = readable;
    is_taken = (bell != now);
#ifdef FAULT_LOOK_IGNORES_THE_QUEUE
    is_due = is_taken;
#else
    is_due = (is_taken || tail != seen);
#endif
    if
    :: now == 0 || round != now || is_set
    :: else ->
        if
        :: is_due && missed != now -> missed = now
        :: is_due && missed == now ->
            if
            :: is_taken -> readable = 1
            :: else ->
                take_back(now, is_back);
                if
                :: is_back -> readable = 1
                :: else
                fi
            fi
        :: else
        fi
    fi
}

proctype thread() {
    byte called, heard, now, missed, looks;
    bit is_time, is_set, is_taken, is_due, is_back;
    do
    :: called = calls;
        if
        :: is_closing -> break
        :: else
        fi;
        if
        :: called != heard -> readable = 1
        :: else
        fi;
        heard = called;
        if
        :: is_time -> look_as_thread(); is_time = 0
        :: else
        fi;
        atomic {
            if
            :: calls == called -> thread_sleeps = 1
            :: else
            fi
        }
        if
        :: !thread_sleeps
#ifndef FAULT_NO_LOOK_AGAIN
        :: timeout && has_died && looks < LOOKS ->
            thread_sleeps = 0; is_time = 1; looks++
#endif
        fi
    od;
    has_ended = 1
}

inline enter(next) {
    state = next;
    if
    :: next == MUTE -> round = 0
    :: else -> round = value
    fi
}

inline set_as_owner() {
#ifndef FAULT_PULLS_TWICE
    if
    :: state == MUTE -> is_back = 1
    :: else -> take_back(value, is_back)
    fi;
    if
    :: is_back -> readable = 1
#ifndef FAULT_SET_DOES_NOT_WAIT
    :: !is_back && readable
    :: !is_back && timeout && has_died -> readable = 1
#else
    :: else
#endif
    fi;
#else
    readable = 1;
#endif
    enter(SET)
}

inline clear_as_owner() {
    if
    :: state == LISTENING -> take_back(value, is_back)
    :: else -> is_back = 1
    fi;
#ifndef FAULT_CLEAR_DOES_NOT_WAIT
    if
    :: is_back
    :: !is_back && readable
    :: !is_back && timeout && has_died /* no longer */
    fi;
#endif
    readable = 0;
    enter(MUTE)
}

inline listen() {
    clear_as_owner();
    value++;
    seen = head;
    enter(LISTENING);
    bell = value;
#ifndef FAULT_NO_LOOK_AFTER_LISTENING
    if
    :: head != tail -> set_as_owner()
    :: else
    fi
#endif
}

/* The owner has read all before `head`. */
inline settle() {
    if
    :: head != tail && state == SET
    :: head != tail && state != SET -> set_as_owner()
    :: head == tail && state == LISTENING && seen == head && bell == value
    :: else -> listen()
    fi
}

inline pause() {
    if
    :: state == LISTENING ->
#ifndef FAULT_PAUSE_FORGETS_THE_CORD
        take_back(value, is_back);
#else
        is_back = 1;
#endif
        if
        :: is_back -> enter(MUTE)
        :: else
        fi
    :: else
    fi
}

/* Until there is a message or a cancel. */
inline wait_for_bell() {
    do
    :: bell = ARMED;
        is_freed = 0;
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
            :: !is_freed -> owner_sleeps = 1
            :: else
            fi
        }
        !owner_sleeps
    od
}

inline wait() {
    if
    :: head == tail ->
        pause();
        wait_for_bell();
        bell = SILENT
    :: else
    fi
}

active proctype owner() {
    bit cancelled, is_back;
    run thread();
    settle();
    run writer(0);
    run writer(1);
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
        settle();
        assert(state != SET || readable)
    od;
    assert(!readable);
    is_closing = 1;
#ifndef FAULT_CLOSE_WITHOUT_CALL
    calls++;
#endif
    thread_sleeps = 0;
    has_ended == 1
}
