/* SPDX-License-Identifier: MIT */
/*
 * A name never loses a living slot, and never has two.
 *
 * Describes src/linux/registry.c: ms_registry_publish, clear, inspect,
 * ms_registry_remove; src/linux/slot.c: build_region, ms_slot_close. A region is made
 * without a name, becomes its owner's, and is then linked, which fails when the name is
 * taken. A region that is dead is removed by whoever meets it, holding its removal_lock
 * and after a look whether the name still means it. The kernel frees the lock of a
 * process that is killed.
 */
#define CREATORS 3
#define NOTHING 0

byte name;                       /* which region it means */
bool alive[CREATORS + 1];        /* its owner_lock is held and it is not closed */
bool removal_lock[CREATORS + 1];
byte published;                  /* living slots whose create has succeeded */

inline unlink_name() {
    atomic {
        assert(name == NOTHING || !alive[name]);
        name = NOTHING
    }
}

inline remove(region) {
#ifdef FAULT_NO_REMOVAL_LOCK
    if
    :: name == region -> unlink_name()
    :: else
    fi
#elif defined(FAULT_LOOK_BEFORE_LOCK)
    if
    :: name == region ->
        atomic { !removal_lock[region]; removal_lock[region] = true };
        unlink_name();
        removal_lock[region] = false
    :: else
    fi
#elif defined(FAULT_NO_LOOK)
    atomic { !removal_lock[region]; removal_lock[region] = true };
    unlink_name();
    removal_lock[region] = false
#else
    atomic { !removal_lock[region]; removal_lock[region] = true };
    if
    :: name == region -> unlink_name()
    :: else
    fi;
    removal_lock[region] = false
#endif
}

proctype creator(byte me) {
    byte other;
    alive[me] = true;
    do
    :: atomic { name == NOTHING -> name = me; published++; assert(published == 1) }; break
    :: atomic { name != NOTHING -> other = name };
        if
#ifdef FAULT_DEAD_UNSEEN
        :: skip -> remove(other)
#else
        :: alive[other] -> alive[me] = false; goto done
        :: !alive[other] -> remove(other)
#endif
        fi
    od;
    if
    :: atomic { alive[me] = false; published-- }                       /* killed */
    :: atomic { alive[me] = false; published-- }; remove(me)           /* closes */
    fi;
done: skip
}

/* A process that looks through all files, as every create does; killed where it is
 * while it holds the lock, or not. */
proctype sweeper() {
    byte other = name;
    if
    :: other != NOTHING && !alive[other] ->
        atomic { !removal_lock[other]; removal_lock[other] = true };
        if
        :: name == other -> unlink_name()
        :: skip /* killed: the kernel frees the lock */
        :: else
        fi;
        removal_lock[other] = false
    :: else
    fi
}

init {
    atomic {
        run creator(1); run creator(2); run creator(3);
        run sweeper()
    };
    /* What is left is at most one dead slot, which the next create removes. */
    _nr_pr == 1;
    assert(published == 0 && (name == NOTHING || !alive[name]))
}
