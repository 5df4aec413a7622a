/* SPDX-License-Identifier: MIT */
/* Turns: who writes into the ring holds write_lock of a living slot, for a moment. */
#include "linux/turn.h"

#include "linux/region.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/futex.h"
#include "os/pipe.h"

#include <errno.h>

/* How long to wait for a turn, at least: a writer may have been stopped in its turn. */
#define TURN_WAIT_NS INT64_C(1000000000)

/* How long to wait, at least, while others take turn after turn. */
#define TURNS_WAIT_NS INT64_C(10000000000)

/* The owner's death frees no turn: who waits looks for it at intervals. */
#define LOOK_AGAIN_NS INT64_C(100000000)

/* Whose turn it is, how far it has come, and since when that is so. */
struct turn {
    uint32_t holder;
    uint64_t tail;
    int64_t since_ns;
};

static void watch(struct turn *turn, const struct ms_header *header, int64_t now_ns) {
    uint32_t holder = ms_lock_holder(&header->write_lock);
    /* Relaxed: only whether it changes is of interest. */
    uint64_t tail = atomic_load_explicit(&header->tail, memory_order_relaxed);
    if (holder != turn->holder || tail != turn->tail) {
        *turn = (struct turn){.holder = holder, .tail = tail, .since_ns = now_ns};
    }
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/*
 * Others have their turns. As long as they make progress, it is a matter of time; one
 * that makes none for TURN_WAIT_NS is that of a writer that was stopped in it.
 */
static int wait_for_turn(struct ms_header *header, int64_t deadline_ns) {
    int64_t now_ns = ms_clock_now_ns();
    struct turn turn = {.since_ns = now_ns};
    int64_t end_ns = now_ns + TURNS_WAIT_NS;
    int r = -ETIMEDOUT;
    while (r == -ETIMEDOUT) {
        if (!ms_region_is_alive(header)) {
            return -EPIPE;
        }
        watch(&turn, header, now_ns);
        int64_t stopped_ns = turn.since_ns + TURN_WAIT_NS;
        int64_t give_up_ns =
            later(deadline_ns, stopped_ns < end_ns ? stopped_ns : end_ns);
        if (now_ns >= give_up_ns) {
            return -ETIMEDOUT;
        }
        int64_t left_ns = give_up_ns - now_ns;
        r = ms_lock_wait_or_signal(
            &header->write_lock,
            now_ns + (left_ns < LOOK_AGAIN_NS ? left_ns : LOOK_AGAIN_NS));
        now_ns = ms_clock_now_ns();
    }
    return r;
}

/* The lock was taken. */
static int check_life(struct ms_header *header) {
    MS_STEP("turn.begun");
    if (!ms_region_is_alive(header)) {
        ms_lock_release(&header->write_lock);
        return -EPIPE;
    }
    return 0;
}

inline int ms_turn_try(struct ms_header *header) {
    int r = ms_lock_try(&header->write_lock);
    return r < 0 ? r : check_life(header);
}

int ms_turn_begin(struct ms_header *header, int64_t deadline_ns) {
    int r = ms_lock_try(&header->write_lock);
    if (r == -EBUSY) {
        r = wait_for_turn(header, deadline_ns);
    }
    return r < 0 ? r : check_life(header);
}

int ms_turn_begin_by(struct ms_header *header, int64_t deadline_ns) {
    int r = ms_lock_wait(&header->write_lock, deadline_ns);
    return r < 0 ? r : check_life(header);
}

void ms_cord_close(struct ms_cord *cord) {
    if (cord->is_open) {
        ms_file_close(cord->fd);
    }
}

/* A failure is for good, because it costs: another namespace, or a policy. */
static bool open_cord(struct ms_cord *cord, const struct ms_header *header) {
    struct ms_pipe_name name = {.pid = header->pid,
                                .fd = header->cord_fd,
                                .device = header->cord_device,
                                .inode = header->cord_inode};
    if (!cord->is_open && !cord->is_hopeless) {
        cord->is_open = ms_pipe_open(&name, &cord->fd) == 0;
        cord->is_hopeless = !cord->is_open;
    }
    return cord->is_open;
}

static void pull(struct ms_header *header, struct ms_cord *cord) {
    if (cord && open_cord(cord, header)) {
        MS_STEP("turn.pulling");
        ms_pipe_set(cord->fd);
    } else {
        ms_bell_call(header);
        MS_STEP("turn.calling");
        ms_futex_wake(&header->calls, 1);
    }
}

void ms_turn_ring(struct ms_header *header, struct ms_cord *cord, uint32_t bell,
                  bool is_first) {
    /* Whatever the bell says: it may have been overwritten. */
    if (is_first || ms_bell_is_for_sleep(ms_bell_look(header))) {
        MS_STEP("turn.ringing");
        ms_futex_wake(&header->write_lock, 1);
        MS_STEP("turn.rung");
    }
    if (is_first) {
        ms_bell_rung(header, bell);
    }
    ms_lock_done();
    if (ms_bell_take_cord(header)) {
        MS_STEP("turn.has_cord");
        pull(header, cord);
    }
}
