/* SPDX-License-Identifier: MIT */
/*
 * How far apart the processors are at this moment: a virtual machine moves them about,
 * and what passes through shared memory then costs several times as much.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stdbool.h>

/* Nanoseconds that a cache line takes from one processor to another and back. */
double probe_line_ns(void);

/* "near" or "far"; "moved" when the two differ, "busy" when something else ran: then
 * what lies between them counts for nothing. */
const char *probe_place(double before_ns, double after_ns);
bool probe_counts(const char *place);

#endif
