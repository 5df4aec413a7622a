/* SPDX-License-Identifier: MIT */
/* Turns: who writes into the ring holds write_lock of a living slot, for a moment. */
#ifndef MS_LINUX_TURN_H
#define MS_LINUX_TURN_H

#include "os/lock.h"
#include "queue/bell.h"

/* A writer's end of the owner's cord (queue/bell.h), opened when it is first pulled. */
struct ms_cord {
    int fd;
    bool is_open;
    bool is_hopeless; /* this process cannot have it */
};

void ms_cord_close(struct ms_cord *cord);

/* Take write_lock of a living slot. Waits until deadline_ns; and longer, as long as
 * others take their turns, up to a bound, or for a second when none moves on. Returns
 * 0, -EPIPE, -ETIMEDOUT, -EINTR or -ENOSYS. */
int ms_turn_begin(struct ms_header *header, int64_t deadline_ns);

/* The same without waiting; -EBUSY: it is another's turn. */
int ms_turn_try(struct ms_header *header);

/* The same, but not longer than until deadline_ns, and through signals. */
int ms_turn_begin_by(struct ms_header *header, int64_t deadline_ns);

/* Write_lock was freed: wake the owner. bell: as it was before. */
void ms_turn_ring(struct ms_header *header, struct ms_cord *cord, uint32_t bell,
                  bool is_first);

/* Let go of it, and wake the owner if it sleeps and there is something new. cord: NULL
 * for who sends too little to need one. */
static inline void ms_turn_end(struct ms_header *header, struct ms_cord *cord,
                               bool has_sent) {
    MS_STEP("turn.ending");
    uint32_t bell = ms_bell_look(header);
    bool is_first = ms_lock_free(&header->write_lock);
    MS_STEP("turn.ended");
    if (has_sent && (is_first || ms_bell_look(header) != MS_BELL_SILENT)) {
        ms_turn_ring(header, cord, bell, is_first);
    } else {
        ms_lock_done();
    }
}

#endif
