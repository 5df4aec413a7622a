/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define ROUND_TRIPS 4000
#define NEAR_NS 150

/* Two threads toss it to and fro. */
static _Alignas(128) _Atomic uint32_t ball;

static void *toss_back(void *unused) {
    for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
        while (atomic_load_explicit(&ball, memory_order_acquire) != 2 * i + 1) {
        }
        atomic_store_explicit(&ball, 2 * i + 2, memory_order_release);
    }
    return unused;
}

double probe_line_ns(void) {
    pthread_t thread;
    atomic_store(&ball, 0);
    expect(pthread_create(&thread, NULL, toss_back, NULL) == 0, "pthread_create");
    int64_t start_ns = now_ns();
    int64_t least_ns = INT64_MAX;
    for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
        atomic_store_explicit(&ball, 2 * i + 1, memory_order_release);
        while (atomic_load_explicit(&ball, memory_order_acquire) != 2 * i + 2) {
        }
        if (i % 500 == 499) {
            int64_t end_ns = now_ns();
            least_ns = end_ns - start_ns < least_ns ? end_ns - start_ns : least_ns;
            start_ns = end_ns;
        }
    }
    pthread_join(thread, NULL);
    return (double)least_ns / 500;
}

const char *probe_place(double before_ns, double after_ns) {
    bool was_near = before_ns < NEAR_NS;
    bool is_near = after_ns < NEAR_NS;
    if (was_near != is_near) {
        return "moved";
    }
    return is_near ? "near" : "far";
}
