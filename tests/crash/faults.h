/* SPDX-License-Identifier: MIT */
/*
 * Faults: what happens to others when a process dies or meets an error anywhere.
 *
 * A scenario is run once to see which steps it passes; then once for each step, killed
 * there, and once for each error that each call of the system can give, given there.
 * Of a call of the library that fails is demanded that it says so in a documented way,
 * and that the same call works when it is made again.
 */
#ifndef MAILSLOT_CRASH_FAULTS_H
#define MAILSLOT_CRASH_FAULTS_H

#include "note.h"
#include "steps.h"
#include "support.h"

#define SLOT "jobs"
#define KIB UINT64_C(1024)

struct fault_scenario {
    const char *name;
    void (*before)(void);        /* what is there */
    void (*act)(void);           /* the victim: all between fault_begin and fault_end */
    void (*serve)(pid_t victim); /* what happens meanwhile, or NULL */
    void (*after)(
        bool is_whole); /* what must hold; is_whole: the victim was not killed */
    const char *spared; /* a call after whose EIO something may be lost, or NULL */
};

/* What victim and test share. */
struct fault_board {
    struct steps steps;
    _Atomic uint32_t told;       /* messages whose send has returned */
    _Atomic uint32_t is_ready;   /* the victim waits for the others, */
    _Atomic uint32_t is_waiting; /* and they for it */
};
extern struct fault_board *fault_board;

void fault_begin(void);
void fault_end(void);

/* The errors, but for what is wrong with the arguments, that mailslot.h lists for a
 * call; they end with 0. */
extern const int create_errors[];
extern const int open_errors[];
extern const int remote_errors[]; /* of open, for another machine */
extern const int send_errors[];
extern const int once_errors[]; /* of mailslot_send */
extern const int read_errors[];
extern const int info_errors[];
extern const int fd_errors[];

/* In the victim: the call returns what is expected; or, once, such an error. */
#define ATTEMPT(expected, errors, call)                          \
    do {                                                         \
        if (fault_has_failed(#call, (call), expected, errors)) { \
            REQUIRE((call) == (expected));                       \
        }                                                        \
    } while (0)
bool fault_has_failed(const char *call, int result, int expected, const int *errors);

/* A send of one note, through a buffer of its own; and a read of one, which must be
 * that one. */
int send_note(mailslot_writer *writer, uint32_t who, uint32_t index, uint32_t size,
              int64_t timeout_ms);
void read_note(mailslot *slot, uint32_t who, uint32_t index);

/* The slot of that name is whole, and so many messages are queued. */
void check_slot(const char *name, uint64_t count);

/* The slot of that name can be made and used at once, when so many other files are
 * there, and leaves nothing. */
void check_reuse(const char *name, int others);

extern const struct fault_scenario writer_faults[];
extern const size_t writer_fault_count;
extern const struct fault_scenario owner_faults[];
extern const size_t owner_fault_count;
extern const struct fault_scenario letter_faults[];
extern const size_t letter_fault_count;

#endif
