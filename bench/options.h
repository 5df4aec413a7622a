/* SPDX-License-Identifier: MIT */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>

struct options {
    bool is_quick;
    int rounds;
    double seconds;        /* of a run */
    const char *only;      /* peers, with commas; NULL: all */
    const char *scenarios; /* likewise */
};

/* Ends the process on --help and on what it does not understand. */
struct options options_parse(int argc, char **argv);

/* Whether a list with commas, NULL for all, has the name. */
bool options_want(const char *list, const char *name);

#endif
