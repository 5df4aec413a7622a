/* SPDX-License-Identifier: MIT */
/*
 * Nothing to repair: a writer that is killed at any store of its turn leaves the whole
 * message or nothing, and totals that agree with the tail, for the next writer, the owner
 * and an onlooker.
 *
 * Describes src/queue/queue.c: ms_queue_prepare, ms_queue_push, ms_queue_publish,
 * load_end; src/queue/reader.c: ms_reader_show. The kernel frees the lock of a writer
 * that dies, and the next one takes it as if nothing had happened.
 * Each message takes one place of the ring; a payload is whole when both halves are
 * its writer's. The tail is one word: position and index of the valid totals.
 */
#define WRITERS 3
#define PLACES 4
#define POSITION(word) ((word) / 2)
#define INDEX(word) ((word) % 2)

bit write_lock;
byte word;                  /* the tail */
byte count[2];              /* sent[] */
byte half[PLACES * 2];      /* 0: not written; else who wrote it */
byte accepted;
bool killed[WRITERS + 1];

inline totals() {
#ifdef FAULT_ONE_TOTAL
    count[INDEX(word)] = count[INDEX(word)] + 1
#else
    count[1 - INDEX(word)] = count[INDEX(word)] + 1
#endif
}

inline store_tail() {
#ifdef FAULT_ONE_TOTAL
    word = word + 2
#else
    word = (POSITION(word) + 1) * 2 + 1 - INDEX(word)
#endif
}

/* Killed at any moment between two stores: what a process does ends, and its lock is free. */
proctype writer(byte me) {
    byte at;
    atomic { write_lock == 0; write_lock = 1 };
    {
        at = POSITION(word);
        half[at * 2] = me;
#ifdef FAULT_TAIL_BEFORE_PAYLOAD
        totals();
        store_tail();
        half[at * 2 + 1] = me;
#elif defined(FAULT_TOTALS_AFTER_TAIL)
        half[at * 2 + 1] = me;
        word = word + 2;
        count[INDEX(word)] = count[INDEX(word)] + 1;
#else
        half[at * 2 + 1] = me;
        totals();
        store_tail();
#endif
        accepted++;
        goto done
    } unless { killed[me] };
done:
    write_lock = 0
}

proctype killer(byte victim) {
    if
    :: killed[victim] = true
    :: skip
    fi
}

/* ms_reader_show: what lies below the tail is whole. */
proctype owner() {
    byte head;
    do
    :: head < POSITION(word) ->
        assert(half[head * 2] != 0 && half[head * 2] == half[head * 2 + 1]);
        head++
    :: timeout -> break
    od;
    assert(head >= accepted && head == count[INDEX(word)])
}

/* load_end: an end whose word did not change has totals that belong to it. */
proctype onlooker() {
    byte seen, total;
    seen = word;
    total = count[INDEX(seen)];
    if
    :: word == seen -> assert(total == POSITION(seen))
    :: else
    fi
}

init {
    atomic {
        run writer(1); run writer(2); run writer(3);
        run killer(1); run killer(2);
        run owner();
        run onlooker()
    }
}
