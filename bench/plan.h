/* SPDX-License-Identifier: MIT */
/* The plan: which cases of which scenarios are run, and with what. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "scenario.h"

struct plan_case {
    const struct scenario *scenario;
    const char *label;
    size_t size;
    int writers;
    uint64_t count;
    bool is_quick; /* it is in --quick, too */
    int turns;     /* in a round, but for --quick: more for what is short and swings */
};

extern const struct plan_case plan_cases[];
extern const int plan_count;

/* Those in C or those in Lua. */
const struct peer *const *plan_peers(const struct plan_case *one);

/* Whether the scenario makes sense for it. */
bool plan_has(const struct plan_case *one, const struct peer *peer);

/* Why this peer cannot run that case although it does; NULL: it can. */
const char *plan_obstacle(const struct plan_case *one, const struct peer *peer);

#endif
