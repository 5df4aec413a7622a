/* SPDX-License-Identifier: MIT */
/* The queue under way: what the owner reads while four threads write. */
#include "traffic.h"

static void *look_away(void *context) {
    return context;
}

/* Case 98. */
START_TEST(messages_of_four_writers_arrive_whole_once_and_in_order) {
    traffic_run(look_away);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "traffic");
    tcase_add_test(cases, messages_of_four_writers_arrive_whole_once_and_in_order);
    return suite_run(suite);
}
