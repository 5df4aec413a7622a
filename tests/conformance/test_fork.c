/* SPDX-License-Identifier: MIT */
/* What a forked copy of a process, and a program that it executes, have of its slots:
 * nothing. A system without fork leaves this program out. */
#include "slots.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a process has, seen from its copy. */
struct handles {
    mailslot *slot;
    mailslot_writer *writer;
};

static struct handles new_handles(const char *name) {
    struct handles handles = {.slot = new_slot(name)};
    handles.writer = new_writer(name);
    return handles;
}

static void close_handles(struct handles *handles) {
    handles->slot = mailslot_close(handles->slot);
    handles->writer = mailslot_writer_close(handles->writer);
}

/* In the copy: how many calls did not give EBADF. */
static int use(void *context) {
    struct handles *handles = context;
    char buffer[8];
    size_t size = UNTOUCHED_SIZE;
    mailslot_message message;
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot_buffer buffers[] = {{"x", 1}};
    int fd;
    const int results[] = {
        mailslot_read(handles->slot, buffer, sizeof buffer, 0, &size),
        mailslot_read(handles->slot, buffer, sizeof buffer, MAILSLOT_FOREVER, &size),
        mailslot_peek(handles->slot, 0, &message),
        mailslot_consume(handles->slot),
        mailslot_unpeek(handles->slot),
        mailslot_wait(handles->slot, MAILSLOT_FOREVER),
        mailslot_cancel(handles->slot),
        mailslot_get_fd(handles->slot, &fd),
        mailslot_set_timeout(handles->slot, 7),
        mailslot_get_info(handles->slot, &info),
        mailslot_get_info(handles->slot, NULL),
        mailslot_writer_get_info(handles->writer, &info),
        mailslot_writer_get_info(handles->writer, NULL),
        mailslot_writer_send(handles->writer, "x", 1, 0),
        mailslot_writer_send(handles->writer, NULL, 0, MAILSLOT_FOREVER),
        mailslot_writer_send_all(handles->writer, buffers, 1, 0, &size),
    };
    int others = 0;
    for (size_t i = 0; i < COUNT(results); i++) {
        others += results[i] != -EBADF;
    }
    return others;
}

/* In the copy: use and close. */
static int use_and_close(void *context) {
    struct handles *handles = context;
    int others = use(handles);
    others += mailslot_close(handles->slot) != NULL;
    others += mailslot_writer_close(handles->writer) != NULL;
    return others;
}

START_TEST(case_094_a_copy_can_use_no_handle) {
    struct handles handles = new_handles("copied");
    send_text(handles.writer, "kept");
    mailslot_info before = info_of(handles.slot);
    ck_assert_int_eq(fork_and_call(use, &handles), 0);
    mailslot_info after = info_of(handles.slot);
    ck_assert_mem_eq(&after, &before, sizeof after);
    expect_text(handles.slot, "kept");
    send_text(handles.writer, "goes on");
    expect_text(handles.slot, "goes on");
    close_handles(&handles);
}
END_TEST

START_TEST(case_091_094_a_copy_that_closes_leaves_the_slot_alive) {
    struct handles handles = new_handles("copied");
    send_text(handles.writer, "kept");
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(fork_and_call(use_and_close, &handles), 0);
        EXPECT(0, mailslot_send("copied", "more", 4, 0));
        mailslot *second = UNTOUCHED_SLOT;
        EXPECT(-EEXIST, mailslot_create("copied", NULL, &second));
    }
    ck_assert_int_eq(registry_files(), 1);
    expect_text(handles.slot, "kept");
    for (int i = 0; i < 5; i++) {
        expect_text(handles.slot, "more");
    }
    close_handles(&handles);
}
END_TEST

START_TEST(a_copy_in_the_middle_of_peeking_changes_nothing) {
    struct handles handles = new_handles("copied");
    send_text(handles.writer, "A");
    send_text(handles.writer, "BB");
    expect_shown(handles.slot, "A");
    ck_assert_int_eq(fork_and_call(use_and_close, &handles), 0);
    expect_shown(handles.slot, "BB");
    EXPECT(0, mailslot_consume(handles.slot));
    expect_nothing(handles.slot);
    close_handles(&handles);
}
END_TEST

static int send_by_own_handle(void *context) {
    const char *name = context;
    mailslot_writer *writer = NULL;
    mailslot *slot = NULL;
    int failures = mailslot_open(name, &writer) != 0;
    failures += mailslot_writer_send(writer, "from the copy", 13, 0) != 0;
    failures += mailslot_create(name, NULL, &slot) != -EEXIST;
    failures += mailslot_create("of the copy", NULL, &slot) != 0;
    mailslot_writer_close(writer);
    mailslot_close(slot);
    return failures;
}

START_TEST(a_copy_opens_handles_of_its_own) {
    char name[] = "copied";
    struct handles handles = new_handles(name);
    ck_assert_int_eq(fork_and_call(send_by_own_handle, name), 0);
    expect_text(handles.slot, "from the copy");
    close_handles(&handles);
}
END_TEST

/* Own a slot, leave a copy of this process behind that lives on, and end. */
static void own_and_leave_a_copy(const char *name) {
    mailslot *slot = NULL;
    REQUIRE(0, mailslot_create(name, NULL, &slot));
    int64_t copy = leave_copy();
    parent_tell(copy);
    REQUIRE(0, parent_hear());
}

START_TEST(case_092_a_copy_that_outlives_the_owner_does_not_keep_the_slot) {
    for (int i = 0; i < 2; i++) {
        struct child owner = child_start(own_and_leave_a_copy, "copied");
        int64_t copy = child_hear(&owner);
        mailslot_writer *writer = new_writer("copied");
        if (i == 0) {
            child_kill(&owner);
        } else {
            child_tell(&owner, 0);
            child_finish(&owner);
        }
        EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
        EXPECT(-ENOENT, mailslot_send("copied", "x", 1, 0));
        mailslot_close(new_slot("copied"));
        mailslot_writer_close(writer);
        end_left(copy);
    }
}
END_TEST

START_TEST(case_093_an_executed_program_has_nothing_of_the_slot) {
    ck_assert_int_eq(registry_descriptors(), 0);
    struct handles handles = new_handles("executed");
    EXPECT(0, mailslot_send("executed", "x", 1, 0));
    ck_assert_int_gt(registry_descriptors(), 0);
    ck_assert_int_eq(registry_descriptors_executed(), 0);
    expect_text(handles.slot, "x");
    close_handles(&handles);
}
END_TEST

/* Own a slot, start another program and end. */
static void own_and_start_a_program(const char *name) {
    mailslot *slot = NULL;
    REQUIRE(0, mailslot_create(name, NULL, &slot));
    parent_tell(leave_program());
    REQUIRE(0, parent_hear());
}

START_TEST(case_093_a_program_that_outlives_the_owner_does_not_keep_the_slot) {
    struct child owner = child_start(own_and_start_a_program, "executed");
    int64_t program = child_hear(&owner);
    mailslot_writer *writer = new_writer("executed");
    child_kill(&owner);
    EXPECT(-ENOENT, mailslot_send("executed", "x", 1, 0));
    EXPECT(-EPIPE, mailslot_writer_send(writer, "x", 1, 0));
    mailslot_close(new_slot("executed"));
    mailslot_writer_close(writer);
    end_left(program);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("fork");
    tcase_add_test(cases, case_094_a_copy_can_use_no_handle);
    tcase_add_test(cases, case_091_094_a_copy_that_closes_leaves_the_slot_alive);
    tcase_add_test(cases, a_copy_in_the_middle_of_peeking_changes_nothing);
    tcase_add_test(cases, a_copy_opens_handles_of_its_own);
    tcase_add_test(cases,
                   case_092_a_copy_that_outlives_the_owner_does_not_keep_the_slot);
    tcase_add_test(cases, case_093_an_executed_program_has_nothing_of_the_slot);
    tcase_add_test(cases,
                   case_093_a_program_that_outlives_the_owner_does_not_keep_the_slot);
    return suite_run();
}
