/* SPDX-License-Identifier: MIT */
/* The parts of the gateway, as its parts see each other. */
#ifndef MS_GATEWAY_H
#define MS_GATEWAY_H

#include "gateway/config.h"
#include "gateway/inbox.h"
#include "gateway/outbox.h"
#include "gateway/road.h"

#include <uv.h>

struct ms_gateway {
    uv_loop_t *loop;
    struct ms_config *config; /* another one after each reload */
    struct ms_inbox *inbox;
    struct ms_outbox *outbox;
    struct ms_road *roads[MS_ROAD_COUNT]; /* NULL: not configured */
};

#endif
