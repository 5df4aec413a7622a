/* SPDX-License-Identifier: MIT */
/* The queue under way: what somebody sees who only looks on. */
#include "traffic.h"

/* The spectator looks at bytes that may be overwritten meanwhile, and then whether they
 * have been. That is the race; test_traffic.c shows that there is no other. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
    return "race:peek_size\nrace:ms_queue_push";
}

static void check_status(const struct ms_status *status, struct ms_status *before) {
    HOLDS(status->received >= before->received);
    HOLDS(status->received - status->count >= before->received - before->count);
    HOLDS(status->brought >= before->brought);
    HOLDS(status->received - status->brought >= before->received - before->brought);
    HOLDS(status->count <= CAPACITY / 32);
    HOLDS(status->bytes >= status->count * sizeof(struct note));
    HOLDS(status->bytes + status->count * 24 <= CAPACITY);
    HOLDS((status->next_size == MAILSLOT_NO_MESSAGE) == (status->count == 0));
    HOLDS(status->count == 0 || status->next_size <= status->bytes);
    *before = *status;
}

static void *spectate(void *context) {
    struct ms_status before = {0};
    while (!atomic_load(&has_ended)) {
        struct ms_status status;
        int r = ms_queue_status(&ring.queue, NULL, NULL, &status);
        if (r == -EAGAIN) {
            continue;
        }
        HOLDS(r == 0);
        check_status(&status, &before);
    }
    return context;
}

START_TEST(the_status_is_right_at_every_moment_of_traffic) {
    traffic_run(spectate);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "status");
    tcase_add_test(cases, the_status_is_right_at_every_moment_of_traffic);
    return suite_run(suite);
}
