/* SPDX-License-Identifier: MIT */
/* What others see of a slot at each step of a send, a read, a rewind: the figures of
 * before or of after, never a mixture (layout I4). */
#include "places.h"
#include "queue/step.h"
#include "steps.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLOT "jobs"
#define CAPACITY (UINT64_C(16) << 20)

static struct {
    mailslot_writer *writer; /* to look through */
    mailslot_info before;
    mailslot_info after;
    uint32_t steps;
    bool has_changed;
} view;

static bool is_same(const mailslot_info *a, const mailslot_info *b) {
    return a->count == b->count && a->bytes == b->bytes &&
           a->next_size == b->next_size && a->received == b->received;
}

static mailslot_info look(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = mailslot_writer_get_info(view.writer, &info);
    ck_assert_msg(r == 0, "info: %s", mailslot_error_name(r));
    return info;
}

/* Once they are those of after, they stay so. */
static void look_at_step(const char *name) {
    steps_end(); /* of the look itself */
    mailslot_info info = look();
    ms_step_hook = look_at_step;
    bool is_after = is_same(&info, &view.after);
    ck_assert_msg(is_after || (!view.has_changed && is_same(&info, &view.before)),
                  "%s: %llu messages of %llu bytes, next of %u", name,
                  (unsigned long long)info.count, (unsigned long long)info.bytes,
                  info.next_size);
    view.has_changed = is_after;
    view.steps++;
}

/* Watch what comes, which changes the figures by so much. */
static void watch(int64_t count, int64_t bytes, uint32_t next_size) {
    view.before = look();
    view.after = view.before;
    view.after.count += (uint64_t)count;
    view.after.bytes += (uint64_t)bytes;
    view.after.received += count > 0 ? (uint64_t)count : 0;
    view.after.next_size = next_size;
    view.has_changed = false;
    view.steps = 0;
    ms_step_hook = look_at_step;
}

static void end_watch(uint32_t steps) {
    steps_end();
    mailslot_info info = look();
    ck_assert(is_same(&info, &view.after));
    ck_assert_uint_ge(view.steps, steps);
}

static mailslot *open_view(void) {
    mailslot *slot = create_at_once(SLOT, CAPACITY);
    view.writer = open_writer(SLOT);
    return slot;
}

static void close_view(mailslot *slot) {
    mailslot_writer_close(view.writer);
    mailslot_close(slot);
}

static char buffer[1000000];

START_TEST(an_onlooker_sees_a_send_whole_or_not_at_all) {
    mailslot *slot = open_view();
    mailslot_writer *writer = open_writer(SLOT);
    for (uint32_t i = 0; i < 6; i++) {
        watch(1, 1000 + i, 1000);
        ck_assert_int_eq(mailslot_writer_send(writer, buffer, 1000 + i, 0), 0);
        end_watch(6);
    }
    mailslot_writer_close(writer);
    close_view(slot);
}
END_TEST

START_TEST(an_onlooker_sees_a_read_whole_or_not_at_all) {
    mailslot *slot = open_view();
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_int_eq(mailslot_writer_send(view.writer, buffer, 1000 + i, 0), 0);
    }
    size_t size;
    for (uint32_t i = 0; i < 6; i++) {
        watch(-1, -1000 - (int64_t)i, i < 5 ? 1001 + i : MAILSLOT_NO_MESSAGE);
        ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), 0);
        end_watch(2);
    }
    close_view(slot);
}
END_TEST

START_TEST(an_onlooker_sees_several_messages_go_at_once) {
    mailslot *slot = open_view();
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_int_eq(mailslot_writer_send(view.writer, buffer, 1000 + i, 0), 0);
    }
    mailslot_message message;
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_int_eq(mailslot_peek(slot, 0, &message), 0);
    }
    watch(-4, -4006, 1004);
    ck_assert_int_eq(mailslot_consume(slot), 0);
    end_watch(2);
    close_view(slot);
}
END_TEST

/* The last read gives memory back and goes back to the start of the ring. */
START_TEST(an_onlooker_sees_nothing_of_a_rewind) {
    mailslot *slot = open_view();
    size_t size;
    for (uint32_t lap = 0; lap < 3; lap++) {
        for (uint32_t i = 0; i < 4; i++) {
            ck_assert_int_eq(
                mailslot_writer_send(view.writer, buffer, sizeof buffer, 0), 0);
        }
        for (uint32_t i = 0; i < 3; i++) {
            ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), 0);
        }
        watch(-1, -(int64_t)sizeof buffer, MAILSLOT_NO_MESSAGE);
        ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), 0);
        end_watch(6);
    }
    close_view(slot);
}
END_TEST

/* The head that it has found is read and given back before it looks there. */
static void look_late(void *context) {
    (void)context;
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot_writer *writer;
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    steps_stop_at("status.found");
    REQUIRE(mailslot_writer_get_info(writer, &info) == 0);
    REQUIRE(info.count == 0 && info.next_size == MAILSLOT_NO_MESSAGE);
    mailslot_writer_close(writer);
}

static void fill_place(char ret_path[256]) {
    snprintf(ret_path, 256, "%s/filler", registry_directory());
    int fd = open(ret_path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fallocate(fd, 0, 0, (off_t)place_free()), 0);
    ck_assert_uint_eq(place_free(), 0);
    close(fd);
}

START_TEST(an_onlooker_in_a_full_file_system_needs_no_memory) {
    if (!place_is_mountable()) {
        return;
    }
    place_mount("size=12m");
    mailslot *slot = open_view();
    for (uint32_t i = 0; i < 8; i++) {
        ck_assert_int_eq(mailslot_writer_send(view.writer, buffer, sizeof buffer, 0),
                         0);
    }
    size_t size;
    for (uint32_t i = 0; i < 7; i++) {
        ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), 0);
    }
    pid_t onlooker = child_start(look_late, NULL);
    child_await_stop(onlooker);
    ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &size), 0);
    char path[256];
    fill_place(path);
    kill(onlooker, SIGCONT);
    child_finish(onlooker);
    ck_assert_int_eq(unlink(path), 0);
    close_view(slot);
    place_unmount();
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("onlooker");
    tcase_add_test(cases, an_onlooker_sees_a_send_whole_or_not_at_all);
    tcase_add_test(cases, an_onlooker_sees_a_read_whole_or_not_at_all);
    tcase_add_test(cases, an_onlooker_sees_several_messages_go_at_once);
    tcase_add_test(cases, an_onlooker_sees_nothing_of_a_rewind);
    tcase_add_test(cases, an_onlooker_in_a_full_file_system_needs_no_memory);
    return suite_run();
}
