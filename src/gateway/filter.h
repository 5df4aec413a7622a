/* SPDX-License-Identifier: MIT */
/* The filter: a function of the configuration that sees every message. */
#ifndef MS_GATEWAY_FILTER_H
#define MS_GATEWAY_FILTER_H

#include "gateway/config.h"

struct ms_filtered {
    bool is_out;
    const char *from; /* the machine: in, where it comes from; out, this one */
    const char *to;
    const char *slot;
    const char *road;
    const void *data;
    size_t size;
    uint32_t pid; /* out only */
    uint32_t uid;
};

#define MS_FILTER_REASON_SIZE 256

/*
 * Ask the filter. False: refused, and why; an error of the filter refuses as well.
 * `road` is the kind of the road that a message that goes out takes; the filter may
 * name another. Without a filter everything passes.
 */
bool ms_filter_passes(const struct ms_config *config, const struct ms_filtered *message,
                      char ret_reason[MS_FILTER_REASON_SIZE], int *road);

#endif
