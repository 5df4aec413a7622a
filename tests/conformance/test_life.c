/* SPDX-License-Identifier: MIT */
/* How slots end, by whatever cause, and what their writers then find. */
#include "slots.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Own a slot with one message in it until told to go on. */
static mailslot *own(const char *name) {
    mailslot *slot = NULL;
    REQUIRE(0, mailslot_create(name, NULL, &slot));
    REQUIRE(0, mailslot_send(name, "unread", 6, 0));
    parent_tell(0);
    REQUIRE(0, parent_hear());
    return slot;
}

static void own_and_close(const char *name) {
    mailslot_close(own(name));
    parent_tell(0);
    REQUIRE(0, parent_hear());
}

static void own_and_exit(const char *name) {
    own(name);
}

static void own_and_crash(const char *name) {
    own(name);
    crash();
}

static void own_and_become_another_program(const char *name) {
    own(name);
    become_another_program();
}

static struct child start_owner(child_main *run, const char *name) {
    struct child owner = child_start(run, name);
    ck_assert_int_eq(child_hear(&owner), 0);
    return owner;
}

/* The slot has died, and all that case 80 to 85 promise holds. */
static void expect_dead(const char *name, mailslot_writer *writer) {
    mailslot_writer *other = UNTOUCHED_WRITER;
    EXPECT(-ENOENT, mailslot_open(name, &other));
    EXPECT(-ENOENT, mailslot_send(name, "x", 1, MAILSLOT_FOREVER));
    EXPECT(-ENOENT, mailslot_get_info_by_name(name, NULL));
    EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, MAILSLOT_FOREVER));
    EXPECT(-EPIPE, mailslot_writer_send(writer, NULL, 0, 0));
    mailslot_info info = MAILSLOT_INFO_INIT;
    EXPECT(-EPIPE, mailslot_writer_get_info(writer, &info));
    ck_assert_int_eq(registry_files(), 0);
    mailslot *slot = new_slot(name);
    EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
    expect_nothing(slot);
    writer = mailslot_writer_close(writer);
    writer = new_writer(name);
    send_text(writer, "to the new one");
    expect_text(slot, "to the new one");
    mailslot_writer_close(writer);
    mailslot_close(slot);
}

START_TEST(case_080_to_085_a_closed_slot_is_dead_and_its_name_is_free) {
    mailslot *slot = new_slot("closed");
    mailslot_writer *writer = new_writer("closed");
    send_text(writer, "unread");
    mailslot_close(slot);
    expect_dead("closed", writer);
}
END_TEST

START_TEST(case_083_the_name_of_a_closed_slot_is_free_at_once) {
    mailslot_writer *writers[50];
    for (size_t i = 0; i < COUNT(writers); i++) {
        mailslot *slot = new_slot("again");
        writers[i] = new_writer("again");
        send_text(writers[i], "unread");
        mailslot_close(slot);
    }
    mailslot *slot = new_slot("again");
    for (size_t i = 0; i < COUNT(writers); i++) {
        EXPECT(-EPIPE, mailslot_writer_send(writers[i], "x", 1, 0));
        mailslot_writer_close(writers[i]);
    }
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_080_a_slot_closed_by_another_process_is_dead) {
    struct child owner = start_owner(own_and_close, "closed");
    mailslot_writer *writer = new_writer("closed");
    child_tell(&owner, 0);
    ck_assert_int_eq(child_hear(&owner), 0);
    expect_dead("closed", writer);
    child_tell(&owner, 0);
    child_finish(&owner);
}
END_TEST

START_TEST(case_088_the_slot_of_an_owner_that_exits_is_dead) {
    struct child owner = start_owner(own_and_exit, "exited");
    mailslot_writer *writer = new_writer("exited");
    child_tell(&owner, 0);
    child_finish(&owner);
    expect_dead("exited", writer);
}
END_TEST

START_TEST(case_089_the_slot_of_a_killed_owner_is_dead) {
    struct child owner = start_owner(own_and_exit, "killed");
    mailslot_writer *writer = new_writer("killed");
    child_kill(&owner);
    expect_dead("killed", writer);
}
END_TEST

START_TEST(case_089_the_slot_of_an_owner_that_crashes_is_dead) {
    struct child owner = start_owner(own_and_crash, "crashed");
    mailslot_writer *writer = new_writer("crashed");
    child_tell(&owner, 0);
    child_hear_end(&owner);
    child_kill(&owner);
    expect_dead("crashed", writer);
}
END_TEST

START_TEST(the_slot_of_an_owner_that_executes_another_program_is_dead) {
    struct child owner = start_owner(own_and_become_another_program, "executed");
    mailslot_writer *writer = new_writer("executed");
    child_tell(&owner, 0);
    child_hear_end(&owner);
    expect_dead("executed", writer);
    child_kill(&owner);
}
END_TEST

START_TEST(case_089_create_replaces_the_slot_of_a_killed_owner_at_once) {
    for (int i = 0; i < 20; i++) {
        struct child owner = start_owner(own_and_exit, "killed");
        child_kill(&owner);
        mailslot *slot = new_slot("killed");
        expect_nothing(slot);
        mailslot_close(slot);
    }
}
END_TEST

START_TEST(case_089_a_writer_finds_its_slot_dead_before_anybody_else_looks) {
    struct child owner = start_owner(own_and_exit, "killed");
    mailslot_writer *writer = new_writer("killed");
    child_kill(&owner);
    EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
    ck_assert_int_eq(registry_files(), 0);
    mailslot_writer_close(writer);
}
END_TEST

START_TEST(a_stopped_owner_keeps_its_slot) {
    struct child owner = start_owner(own_and_exit, "stopped");
    child_stop(&owner);
    mailslot *slot = UNTOUCHED_SLOT;
    EXPECT(-EEXIST, mailslot_create("stopped", NULL, &slot));
    EXPECT(0, mailslot_send("stopped", "x", 1, 0));
    mailslot_info info = MAILSLOT_INFO_INIT;
    EXPECT(0, mailslot_get_info_by_name("stopped", &info));
    ck_assert_uint_eq(info.count, 2);
    child_kill(&owner);
    EXPECT(-ENOENT, mailslot_send("stopped", "x", 1, 0));
}
END_TEST

/* Each call that meets a dead slot removes what its owner left; create also removes
 * what it does not meet. */
static int meet_by_open(const char *name) {
    mailslot_writer *writer = UNTOUCHED_WRITER;
    return mailslot_open(name, &writer);
}

static int meet_by_send(const char *name) {
    return mailslot_send(name, "x", 1, 0);
}

static int meet_by_info(const char *name) {
    return mailslot_get_info_by_name(name, NULL);
}

START_TEST(case_089_nothing_of_a_killed_owner_is_left_after_the_next_call) {
    static int (*const meetings[])(const char *) = {meet_by_open, meet_by_send,
                                                    meet_by_info};
    for (size_t i = 0; i < COUNT(meetings); i++) {
        struct child owner = start_owner(own_and_exit, "left");
        child_kill(&owner);
        EXPECT(-ENOENT, meetings[i]("left"));
        ck_assert_int_eq(registry_files(), 0);
    }
}
END_TEST

START_TEST(case_089_create_removes_what_any_killed_owner_left) {
    struct child owners[5];
    for (size_t i = 0; i < COUNT(owners); i++) {
        char name[16];
        snprintf(name, sizeof name, "left%zu", i);
        owners[i] = start_owner(own_and_exit, name);
    }
    for (size_t i = 0; i < COUNT(owners) - 1; i++) {
        child_kill(&owners[i]);
    }
    ck_assert_int_ge(registry_files(), 1);
    mailslot *slot = new_slot("other");
    ck_assert_int_eq(registry_files(), 2);
    EXPECT(0, mailslot_send("left4", "x", 1, 0));
    child_kill(&owners[4]);
    mailslot_close(slot);
    EXPECT(-ENOENT, mailslot_send("left4", "x", 1, 0));
}
END_TEST

/* Own very many slots, telling about each hundred. */
static void own_thousands(const char *count) {
    int slots = (int)strtol(count, NULL, 10);
    REQUIRE(true, raise_descriptors(slots + 100));
    for (int i = 0; i < slots; i++) {
        char name[16];
        mailslot *slot = NULL;
        mailslot_options options = MAILSLOT_OPTIONS_INIT;
        options.max_bytes = 4096;
        snprintf(name, sizeof name, "slot%d", i);
        REQUIRE(0, mailslot_create(name, &options, &slot));
        if (i % 100 == 99) {
            parent_tell(i + 1);
        }
    }
    REQUIRE(0, parent_hear());
}

/* More than the locks that Linux lets go of when a thread dies: it leaves the first. */
START_TEST(case_089_all_slots_of_a_killed_owner_are_dead_however_many) {
    enum { SLOTS = 2100 };
    char name[16];
    if (!raise_descriptors(SLOTS + 100)) {
        skip("so many descriptors are not allowed");
        return;
    }
    struct child owner = child_start(own_thousands, "2100");
    while (child_hear(&owner) < SLOTS) {
    }
    child_kill(&owner);
    for (int i = 0; i < 100; i += 2) {
        snprintf(name, sizeof name, "slot%d", i);
        EXPECT(-ENOENT, mailslot_send(name, "x", 1, 0));
        snprintf(name, sizeof name, "slot%d", i + 1);
        mailslot_close(new_slot(name));
    }
    ck_assert_int_eq(registry_files(), 0);
}
END_TEST

static void send_and_wait(const char *name) {
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    REQUIRE(0, mailslot_writer_send(writer, "kept", 4, 0));
    parent_tell(0);
    if (parent_hear()) {
        mailslot_writer_close(writer);
    }
}

START_TEST(case_086_messages_outlive_their_sender) {
    mailslot *slot = new_slot("kept");
    struct child closing = child_start(send_and_wait, "kept");
    struct child exiting = child_start(send_and_wait, "kept");
    struct child killed = child_start(send_and_wait, "kept");
    ck_assert_int_eq(child_hear(&closing), 0);
    ck_assert_int_eq(child_hear(&exiting), 0);
    ck_assert_int_eq(child_hear(&killed), 0);
    child_tell(&closing, true);
    child_finish(&closing);
    child_tell(&exiting, false);
    child_finish(&exiting);
    child_kill(&killed);
    for (int i = 0; i < 3; i++) {
        expect_text(slot, "kept");
    }
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

/* A thread that owns a slot, and one that closes the slot of another thread. */
struct ownership {
    mailslot *slot;
    int result;
};

static void create_in_thread(void *context) {
    struct ownership *ownership = context;
    ownership->result = mailslot_create("thread", NULL, &ownership->slot);
}

static void close_in_thread(void *context) {
    struct ownership *ownership = context;
    ownership->slot = mailslot_close(ownership->slot);
}

START_TEST(the_slot_of_a_thread_that_ends_is_dead) {
    struct ownership ownership = {.slot = NULL};
    struct thread thread = thread_start(create_in_thread, &ownership);
    thread_join(&thread);
    EXPECT(0, ownership.result);
    EXPECT(-ENOENT, mailslot_send("thread", "x", 1, 0));
    mailslot *slot = new_slot("thread");
    mailslot_close(ownership.slot);
    EXPECT(0, mailslot_send("thread", "to the new one", 14, 0));
    expect_text(slot, "to the new one");
    mailslot_close(slot);
}
END_TEST

static void own_and_close_in_thread(const char *name) {
    struct ownership ownership = {.slot = own(name)};
    struct thread thread = thread_start(close_in_thread, &ownership);
    thread_join(&thread);
    REQUIRE(true, ownership.slot == NULL);
    REQUIRE(0, registry_descriptors());
    parent_tell(0);
    REQUIRE(0, parent_hear());
}

START_TEST(a_slot_that_another_thread_closes_is_dead) {
    struct child owner = start_owner(own_and_close_in_thread, "elsewhere");
    mailslot_writer *writer = new_writer("elsewhere");
    child_tell(&owner, 0);
    ck_assert_int_eq(child_hear(&owner), 0);
    expect_dead("elsewhere", writer);
    child_tell(&owner, 0);
    child_finish(&owner);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("life");
    tcase_add_test(cases, case_080_to_085_a_closed_slot_is_dead_and_its_name_is_free);
    tcase_add_test(cases, case_083_the_name_of_a_closed_slot_is_free_at_once);
    tcase_add_test(cases, case_080_a_slot_closed_by_another_process_is_dead);
    tcase_add_test(cases, case_088_the_slot_of_an_owner_that_exits_is_dead);
    tcase_add_test(cases, case_089_the_slot_of_a_killed_owner_is_dead);
    tcase_add_test(cases, case_089_the_slot_of_an_owner_that_crashes_is_dead);
    tcase_add_test(cases, the_slot_of_an_owner_that_executes_another_program_is_dead);
    tcase_add_test(cases, case_089_create_replaces_the_slot_of_a_killed_owner_at_once);
    tcase_add_test(cases,
                   case_089_a_writer_finds_its_slot_dead_before_anybody_else_looks);
    tcase_add_test(cases, a_stopped_owner_keeps_its_slot);
    tcase_add_test(cases,
                   case_089_nothing_of_a_killed_owner_is_left_after_the_next_call);
    tcase_add_test(cases, case_089_create_removes_what_any_killed_owner_left);
    tcase_add_test(cases, case_089_all_slots_of_a_killed_owner_are_dead_however_many);
    tcase_add_test(cases, case_086_messages_outlive_their_sender);
    tcase_add_test(cases, the_slot_of_a_thread_that_ends_is_dead);
    tcase_add_test(cases, a_slot_that_another_thread_closes_is_dead);
    return suite_run();
}
