/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include <stdlib.h>

void samples_init(struct samples *samples, uint64_t capacity) {
    *samples = (struct samples){.all_ns = allocate(capacity * sizeof(int64_t)),
                                .capacity = capacity};
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void samples_report(struct samples *samples) {
    static const struct {
        const char *name;
        uint64_t thousandths;
    } wanted[] = {{"p50_ns", 500}, {"p99_ns", 990}, {"p99.9_ns", 999}};
    qsort(samples->all_ns, samples->count, sizeof *samples->all_ns, compare);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        uint64_t rank = samples->count * wanted[i].thousandths / 1000;
        report(wanted[i].name, (double)samples->all_ns[rank]);
    }
    free(samples->all_ns);
}
