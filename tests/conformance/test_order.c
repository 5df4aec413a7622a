/* SPDX-License-Identifier: MIT */
/* Order, and many messages: from one sender, two, eight. */
#include "slots.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define BACKLOG 100000
#define SENDERS 8
#define EACH 10000

/* A message that says who sent it and which of its messages it is, in all its bytes. */
struct note {
    int32_t sender;
    int32_t number;
    unsigned char rest[56];
};

static struct note new_note(int32_t sender, int32_t number) {
    struct note note = {.sender = sender, .number = number};
    memset(note.rest, sender * 31 + number, sizeof note.rest);
    return note;
}

static void expect_note(const void *data, size_t size, int32_t sender, int32_t number) {
    struct note note = new_note(sender, number);
    ck_assert_msg(size == sizeof note && memcmp(data, &note, sizeof note) == 0,
                  "message %d of sender %d is not what comes next", number, sender);
}

START_TEST(case_035_a_hundred_thousand_unread_messages_are_all_kept_in_order) {
    mailslot *slot = new_slot("backlog");
    mailslot_writer *writer = new_writer("backlog");
    for (int i = 0; i < BACKLOG; i++) {
        struct note note = new_note(0, i);
        EXPECT(0, mailslot_writer_send(writer, &note, sizeof note, 0));
    }
    mailslot_info info = info_of(slot);
    ck_assert_uint_eq(info.count, BACKLOG);
    ck_assert_uint_eq(info.bytes, BACKLOG * sizeof(struct note));
    ck_assert_uint_eq(info.rejected, 0);
    for (int i = 0; i < BACKLOG; i++) {
        struct note note;
        size_t size = 0;
        EXPECT(0, mailslot_read(slot, &note, sizeof note, 0, &size));
        expect_note(&note, size, 0, i);
    }
    expect_nothing(slot);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_035_a_backlog_is_shown_and_consumed_in_one_go) {
    mailslot *slot = new_slot("backlog");
    mailslot_writer *writer = new_writer("backlog");
    static struct note notes[1000];
    mailslot_buffer messages[COUNT(notes)];
    for (int i = 0; i < BACKLOG; i += (int)COUNT(notes)) {
        for (int j = 0; j < (int)COUNT(notes); j++) {
            notes[j] = new_note(0, i + j);
            messages[j] = (mailslot_buffer){.data = &notes[j], .size = sizeof *notes};
        }
        EXPECT(0, mailslot_writer_send_all(writer, messages, COUNT(notes), 0, NULL));
    }
    for (int i = 0; i < BACKLOG; i++) {
        mailslot_message message;
        EXPECT(0, mailslot_peek(slot, 0, &message));
        expect_note(message.data, message.size, 0, i);
        ck_assert_uint_eq(message.sequence, (uint64_t)i + 1);
    }
    expect_count(slot, BACKLOG);
    EXPECT(0, mailslot_consume(slot));
    expect_nothing(slot);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_097_the_messages_of_two_writers_are_read_in_the_order_of_sending) {
    mailslot *slot = new_slot("turns");
    mailslot_writer *writers[] = {new_writer("turns"), new_writer("turns")};
    for (int i = 0; i < 1000; i++) {
        struct note note = new_note(i % 2, i);
        EXPECT(0, mailslot_writer_send(writers[i % 2], &note, sizeof note, 0));
    }
    for (int i = 0; i < 1000; i++) {
        struct note note;
        size_t size;
        EXPECT(0, mailslot_read(slot, &note, sizeof note, 0, &size));
        expect_note(&note, size, i % 2, i);
    }
    mailslot_writer_close(writers[0]);
    mailslot_writer_close(writers[1]);
    mailslot_close(slot);
}
END_TEST

/* Send one note each time the parent says so. */
static void send_when_told(const char *name) {
    mailslot_writer *writer = NULL;
    REQUIRE(0, mailslot_open(name, &writer));
    for (int64_t number = parent_hear(); number >= 0; number = parent_hear()) {
        struct note note = new_note((int32_t)(number % 2), (int32_t)number);
        REQUIRE(0, mailslot_writer_send(writer, &note, sizeof note, 0));
        parent_tell(number);
    }
    mailslot_writer_close(writer);
}

START_TEST(case_097_the_messages_of_two_processes_are_read_in_the_order_of_sending) {
    mailslot *slot = new_slot("turns");
    struct child senders[] = {child_start(send_when_told, "turns"),
                              child_start(send_when_told, "turns")};
    for (int i = 0; i < 200; i++) {
        child_tell(&senders[i % 2], i);
        ck_assert_int_eq(child_hear(&senders[i % 2]), i);
    }
    for (size_t i = 0; i < COUNT(senders); i++) {
        child_tell(&senders[i], -1);
        child_finish(&senders[i]);
    }
    for (int i = 0; i < 200; i++) {
        struct note note;
        size_t size;
        EXPECT(0, mailslot_read(slot, &note, sizeof note, 0, &size));
        expect_note(&note, size, i % 2, i);
    }
    mailslot_close(slot);
}
END_TEST

/* Sends EACH notes; its number is the last digit of its argument. */
static void send_notes(const char *argument) {
    char name[16];
    int sender = 0;
    mailslot_writer *writer = NULL;
    REQUIRE(2, sscanf(argument, "%15s %d", name, &sender));
    REQUIRE(0, mailslot_open(name, &writer));
    parent_tell(0);
    REQUIRE(0, parent_hear());
    for (int i = 0; i < EACH; i++) {
        struct note note = new_note(sender, i);
        REQUIRE(0, mailslot_writer_send(writer, &note, sizeof note, MAILSLOT_FOREVER));
    }
    mailslot_writer_close(writer);
}

static void start_senders(struct child *senders, const char *name) {
    for (int i = 0; i < SENDERS; i++) {
        char argument[32];
        snprintf(argument, sizeof argument, "%s %d", name, i);
        senders[i] = child_start(send_notes, argument);
    }
    for (int i = 0; i < SENDERS; i++) {
        ck_assert_int_eq(child_hear(&senders[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++) {
        child_tell(&senders[i], 0);
    }
}

/* All notes of all senders, each sender's in order; nothing else. */
static void expect_all_notes(mailslot *slot) {
    int next[SENDERS] = {0};
    for (uint64_t i = 0; i < SENDERS * EACH; i++) {
        mailslot_message message;
        struct note note;
        EXPECT(0, mailslot_peek(slot, DEADLINE_MS, &message));
        ck_assert_uint_eq(message.sequence, i + 1);
        ck_assert_uint_eq(message.size, sizeof note);
        memcpy(&note, message.data, sizeof note);
        expect_between(note.sender, 0, SENDERS - 1);
        expect_note(&note, sizeof note, note.sender, next[note.sender]++);
        if (i % 7 == 0) {
            EXPECT(0, mailslot_consume(slot));
        }
    }
    EXPECT(0, mailslot_consume(slot));
    expect_nothing(slot);
}

START_TEST(case_098_the_messages_of_eight_senders_at_once_all_arrive_in_order) {
    mailslot *slot = new_slot("crowd");
    struct child senders[SENDERS];
    start_senders(senders, "crowd");
    expect_all_notes(slot);
    for (int i = 0; i < SENDERS; i++) {
        child_finish(&senders[i]);
    }
    mailslot_close(slot);
}
END_TEST

START_TEST(case_098_they_do_so_unread_until_all_are_sent) {
    mailslot *slot = new_slot("crowd");
    struct child senders[SENDERS];
    start_senders(senders, "crowd");
    for (int i = 0; i < SENDERS; i++) {
        child_finish(&senders[i]);
    }
    expect_count(slot, SENDERS * EACH);
    expect_all_notes(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_098_they_do_so_through_a_slot_that_is_always_full) {
    mailslot *slot = new_slot_with("crowd", 0, 0, 4096);
    struct child senders[SENDERS];
    start_senders(senders, "crowd");
    expect_all_notes(slot);
    for (int i = 0; i < SENDERS; i++) {
        child_finish(&senders[i]);
    }
    ck_assert_uint_eq(info_of(slot).rejected, 0);
    mailslot_close(slot);
}
END_TEST

/* Threads of one process are senders too, each with a writer of its own. */
struct thread_sender {
    int32_t sender;
    int failures;
};

static void send_from_thread(void *context) {
    struct thread_sender *self = context;
    mailslot_writer *writer = NULL;
    self->failures = mailslot_open("crowd", &writer) != 0;
    for (int i = 0; i < EACH; i++) {
        struct note note = new_note(self->sender, i);
        self->failures += mailslot_writer_send(writer, &note, sizeof note, 0) != 0;
    }
    mailslot_writer_close(writer);
}

START_TEST(case_098_they_do_so_from_threads) {
    mailslot *slot = new_slot("crowd");
    struct thread threads[SENDERS];
    struct thread_sender senders[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct thread_sender){.sender = i};
        threads[i] = thread_start(send_from_thread, &senders[i]);
    }
    expect_all_notes(slot);
    for (int i = 0; i < SENDERS; i++) {
        thread_join(&threads[i]);
        ck_assert_int_eq(senders[i].failures, 0);
    }
    mailslot_close(slot);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("order");
    tcase_add_test(cases,
                   case_035_a_hundred_thousand_unread_messages_are_all_kept_in_order);
    tcase_add_test(cases, case_035_a_backlog_is_shown_and_consumed_in_one_go);
    tcase_add_test(
        cases, case_097_the_messages_of_two_writers_are_read_in_the_order_of_sending);
    tcase_add_test(
        cases, case_097_the_messages_of_two_processes_are_read_in_the_order_of_sending);
    tcase_add_test(cases,
                   case_098_the_messages_of_eight_senders_at_once_all_arrive_in_order);
    tcase_add_test(cases, case_098_they_do_so_unread_until_all_are_sent);
    tcase_add_test(cases, case_098_they_do_so_through_a_slot_that_is_always_full);
    tcase_add_test(cases, case_098_they_do_so_from_threads);
    return suite_run();
}
