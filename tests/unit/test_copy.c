/* SPDX-License-Identifier: MIT */
#include "queue/copy.h"
#include "suite.h"

#define PAGE 4096
#define NEAR 64
#define SIZE_MAX_HERE (3 * MS_COPY_MUCH)

static _Alignas(PAGE) unsigned char from[PAGE + SIZE_MAX_HERE];
static _Alignas(PAGE) unsigned char to[PAGE + SIZE_MAX_HERE + 1];

/* Every byte arrives, and none beside them. */
static void check_copy(size_t start, size_t distance, size_t size) {
    memset(to, 0xee, sizeof to);
    unsigned char *target = to + (start + distance) % PAGE;
    ms_copy(target, from + start, size);
    HOLDS(memcmp(target, from + start, size) == 0);
    HOLDS(target[size] == 0xee);
    HOLDS(target == to || target[-1] == 0xee);
}

START_TEST(whatever_lies_near_in_a_page_every_byte_arrives) {
    const size_t sizes[] = {MS_COPY_MUCH - 1, MS_COPY_MUCH,         MS_COPY_MUCH + 1,
                            2 * MS_COPY_MUCH, 2 * MS_COPY_MUCH + 1, SIZE_MAX_HERE};
    for (size_t i = 0; i < sizeof from; i++) {
        from[i] = (unsigned char)(i * 7 + i / 256);
    }
    for (size_t distance = 0; distance < NEAR; distance++) {
        for (size_t size = 0; size <= MS_COPY_FEW + 1; size++) {
            check_copy(1, distance, size);
        }
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            check_copy(0, distance, sizes[i]);
            check_copy(16, distance, sizes[i]);
            check_copy(PAGE - 1, distance, sizes[i]);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "copy");
    tcase_add_test(cases, whatever_lies_near_in_a_page_every_byte_arrives);
    return suite_run(suite);
}
