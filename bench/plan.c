/* SPDX-License-Identifier: MIT */
#include "plan.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

const struct plan_case plan_cases[] = {
    {&scenario_throughput, "1 to 1, 16 B", 16, 1, 0, false, 1},
    {&scenario_throughput, "1 to 1, 64 B", 64, 1, 0, true, 1},
    {&scenario_throughput, "1 to 1, 256 B", 256, 1, 0, false, 1},
    {&scenario_throughput, "1 to 1, 1 KiB", 1024, 1, 0, false, 1},
    {&scenario_throughput, "1 to 1, 4 KiB", 4096, 1, 0, true, 1},
    {&scenario_throughput, "1 to 1, 64 KiB", 65536, 1, 0, true, 1},
    {&scenario_throughput, "4 to 1, 64 B", 64, 4, 0, true, 1},
    {&scenario_batch, "1 to 1, 64 B", 64, 1, 0, true, 1},
    {&scenario_batch, "1 to 1, 4 KiB", 4096, 1, 0, false, 1},
    {&scenario_latency, "64 B", 64, 1, 200, true, 3},
    {&scenario_latency_fd, "64 B", 64, 1, 200, true, 3},
    {&scenario_roundtrip, "64 B", 64, 1, 200, true, 1},
    {&scenario_pingpong, "64 B", 64, 1, 10000, true, 1},
    {&scenario_oneshot, "64 B", 64, 1, 0, true, 1},
    {&scenario_burst, "64 B", 64, 1, 1000000, true, 1},
    {&scenario_memcpy, "64 B", 64, 0, 0, true, 1},
    {&scenario_memcpy, "64 KiB", 65536, 0, 0, true, 1},
    {&scenario_lua_throughput, "1 to 1, 64 B", 64, 1, 0, true, 1},
    {&scenario_lua_throughput, "4 to 1, 64 B", 64, 4, 0, true, 1},
    {&scenario_lua_ready, "1 to 1, 64 B", 64, 1, 0, true, 1},
    {&scenario_lua_batch, "1 to 1, 64 B", 64, 1, 0, true, 1},
    {&scenario_lua_pair, "64 B", 64, 1, 0, true, 1},
    {&scenario_lua_latency, "64 B", 64, 1, 200, true, 3},
    {&scenario_lua_latency_fd, "64 B", 64, 1, 200, true, 3},
    {&scenario_lua_pingpong, "64 B", 64, 1, 5000, true, 1},
    {&scenario_lua_oneshot, "64 B", 64, 1, 0, true, 1},
    {&scenario_writers, "1 writer", 64, 1, 0, false, 1},
    {&scenario_writers, "2 writers", 64, 2, 0, false, 1},
    {&scenario_writers, "4 writers", 64, 4, 0, false, 1},
    {&scenario_writers, "16 writers", 64, 16, 0, false, 1},
    {&scenario_writers, "64 writers", 64, 64, 0, true, 1},
    {&scenario_depth, "1 queued", 64, 0, 1, false, 1},
    {&scenario_depth, "10 queued", 64, 0, 10, true, 1},
    {&scenario_depth, "1000 queued", 64, 0, 1000, false, 1},
    {&scenario_depth, "100 000 queued", 64, 0, 100000, true, 1},
    {&scenario_depth, "1 000 000 queued", 64, 0, 1000000, false, 1},
    {&scenario_depth, "10 000 000 queued", 64, 0, 10000000, false, 1},
    {&scenario_registry, "1 slot", 64, 0, 1, true, 1},
    {&scenario_registry, "100 slots", 64, 0, 100, false, 1},
    {&scenario_registry, "10 000 slots", 64, 0, 10000, false, 1},
    {&scenario_idle, "an owner that waits", 64, 0, 0, true, 1},
};

const int plan_count = COUNT(plan_cases);

const struct peer *const *plan_peers(const struct plan_case *one) {
    return one->scenario->lua ? lua_peers : peers;
}

bool plan_has(const struct plan_case *one, const struct peer *peer) {
    return !one->scenario->has || one->scenario->has(peer);
}

const char *plan_obstacle(const struct plan_case *one, const struct peer *peer) {
    size_t size_max =
        one->writers > 1 && peer->shared_max ? peer->shared_max : peer->size_max;
    if (size_max && one->size > size_max) {
        return "its messages are smaller";
    }
    if (one->writers > 1 && peer->is_for_one) {
        return "it has one writer only";
    }
    return NULL;
}
