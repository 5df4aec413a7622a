/* SPDX-License-Identifier: MIT */
/*
 * The calls of the system that the library makes. In these tests they lead through
 * calls.c: each is a step, where a process can be killed before the call, and can be
 * made to fail as the system could.
 */
#ifndef MAILSLOT_CRASH_CALLS_H
#define MAILSLOT_CRASH_CALLS_H

#include <stddef.h>

#define CALL_ERRORS_MAX 16

/* In place of an error: the call does half of what it was told. */
#define CALL_SHORT (-1)

struct call {
    const char *name; /* of its step */
    int errors[CALL_ERRORS_MAX];
};

/* All of them; NULL: not the name of one. */
extern const struct call calls[];
extern const size_t call_count;
const struct call *call_find(const char *name);

/* For the hook of the steps: the call that this thread is about to make fails so. */
void call_fail(int error);

#endif
