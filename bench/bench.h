/* SPDX-License-Identifier: MIT */
/*
 * What all files of the benchmark share.
 *
 * A run is a few processes, the roles: one reader and some writers. Each is a child of
 * the driver and has two pipes to it. It says `ready` when it has come to a barrier,
 * and goes on when the driver says `go`, which is when all have come there. What it has
 * found out it says in lines `NAME VALUE`; the driver makes rows of a CSV of them. A
 * role in Lua is a process of the same kind (lua/role.lua).
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WRITERS_MAX 64

struct peer;

/* What a role has to do. */
struct job {
    const struct peer *peer;
    const char *name;    /* of the channel */
    const char *back;    /* of the channel for answers */
    size_t size;         /* bytes of a message, 16 or more */
    int writers;         /* how many there are */
    int64_t duration_ns; /* about how long to go on */
    uint64_t count;      /* how much to do, where it is not a matter of time */
    uint64_t *shared;    /* between the roles of a run; 0 when it starts */
};

/* CLOCK_MONOTONIC. */
int64_t now_ns(void);

/* Says why on standard error and ends the process. */
#ifdef __GNUC__
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void fail(const char *format, ...);

/* The same with the text of errno if `is_ok` is false. */
void expect(bool is_ok, const char *what);

/* Allocates memory that is touched already, or fails. */
void *allocate(size_t size);

/* How often this process has gone to sleep. */
long count_sleeps(void);

/* In a role: says that it has come here, and waits for the others. */
void barrier(void);

/* In a role: says what it found out. */
void report(const char *figure, double value);

#ifdef __cplusplus
}
#endif

#endif
