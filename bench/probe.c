/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define BLOCKS 40
#define BLOCK 100 /* round trips */
#define NEAR_NS 150
#define BUSY_NS 2000
#define LIMIT_NS 20000000
#define STOP UINT32_MAX

/* Two threads toss it to and fro. */
static _Alignas(128) _Atomic uint32_t ball;

/* Waits for another value than `old`. On a busy machine the other may have to run first
 * where this one runs. */
static uint32_t catch_ball(uint32_t old) {
    for (unsigned int i = 1;; i++) {
        uint32_t now = atomic_load_explicit(&ball, memory_order_acquire);
        if (now != old) {
            return now;
        }
        if (i % 4096 == 0) {
            sched_yield();
        }
    }
}

static void *toss_back(void *unused) {
    uint32_t now = 0;
    while ((now = catch_ball(now)) != STOP) {
        atomic_store_explicit(&ball, ++now, memory_order_release);
    }
    return unused;
}

static int64_t toss_block(uint32_t *now) {
    int64_t start_ns = now_ns();
    for (int i = 0; i < BLOCK; i++) {
        atomic_store_explicit(&ball, ++*now, memory_order_release);
        *now = catch_ball(*now);
    }
    return now_ns() - start_ns;
}

/* The processor with that number among those that this process may use. */
static cpu_set_t pick_processor(const cpu_set_t *allowed, int number) {
    cpu_set_t one;
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, allowed) && number-- == 0) {
            CPU_SET(i, &one);
        }
    }
    return one;
}

/* Each on its own processor; the scheduler would not always think of it. */
static pthread_t start_thread(const cpu_set_t *allowed) {
    pthread_t thread;
    cpu_set_t mine = pick_processor(allowed, 0);
    cpu_set_t other = pick_processor(allowed, 1);
    expect(pthread_create(&thread, NULL, toss_back, NULL) == 0, "pthread_create");
    pthread_setaffinity_np(thread, sizeof other, &other);
    pthread_setaffinity_np(pthread_self(), sizeof mine, &mine);
    return thread;
}

double probe_line_ns(void) {
    cpu_set_t allowed;
    uint32_t now = 0;
    int64_t least_ns = INT64_MAX;
    atomic_store(&ball, now);
    expect(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
    pthread_t thread = start_thread(&allowed);
    int64_t end_ns = now_ns() + LIMIT_NS;
    for (int i = 0; i < BLOCKS && now_ns() < end_ns; i++) {
        int64_t block_ns = toss_block(&now);
        least_ns = block_ns < least_ns ? block_ns : least_ns;
    }
    atomic_store(&ball, STOP);
    pthread_join(thread, NULL);
    sched_setaffinity(0, sizeof allowed, &allowed);
    return (double)least_ns / BLOCK;
}

const char *probe_place(double before_ns, double after_ns) {
    if (before_ns > BUSY_NS || after_ns > BUSY_NS) {
        return "busy";
    }
    bool was_near = before_ns < NEAR_NS;
    bool is_near = after_ns < NEAR_NS;
    if (was_near != is_near) {
        return "moved";
    }
    return is_near ? "near" : "far";
}

bool probe_counts(const char *place) {
    return strcmp(place, "near") == 0 || strcmp(place, "far") == 0;
}
