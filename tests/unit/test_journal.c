/* SPDX-License-Identifier: MIT */
/* What a gateway knows after it was killed. A killed one is a journal that nobody
 * closed: the file is what it wrote. */
#include "gateway/nats_journal.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct ms_journal_writer nobody = {{0, 0, 0}};
static const struct ms_journal_writer alpha = {{1, 2, 3}};
static char path[] = "/tmp/mailslot-journal-XXXXXX";
static struct ms_journal *journal;

static struct ms_journal_place at(uint64_t sequence) {
    return (struct ms_journal_place){sequence, (int64_t)(1000 + sequence)};
}

static void begin_life(void) {
    journal = ms_journal_close(journal); /* writes nothing */
    ck_assert_int_eq(ms_journal_open(path, &journal), 0);
}

static void make_path(void) {
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    begin_life();
}

static void remove_path(void) {
    ms_journal_close(journal);
    unlink(path);
}

static bool is_done(uint64_t sequence) {
    struct ms_journal_place place = at(sequence);
    return ms_journal_is_done(journal, &place);
}

static bool is_doing(uint64_t sequence) {
    struct ms_journal_place place = at(sequence);
    return ms_journal_is_doing(journal, &place);
}

static void begin(uint64_t sequence, const mailslot_info *info) {
    struct ms_journal_place place = at(sequence);
    ms_journal_begin(journal, &place, info);
}

static void end(uint64_t sequence, const struct ms_journal_writer *writer,
                uint64_t number) {
    struct ms_journal_place place = at(sequence);
    ms_journal_end(journal, &place, writer, number);
}

static mailslot_info slot_of(int64_t created_ns, uint64_t received) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    info.created_ns = created_ns;
    info.received = received;
    return info;
}

START_TEST(what_is_done_stays_so_in_the_next_life) {
    ck_assert(!is_done(1));
    end(5, &nobody, 0);
    begin_life();
    ck_assert(is_done(5));
    ck_assert(is_done(4));
    ck_assert(!is_done(6));
    ck_assert(!is_doing(5));
}
END_TEST

START_TEST(a_stream_that_begins_again_is_not_taken_for_the_old_one) {
    end(5, &nobody, 0);
    struct ms_journal_place later = {1, 2000};
    ck_assert(!ms_journal_is_done(journal, &later));
}
END_TEST

/* Killed when message 6 was about to be put into a slot like this. */
static void die_before_it_is_put(int64_t created_ns, uint64_t received) {
    mailslot_info before = slot_of(created_ns, received);
    begin(6, &before);
    begin_life();
    ck_assert(is_doing(6));
    ck_assert(!is_done(6));
    ck_assert(ms_journal_is_open_question(journal));
}

/* What the next life settles, seeing a slot like this. */
static bool settle(int64_t created_ns, uint64_t received) {
    mailslot_info info = slot_of(created_ns, received);
    ms_journal_settle(journal, &info);
    ck_assert(!ms_journal_is_open_question(journal));
    return ms_journal_has_arrived(journal);
}

START_TEST(a_message_has_arrived_only_if_its_slot_shows_it) {
    end(5, &nobody, 0);
    die_before_it_is_put(77, 10);
    ck_assert(!settle(77, 10));
    die_before_it_is_put(77, 10);
    ck_assert(settle(77, 11));
}
END_TEST

START_TEST(another_life_of_the_slot_shows_nothing) {
    for (uint64_t received = 0; received < 20; received++) {
        die_before_it_is_put(77, 10);
        ck_assert(!settle(78, received));
    }
    die_before_it_is_put(77, 10);
    ms_journal_settle(journal, NULL);
    ck_assert(!ms_journal_is_open_question(journal));
    ck_assert(!ms_journal_has_arrived(journal));
}
END_TEST

START_TEST(a_slot_that_has_forgotten_what_it_counted_shows_that_it_had) {
    die_before_it_is_put(77, 10);
    ck_assert(settle(77, 0));
}
END_TEST

START_TEST(what_is_settled_stays_so_in_the_next_life) {
    for (uint64_t received = 10; received < 12; received++) {
        die_before_it_is_put(77, 10);
        bool has_arrived = settle(77, received);
        begin_life();
        ck_assert(is_doing(6));
        ck_assert(!ms_journal_is_open_question(journal));
        ck_assert(ms_journal_has_arrived(journal) == has_arrived);
    }
}
END_TEST

START_TEST(a_message_that_is_tried_again_is_a_question_again) {
    die_before_it_is_put(77, 10);
    ck_assert(!settle(77, 10));
    die_before_it_is_put(77, 20);
    ck_assert(settle(77, 21));
}
END_TEST

START_TEST(a_message_that_was_refused_is_on_its_way_no_more) {
    mailslot_info before = slot_of(77, 10);
    begin(6, &before);
    ms_journal_cancel(journal);
    begin_life();
    ck_assert(!is_doing(6));
    ck_assert(!is_done(6));
}
END_TEST

START_TEST(repetitions_of_a_writer_are_known) {
    ck_assert(!ms_journal_knows(journal, &alpha, 1));
    end(5, &alpha, 41);
    begin_life();
    ck_assert(ms_journal_knows(journal, &alpha, 41));
    ck_assert(ms_journal_knows(journal, &alpha, 40));
    ck_assert(!ms_journal_knows(journal, &alpha, 42));
    struct ms_journal_writer other = {{1, 2, 4}};
    ck_assert(!ms_journal_knows(journal, &other, 41));
    ck_assert(!ms_journal_knows(journal, &nobody, 0));
}
END_TEST

START_TEST(of_many_writers_the_one_silent_for_longest_is_forgotten) {
    end(1, &alpha, 7);
    for (uint64_t i = 1; i < 128; i++) {
        struct ms_journal_writer other = {{100 + i, 0, 0}};
        end(1 + i, &other, i);
    }
    ck_assert(ms_journal_knows(journal, &alpha, 7));
    struct ms_journal_writer last = {{1000, 0, 0}};
    end(1000, &last, 1);
    ck_assert(!ms_journal_knows(journal, &alpha, 7));
    ck_assert(ms_journal_knows(journal, &last, 1));
    struct ms_journal_writer second = {{101, 0, 0}};
    ck_assert(ms_journal_knows(journal, &second, 1));
}
END_TEST

START_TEST(a_file_that_is_no_journal_becomes_one) {
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(fprintf(file, "something else"), 0);
    ck_assert_int_eq(fclose(file), 0);
    begin_life();
    ck_assert(!is_done(1));
    end(1, &nobody, 0);
    ck_assert(is_done(1));
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "journal");
    tcase_add_checked_fixture(cases, make_path, remove_path);
    tcase_add_test(cases, what_is_done_stays_so_in_the_next_life);
    tcase_add_test(cases, a_stream_that_begins_again_is_not_taken_for_the_old_one);
    tcase_add_test(cases, a_message_has_arrived_only_if_its_slot_shows_it);
    tcase_add_test(cases, another_life_of_the_slot_shows_nothing);
    tcase_add_test(cases, a_slot_that_has_forgotten_what_it_counted_shows_that_it_had);
    tcase_add_test(cases, what_is_settled_stays_so_in_the_next_life);
    tcase_add_test(cases, a_message_that_is_tried_again_is_a_question_again);
    tcase_add_test(cases, a_message_that_was_refused_is_on_its_way_no_more);
    tcase_add_test(cases, repetitions_of_a_writer_are_known);
    tcase_add_test(cases, of_many_writers_the_one_silent_for_longest_is_forgotten);
    tcase_add_test(cases, a_file_that_is_no_journal_becomes_one);
    return suite_run(suite);
}
