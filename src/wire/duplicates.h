/* SPDX-License-Identifier: MIT */
/*
 * Datagrams come twice: a host hears its own network on two sockets, or sends on two
 * interfaces. This is a window of what came within the last 2 seconds, of fixed size:
 * when more comes than it holds, the oldest is forgotten, and its double passes.
 */
#ifndef MS_WIRE_DUPLICATES_H
#define MS_WIRE_DUPLICATES_H

#include "wire/datagram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_DUPLICATES_COUNT 1024
#define MS_DUPLICATES_NS INT64_C(2000000000)

struct ms_duplicate {
    uint64_t hash;
    int64_t until_ns; /* 0 in one that was never used */
    uint16_t id;
};

/* All zeros is an empty window. */
struct ms_duplicates {
    struct ms_duplicate seen[MS_DUPLICATES_COUNT];
    size_t next; /* the place of the oldest */
};

/*
 * Has this datagram come before: the same DGM_ID, names and data? Whatever its address:
 * a host on two networks that reaches us on both sends from two. If not it is
 * remembered. now_ns: a clock that does not jump, above 0. Looks at the whole window.
 */
bool ms_duplicates_meet(struct ms_duplicates *window,
                        const struct ms_datagram *datagram, int64_t now_ns);

#endif
