/* SPDX-License-Identifier: MIT */
#include "plan.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

const struct plan_case plan_cases[] = {
    {&scenario_throughput, "1 to 1, 16 B", 16, 1, 0, false},
    {&scenario_throughput, "1 to 1, 64 B", 64, 1, 0, true},
    {&scenario_throughput, "1 to 1, 256 B", 256, 1, 0, false},
    {&scenario_throughput, "1 to 1, 1 KiB", 1024, 1, 0, false},
    {&scenario_throughput, "1 to 1, 4 KiB", 4096, 1, 0, true},
    {&scenario_throughput, "1 to 1, 64 KiB", 65536, 1, 0, true},
    {&scenario_throughput, "4 to 1, 64 B", 64, 4, 0, true},
};

const int plan_count = COUNT(plan_cases);

const char *plan_obstacle(const struct plan_case *one, const struct peer *peer) {
    size_t size_max =
        one->writers > 1 && peer->shared_max ? peer->shared_max : peer->size_max;
    if (size_max && one->size > size_max) {
        return "its messages are smaller";
    }
    if (one->writers > 1 && peer->is_for_one) {
        return "it has one writer only";
    }
    if (one->scenario->has && !one->scenario->has(peer)) {
        return "it has no such call";
    }
    return NULL;
}
