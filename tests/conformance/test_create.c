/* SPDX-License-Identifier: MIT */
/* Creating slots: what a new one is like, who gets the name, what refuses. */
#include "slots.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define RACERS 16
#define ROUNDS 40

/* mailslot_create fails so, and leaves nothing. */
static void expect_failure(int error, const char *name,
                           const mailslot_options *options) {
    mailslot *slot = UNTOUCHED_SLOT;
    int files = registry_files();
    EXPECT(error, mailslot_create(name, options, &slot));
    ck_assert_ptr_eq(slot, UNTOUCHED_SLOT);
    ck_assert_int_eq(registry_files(), files);
}

START_TEST(case_001_a_new_slot_is_empty) {
    int64_t before_ns = calendar_ns();
    mailslot *slot = new_slot("new");
    mailslot_info info = info_of(slot);
    ck_assert_str_eq(info.name, "new");
    ck_assert_uint_eq(info.size, sizeof info);
    ck_assert_uint_eq(info.max_message_size, 0);
    ck_assert_uint_eq(info.timeout_ms, 0);
    ck_assert_uint_eq(info.next_size, MAILSLOT_NO_MESSAGE);
    ck_assert_uint_eq(info.count, 0);
    ck_assert_uint_eq(info.bytes, 0);
    ck_assert_uint_eq(info.received, 0);
    ck_assert_uint_eq(info.rejected, 0);
    ck_assert_uint_eq(info.pid, own_pid());
    ck_assert_uint_eq(info.uid, own_uid());
    expect_between(info.created_ns, before_ns - 20000000, calendar_ns());
    expect_nothing(slot);
    ck_assert_ptr_null(mailslot_close(slot));
}
END_TEST

START_TEST(case_002_a_second_create_fails_and_leaves_the_slot_as_it_is) {
    mailslot *slot = new_slot_with("taken", 100, 200, 5000);
    EXPECT(0, mailslot_send("taken", "first", 5, 0));
    mailslot_info before = info_of(slot);
    mailslot_options other = MAILSLOT_OPTIONS_INIT;
    other.timeout_ms = 1;
    expect_failure(-EEXIST, "taken", NULL);
    expect_failure(-EEXIST, "taken", &other);
    mailslot_info after = info_of(slot);
    ck_assert_mem_eq(&after, &before, sizeof after);
    expect_text(slot, "first");
    mailslot_close(slot);
}
END_TEST

static void create_in_vain(const char *name) {
    mailslot *slot = UNTOUCHED_SLOT;
    REQUIRE(-EEXIST, mailslot_create(name, NULL, &slot));
    REQUIRE(true, slot == UNTOUCHED_SLOT);
}

START_TEST(case_003_a_second_create_by_another_process_fails) {
    mailslot *slot = new_slot("taken");
    EXPECT(0, mailslot_send("taken", "first", 5, 0));
    struct child child = child_start(create_in_vain, "taken");
    child_finish(&child);
    child = child_start(create_in_vain, "TAKEN");
    child_finish(&child);
    expect_count(slot, 1);
    expect_text(slot, "first");
    mailslot_close(slot);
}
END_TEST

START_TEST(case_019_the_largest_settings_are_accepted_and_told) {
    mailslot *slot = new_slot_with("large", UINT32_MAX, MAILSLOT_FOREVER, 0);
    ck_assert_uint_eq(info_of(slot).max_message_size, UINT32_MAX);
    ck_assert_uint_eq(info_of(slot).timeout_ms, MAILSLOT_FOREVER);
    EXPECT(0, mailslot_send("large", "x", 1, 0));
    expect_text(slot, "x");
    mailslot_close(slot);
}
END_TEST

START_TEST(case_020_options_out_of_range_are_refused) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.size = 0;
    expect_failure(-EINVAL, "bad", &options);
    options.size = sizeof options - 1;
    expect_failure(-EINVAL, "bad", &options);
    options.size = sizeof options + 1;
    expect_failure(-EINVAL, "bad", &options);
    options.size = sizeof options;
    options.max_bytes = (UINT64_C(1) << 40) + 1;
    expect_failure(-EINVAL, "bad", &options);
    options.max_bytes = UINT64_MAX;
    expect_failure(-EINVAL, "bad", &options);
    EXPECT(-EINVAL, mailslot_create("bad", NULL, NULL));
    ck_assert_int_eq(registry_files(), 0);
}
END_TEST

static bool is_power_of_two(uint64_t value) {
    return value && (value & (value - 1)) == 0;
}

START_TEST(max_bytes_is_a_power_of_two_not_below_what_was_asked_for) {
    static const struct {
        uint64_t max_bytes;
        uint32_t max_message_size;
        uint64_t least;
    } cases[] = {
        {1, 0, 4096},
        {4095, 0, 4096},
        {4096, 0, 4096},
        {4097, 0, 8192},
        {1000000, 0, 1 << 20},
        {0, 0, UINT64_C(1) << 30},
        {0, 1 << 20, UINT64_C(1) << 30},
        {1, 10000, 20000},
        {65536, 65536, 131072},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        mailslot *slot =
            new_slot_with("size", cases[i].max_message_size, 0, cases[i].max_bytes);
        uint64_t max_bytes = info_of(slot).max_bytes;
        ck_assert(is_power_of_two(max_bytes));
        expect_between((int64_t)max_bytes, (int64_t)cases[i].least,
                       (int64_t)(2 * cases[i].least));
        if (is_power_of_two(cases[i].least) && cases[i].max_message_size == 0) {
            ck_assert_uint_eq(max_bytes, cases[i].least);
        }
        mailslot_close(slot);
    }
}
END_TEST

START_TEST(max_bytes_may_be_2_to_the_40) {
    const uint64_t most = UINT64_C(1) << 40;
    if (own_memory() > (int64_t)most) {
        skip("a sanitizer has taken the address space");
        return;
    }
    mailslot *slot = new_slot_with("vast", 0, 0, most);
    ck_assert_uint_eq(info_of(slot).max_bytes, most);
    EXPECT(0, mailslot_send("vast", "x", 1, 0));
    expect_text(slot, "x");
    mailslot_close(slot);
}
END_TEST

/* Told a time, each tries to create the slot at that time; the winner keeps it
 * until it is told to close. */
static void race(const char *name) {
    for (int64_t start_ms = parent_hear(); start_ms; start_ms = parent_hear()) {
        while (clock_ms() < start_ms) {
        }
        mailslot *slot = NULL;
        parent_tell(mailslot_create(name, NULL, &slot));
        if (slot) {
            REQUIRE(0, parent_hear());
            mailslot_close(slot);
            parent_tell(0);
        }
    }
}

/* One round. Returns who won; the slot lives on. */
static size_t run_race(const struct child *racers, const char *name) {
    size_t winner = RACERS;
    int64_t start_ms = clock_ms() + 5;
    for (size_t i = 0; i < RACERS; i++) {
        child_tell(&racers[i], start_ms);
    }
    for (size_t i = 0; i < RACERS; i++) {
        int64_t result = child_hear(&racers[i]);
        if (result == 0) {
            ck_assert_msg(winner == RACERS, "two racers won");
            winner = i;
        } else {
            ck_assert_int_eq(result, -EEXIST);
        }
    }
    ck_assert_msg(winner < RACERS, "no racer won");
    EXPECT(0, mailslot_send(name, "x", 1, 0));
    return winner;
}

START_TEST(case_021_one_of_sixteen_racing_processes_gets_the_name) {
    struct child racers[RACERS];
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = child_start(race, "prize");
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t winner = run_race(racers, "prize");
        child_tell(&racers[winner], 0);
        ck_assert_int_eq(child_hear(&racers[winner]), 0);
        EXPECT(-ENOENT, mailslot_send("prize", "x", 1, 0));
    }
    for (size_t i = 0; i < RACERS; i++) {
        child_tell(&racers[i], 0);
        child_finish(&racers[i]);
    }
}
END_TEST

START_TEST(case_021_one_of_sixteen_gets_the_name_of_a_killed_owner) {
    struct child racers[RACERS];
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = child_start(race, "prize");
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t winner = run_race(racers, "prize");
        child_kill(&racers[winner]);
        racers[winner] = child_start(race, "prize");
    }
    for (size_t i = 0; i < RACERS; i++) {
        child_kill(&racers[i]);
    }
    EXPECT(-ENOENT, mailslot_send("prize", "x", 1, 0));
}
END_TEST

START_TEST(case_023_a_file_that_is_not_a_slot_makes_create_fail_and_stays) {
    static const enum plant kinds[] = {PLANT_TEXT, PLANT_FOLDER, PLANT_LINK,
                                       PLANT_PIPE};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        ck_assert(registry_plant("odd", kinds[i]));
        expect_failure(-EBADMSG, "odd", NULL);
        mailslot_writer *writer = UNTOUCHED_WRITER;
        EXPECT(-EBADMSG, mailslot_open("odd", &writer));
        EXPECT(-EBADMSG, mailslot_send("odd", "x", 1, 0));
        mailslot *neighbour = new_slot("neighbour");
        mailslot_close(neighbour);
        ck_assert_int_eq(registry_files(), 1);
        registry_unplant("odd");
    }
}
END_TEST

START_TEST(case_015_a_link_to_a_slot_is_not_a_slot) {
    mailslot *slot = new_slot("real");
    ck_assert(registry_plant("alias", PLANT_LINK));
    expect_failure(-EBADMSG, "alias", NULL);
    EXPECT(-EBADMSG, mailslot_send("alias", "x", 1, 0));
    EXPECT(-EBADMSG, mailslot_get_info_by_name("alias", NULL));
    registry_unplant("alias");
    EXPECT(0, mailslot_send("real", "x", 1, 0));
    expect_text(slot, "x");
    mailslot_close(slot);
}
END_TEST

START_TEST(case_023_a_missing_directory_makes_create_fail) {
    registry_hide();
    mailslot *slot = UNTOUCHED_SLOT;
    EXPECT(-ENOENT, mailslot_create("a", NULL, &slot));
    ck_assert_ptr_eq(slot, UNTOUCHED_SLOT);
    EXPECT(-ENOENT, mailslot_send("a", "x", 1, 0));
    registry_show();
}
END_TEST

START_TEST(case_023_a_directory_that_is_not_named_from_the_root_makes_create_fail) {
    registry_name(false);
    expect_failure(-EINVAL, "a", NULL);
    registry_name(true);
    mailslot_close(new_slot("a"));
}
END_TEST

START_TEST(case_023_too_few_descriptors_make_create_and_open_fail) {
    mailslot *slot = new_slot("there");
    if (!limit_descriptors(0)) {
        mailslot_close(slot);
        skip("the number of descriptors cannot be limited");
        return;
    }
    mailslot *other = UNTOUCHED_SLOT;
    mailslot_writer *writer = UNTOUCHED_WRITER;
    EXPECT(-EMFILE, mailslot_create("a", NULL, &other));
    EXPECT(-EMFILE, mailslot_open("there", &writer));
    EXPECT(-EMFILE, mailslot_send("there", "x", 1, 0));
    EXPECT(-EMFILE, mailslot_get_info_by_name("there", NULL));
    ck_assert_ptr_eq(other, UNTOUCHED_SLOT);
    ck_assert_ptr_eq(writer, UNTOUCHED_WRITER);
    limits_lift();
    ck_assert_int_eq(registry_files(), 1);
    expect_count(slot, 0);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_023_too_little_memory_makes_create_and_open_fail) {
    static const char large[100000]; /* a small message needs no memory to speak of */
    mailslot *slot = new_slot_with("there", 0, 0, UINT64_C(1) << 30);
    if (!limit_memory((size_t)64 << 20)) {
        mailslot_close(slot);
        skip("memory cannot be limited");
        return;
    }
    mailslot_writer *writer = UNTOUCHED_WRITER;
    expect_failure(-ENOMEM, "a", NULL);
    EXPECT(-ENOMEM, mailslot_open("there", &writer));
    EXPECT(-ENOMEM, mailslot_send("there", large, sizeof large, 0));
    ck_assert_ptr_eq(writer, UNTOUCHED_WRITER);
    limits_lift();
    expect_count(slot, 0);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_023_a_limit_on_file_sizes_makes_create_fail) {
    if (!limit_file_size(1 << 20)) {
        skip("file sizes cannot be limited");
        return;
    }
    expect_failure(-EFBIG, "a", NULL);
    mailslot *slot = new_slot_with("small", 0, 0, 65536);
    EXPECT(0, mailslot_send("small", "x", 1, 0));
    expect_text(slot, "x");
    mailslot_close(slot);
}
END_TEST

START_TEST(case_023_neither_failure_nor_success_uses_memory_up) {
    int64_t before = 0;
    for (int i = 0; i < 2000; i++) {
        mailslot *slot = new_slot("again");
        mailslot_writer *writer = new_writer("again");
        expect_failure(-EEXIST, "again", NULL);
        EXPECT(0, mailslot_send("again", "x", 1, 0));
        mailslot_writer_close(writer);
        mailslot_close(slot);
        EXPECT(-ENOENT, mailslot_open("again", &writer));
        if (i == 100) {
            before = own_memory();
        }
    }
    ck_assert_int_lt(own_memory() - before, 2 << 20);
}
END_TEST

START_TEST(five_hundred_slots_in_one_process_come_and_go) {
    enum { SLOTS = 500 };
    static mailslot *slots[SLOTS];
    static mailslot_writer *writers[SLOTS];
    char name[16];
    if (!raise_descriptors(2 * SLOTS + 100)) {
        skip("so many descriptors are not allowed");
        return;
    }
    for (int i = 0; i < SLOTS; i++) {
        snprintf(name, sizeof name, "slot%d", i);
        slots[i] = new_slot(name);
        writers[i] = new_writer(name);
    }
    for (int i = 0; i < SLOTS; i++) {
        snprintf(name, sizeof name, "text%d", i);
        send_text(writers[i], name);
    }
    for (int i = 0; i < SLOTS; i++) {
        snprintf(name, sizeof name, "text%d", i);
        expect_text(slots[i], name);
        expect_nothing(slots[i]);
        mailslot_close(slots[i]);
        mailslot_writer_close(writers[i]);
    }
}
END_TEST

static void meet_closed_door(const char *name) {
    if (!become_another_user()) {
        parent_tell(false);
        return;
    }
    parent_tell(true);
    mailslot_writer *writer = UNTOUCHED_WRITER;
    mailslot *slot = UNTOUCHED_SLOT;
    REQUIRE(-EACCES, mailslot_open(name, &writer));
    REQUIRE(-EACCES, mailslot_send(name, "x", 1, 0));
    REQUIRE(-EACCES, mailslot_get_info_by_name(name, NULL));
    REQUIRE(-EACCES, mailslot_create(name, NULL, &slot));
    REQUIRE(true, writer == UNTOUCHED_WRITER && slot == UNTOUCHED_SLOT);
    REQUIRE(0, mailslot_create("of my own", NULL, &slot));
    mailslot_close(slot);
}

START_TEST(case_042_043_the_slots_of_a_user_are_out_of_reach_for_others) {
    registry_let_others(true);
    mailslot *slot = new_slot("private");
    ck_assert_uint_eq(info_of(slot).mode, 0600);
    struct child child = child_start(meet_closed_door, "private");
    if (!child_hear(&child)) {
        skip("this user cannot become another one");
    }
    child_finish(&child);
    expect_count(slot, 0);
    mailslot_close(slot);
}
END_TEST

static void meet_closed_folder(const char *name) {
    mailslot *slot = UNTOUCHED_SLOT;
    parent_tell(become_another_user());
    if (parent_hear()) {
        REQUIRE(-EACCES, mailslot_create(name, NULL, &slot));
    }
}

START_TEST(a_directory_that_may_not_be_written_makes_create_fail) {
    registry_let_others(false);
    struct child child = child_start(meet_closed_folder, "a");
    int64_t is_other = child_hear(&child);
    if (!is_other) {
        skip("this user cannot become another one");
    }
    child_tell(&child, is_other);
    child_finish(&child);
}
END_TEST

START_TEST(a_file_of_another_user_keeps_its_name) {
    if (registry_plant("foreign", PLANT_FOREIGN)) {
        expect_failure(-EACCES, "foreign", NULL);
        EXPECT(-EACCES, mailslot_send("foreign", "x", 1, 0));
        mailslot_close(new_slot("neighbour"));
        ck_assert_int_eq(registry_files(), 1);
    } else {
        skip("this user cannot give files away");
    }
    registry_unplant("foreign");
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("create");
    tcase_add_test(cases, case_001_a_new_slot_is_empty);
    tcase_add_test(cases, case_002_a_second_create_fails_and_leaves_the_slot_as_it_is);
    tcase_add_test(cases, case_003_a_second_create_by_another_process_fails);
    tcase_add_test(cases, case_019_the_largest_settings_are_accepted_and_told);
    tcase_add_test(cases, case_020_options_out_of_range_are_refused);
    tcase_add_test(cases, max_bytes_is_a_power_of_two_not_below_what_was_asked_for);
    tcase_add_test(cases, max_bytes_may_be_2_to_the_40);
    tcase_add_test(cases, case_021_one_of_sixteen_racing_processes_gets_the_name);
    tcase_add_test(cases, case_021_one_of_sixteen_gets_the_name_of_a_killed_owner);
    tcase_add_test(cases,
                   case_023_a_file_that_is_not_a_slot_makes_create_fail_and_stays);
    tcase_add_test(cases, case_015_a_link_to_a_slot_is_not_a_slot);
    tcase_add_test(cases, case_023_a_missing_directory_makes_create_fail);
    tcase_add_test(
        cases, case_023_a_directory_that_is_not_named_from_the_root_makes_create_fail);
    tcase_add_test(cases, case_023_too_few_descriptors_make_create_and_open_fail);
    tcase_add_test(cases, case_023_too_little_memory_makes_create_and_open_fail);
    tcase_add_test(cases, case_023_a_limit_on_file_sizes_makes_create_fail);
    tcase_add_test(cases, case_023_neither_failure_nor_success_uses_memory_up);
    tcase_add_test(cases, five_hundred_slots_in_one_process_come_and_go);
    tcase_add_test(cases, case_042_043_the_slots_of_a_user_are_out_of_reach_for_others);
    tcase_add_test(cases, a_directory_that_may_not_be_written_makes_create_fail);
    tcase_add_test(cases, a_file_of_another_user_keeps_its_name);
    return suite_run();
}
