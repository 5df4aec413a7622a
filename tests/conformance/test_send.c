/* SPDX-License-Identifier: MIT */
/* Opening slots and sending to them, one message or several. */
#include "slots.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The smallest slot there is, and the largest message it holds. */
#define SMALL_BYTES 4096
#define SMALL_MESSAGE (SMALL_BYTES / 2 - 32)

START_TEST(case_024_sending_to_nobody_fails_and_creates_nothing) {
    mailslot_writer *writer = UNTOUCHED_WRITER;
    EXPECT(-ENOENT, mailslot_open("nobody", &writer));
    ck_assert_ptr_eq(writer, UNTOUCHED_WRITER);
    EXPECT(-ENOENT, mailslot_send("nobody", "x", 1, 0));
    int64_t start_ms = clock_ms();
    EXPECT(-ENOENT, mailslot_send("nobody", "x", 1, MAILSLOT_FOREVER));
    ck_assert_int_lt(clock_ms() - start_ms, 2000);
    ck_assert_int_eq(registry_files(), 0);
    EXPECT(-EINVAL, mailslot_open("nobody", NULL));
}
END_TEST

START_TEST(case_025_two_hundred_writers_have_one_slot_open) {
    enum { WRITERS = 200 };
    static mailslot_writer *writers[WRITERS];
    mailslot *slot = new_slot_with("many", 0, 0, 1 << 20);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = new_writer("many");
    }
    for (int i = WRITERS - 1; i >= 0; i--) {
        EXPECT(0, mailslot_writer_send(writers[i], &i, sizeof i, 0));
    }
    for (int i = WRITERS - 1; i >= 0; i--) {
        int got = -1;
        size_t size;
        EXPECT(0, mailslot_read(slot, &got, sizeof got, 0, &size));
        ck_assert_int_eq(got, i);
        ck_assert_ptr_null(mailslot_writer_close(writers[i]));
    }
    mailslot_close(slot);
}
END_TEST

START_TEST(case_026_the_owner_may_send_to_itself) {
    mailslot *slot = new_slot("own");
    mailslot_writer *writer = new_writer("own");
    send_text(writer, "to me");
    expect_text(slot, "to me");
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_027_028_a_send_is_whole_and_does_not_wait_for_a_read) {
    mailslot *slot = new_slot("whole");
    static unsigned char message[100000];
    memset(message, 7, sizeof message);
    int64_t start_ms = clock_ms();
    for (int i = 0; i < 100; i++) {
        EXPECT(0, mailslot_send("whole", message, sizeof message, MAILSLOT_FOREVER));
    }
    ck_assert_int_lt(clock_ms() - start_ms, DEADLINE_MS);
    ck_assert_uint_eq(info_of(slot).count, 100);
    ck_assert_uint_eq(info_of(slot).bytes, 100 * sizeof message);
    ck_assert_uint_eq(info_of(slot).next_size, sizeof message);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_029_a_message_of_no_bytes_is_a_message) {
    mailslot *slot = new_slot("empty");
    mailslot_writer *writer = new_writer("empty");
    EXPECT(0, mailslot_writer_send(writer, "", 0, 0));
    EXPECT(0, mailslot_writer_send(writer, NULL, 0, 0));
    EXPECT(0, mailslot_send("empty", NULL, 0, 0));
    expect_count(slot, 3);
    for (int i = 0; i < 3; i++) {
        expect_text(slot, "");
    }
    expect_nothing(slot);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_030_all_bytes_arrive_as_they_were_sent) {
    unsigned char sent[256];
    unsigned char got[256] = {0};
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (unsigned char)i;
    }
    mailslot *slot = new_slot("bytes");
    for (size_t size = 1; size <= sizeof sent; size++) {
        size_t got_size = 0;
        EXPECT(0, mailslot_send("bytes", sent + sizeof sent - size, size, 0));
        EXPECT(0, mailslot_read(slot, got, sizeof got, 0, &got_size));
        ck_assert_uint_eq(got_size, size);
        ck_assert_mem_eq(got, sent + sizeof sent - size, size);
    }
    mailslot_close(slot);
}
END_TEST

START_TEST(case_031_a_message_above_the_maximum_is_refused) {
    mailslot *slot = new_slot_with("ten", 10, 0, 0);
    mailslot_writer *writer = new_writer("ten");
    send_text(writer, "0123456789");
    EXPECT(-EMSGSIZE, mailslot_writer_send(writer, "0123456789a", 11, 0));
    EXPECT(-EMSGSIZE, mailslot_writer_send(writer, "0", SIZE_MAX, MAILSLOT_FOREVER));
    EXPECT(-EMSGSIZE, mailslot_send("ten", "0123456789a", 11, 0));
    expect_count(slot, 1);
    ck_assert_uint_eq(info_of(slot).bytes, 10);
    send_text(writer, "usable");
    expect_text(slot, "0123456789");
    expect_text(slot, "usable");
    expect_nothing(slot);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_032_a_maximum_does_not_refuse_a_message_of_no_bytes) {
    mailslot *slot = new_slot_with("one", 1, 0, 0);
    EXPECT(0, mailslot_send("one", NULL, 0, 0));
    expect_text(slot, "");
    mailslot_close(slot);
}
END_TEST

START_TEST(without_a_maximum_the_largest_message_is_half_the_slot_less_32) {
    static unsigned char message[SMALL_MESSAGE + 1];
    mailslot *slot = new_slot_with("small", 0, 0, SMALL_BYTES);
    EXPECT(0, mailslot_send("small", message, SMALL_MESSAGE, 0));
    EXPECT(-EMSGSIZE, mailslot_send("small", message, SMALL_MESSAGE + 1, 0));
    ck_assert_uint_eq(info_of(slot).next_size, SMALL_MESSAGE);
    mailslot_close(slot);
}
END_TEST

/* Owner and writer both map the slot: a sanitizer may not leave the room. */
static void expect_too_large(mailslot *slot) {
    size_t too_large = ((size_t)4 << 30) - 63;
    int r = mailslot_send("huge", "x", too_large, 0);
    if (r == -ENOMEM && own_memory() > INT64_C(1) << 40) {
        skip("a sanitizer has taken the address space");
    } else {
        EXPECT(-EMSGSIZE, r);
    }
    expect_count(slot, 0);
    mailslot_close(slot);
}

START_TEST(no_slot_accepts_a_message_above_4_gib_less_64) {
    expect_too_large(new_slot_with("huge", 0, 0, UINT64_C(1) << 34));
    expect_too_large(new_slot_with("huge", UINT32_MAX, 0, 0));
}
END_TEST

/* Put the queue anywhere, empty it, and send the largest message. */
static void expect_fit_anywhere(const char *name, mailslot *slot, size_t largest) {
    static unsigned char message[SMALL_BYTES];
    static unsigned char buffer[SMALL_BYTES];
    size_t size;
    for (size_t step = 0; step < 600; step++) {
        EXPECT(0, mailslot_send(name, message, step * 8 % 1000, 0));
        EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
        EXPECT(0, mailslot_send(name, message, largest, 0));
        EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
        ck_assert_uint_eq(size, largest);
    }
}

START_TEST(the_largest_message_fits_wherever_the_queue_stands) {
    mailslot *slot = new_slot_with("half", 0, 0, SMALL_BYTES);
    expect_fit_anywhere("half", slot, SMALL_MESSAGE);
    mailslot_close(slot);
    slot = new_slot_with("told", 2048, 0, SMALL_BYTES);
    expect_fit_anywhere("told", slot, 2048);
    mailslot_close(slot);
}
END_TEST

/* A byte for each place and size, so that a shift or a mix shows. */
static void paint(unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(i * 31 + (i >> 8) * 7 + size);
    }
}

START_TEST(case_018_034_messages_up_to_16_mib_arrive_intact) {
    static const size_t sizes[] = {
        0, 1, 424, 425, 426, 65535, 65536, 65537, (1 << 20) - 1, 1 << 20, 16 << 20,
    };
    size_t capacity = 16 << 20;
    unsigned char *sent = malloc(capacity);
    unsigned char *got = malloc(capacity);
    ck_assert(sent && got);
    mailslot *slot = new_slot("large");
    for (size_t i = 0; i < COUNT(sizes); i++) {
        paint(sent, sizes[i]);
        EXPECT(0, mailslot_send("large", sent, sizes[i], 0));
    }
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t size = UNTOUCHED_SIZE;
        ck_assert_uint_eq(info_of(slot).next_size, sizes[i]);
        EXPECT(0, mailslot_read(slot, got, capacity, 0, &size));
        ck_assert_uint_eq(size, sizes[i]);
        paint(sent, size);
        ck_assert(memcmp(sent, got, size) == 0);
    }
    expect_nothing(slot);
    mailslot_close(slot);
    free(sent);
    free(got);
}
END_TEST

START_TEST(case_039_078_a_slot_is_no_writer) {
    mailslot *slot = new_slot("kind");
    mailslot_writer *wrong = (mailslot_writer *)(void *)slot;
    mailslot_buffer message = {.data = "x", .size = 1};
    size_t sent = UNTOUCHED_SIZE;
    EXPECT(-EBADF, mailslot_writer_send(wrong, "x", 1, 0));
    EXPECT(-EBADF, mailslot_writer_send(wrong, NULL, 0, 0));
    EXPECT(-EBADF, mailslot_writer_send_all(wrong, &message, 1, 0, &sent));
    ck_assert_uint_eq(sent, 0);
    EXPECT(-EBADF, mailslot_writer_get_info(wrong, NULL));
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_040_no_writer_sends_nothing) {
    mailslot *slot = new_slot("closed");
    mailslot_writer *writer = new_writer("closed");
    writer = mailslot_writer_close(writer);
    ck_assert_ptr_null(writer);
    EXPECT(-EBADF, mailslot_writer_send(writer, "x", 1, 0));
    EXPECT(-EBADF, mailslot_writer_send_all(writer, NULL, 0, 0, NULL));
    EXPECT(-EBADF, mailslot_writer_get_info(writer, NULL));
    ck_assert_ptr_null(mailslot_writer_close(writer));
    expect_nothing(slot);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_041_no_data_with_a_size_is_refused) {
    mailslot *slot = new_slot("null");
    mailslot_writer *writer = new_writer("null");
    mailslot_buffer messages[] = {{"a", 1}, {NULL, 1}};
    size_t sent = UNTOUCHED_SIZE;
    EXPECT(-EINVAL, mailslot_writer_send(writer, NULL, 1, 0));
    EXPECT(-EINVAL, mailslot_send("null", NULL, 1, 0));
    EXPECT(-EINVAL, mailslot_writer_send_all(writer, NULL, 1, 0, &sent));
    ck_assert_uint_eq(sent, 0);
    expect_nothing(slot);
    EXPECT(-EINVAL, mailslot_writer_send_all(writer, messages, 2, 0, &sent));
    expect_count(slot, sent);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(timeouts_out_of_range_are_refused) {
    static const int64_t timeouts[] = {MAILSLOT_DEFAULT, -2, INT64_MIN,
                                       (int64_t)MAILSLOT_FOREVER + 1, INT64_MAX};
    mailslot *slot = new_slot("time");
    mailslot_writer *writer = new_writer("time");
    mailslot_buffer message = {.data = "x", .size = 1};
    for (size_t i = 0; i < COUNT(timeouts); i++) {
        size_t sent = UNTOUCHED_SIZE;
        EXPECT(-EINVAL, mailslot_writer_send(writer, "x", 1, timeouts[i]));
        EXPECT(-EINVAL, mailslot_send("time", "x", 1, timeouts[i]));
        EXPECT(-EINVAL,
               mailslot_writer_send_all(writer, &message, 1, timeouts[i], &sent));
        ck_assert_uint_eq(sent, 0);
    }
    expect_nothing(slot);
    EXPECT(0, mailslot_writer_send(writer, "x", 1, (int64_t)MAILSLOT_FOREVER - 1));
    EXPECT(0, mailslot_writer_send(writer, "x", 1, MAILSLOT_FOREVER));
    expect_count(slot, 2);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(case_045_a_send_by_name_is_open_send_and_close) {
    mailslot *slot = new_slot_with("once", 10, 0, 0);
    for (int i = 0; i < 100; i++) {
        EXPECT(0, mailslot_send("once", "hello", 5, 0));
        EXPECT(-EMSGSIZE, mailslot_send("once", "hello world", 11, 0));
    }
    expect_count(slot, 100);
    expect_text(slot, "hello");
    ck_assert_int_eq(registry_descriptors(), 1);
    mailslot_close(slot);
    EXPECT(-ENOENT, mailslot_send("once", "hello", 5, 0));
}
END_TEST

START_TEST(several_messages_are_sent_in_order) {
    mailslot *slot = new_slot("several");
    mailslot_writer *writer = new_writer("several");
    mailslot_buffer messages[] = {{"one", 3}, {NULL, 0}, {"three", 5}};
    size_t sent = UNTOUCHED_SIZE;
    EXPECT(0, mailslot_writer_send_all(writer, messages, 3, 0, &sent));
    ck_assert_uint_eq(sent, 3);
    EXPECT(0, mailslot_writer_send_all(writer, messages, 1, 0, NULL));
    EXPECT(0, mailslot_writer_send_all(writer, messages, 0, 0, &sent));
    ck_assert_uint_eq(sent, 0);
    EXPECT(0, mailslot_writer_send_all(writer, NULL, 0, 0, &sent));
    expect_text(slot, "one");
    expect_text(slot, "");
    expect_text(slot, "three");
    expect_text(slot, "one");
    expect_nothing(slot);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(several_messages_of_more_than_a_turn_are_sent_in_order) {
    enum { MESSAGES = 40, SIZE = 100000 };
    static unsigned char bytes[MESSAGES][SIZE];
    static unsigned char got[SIZE];
    mailslot_buffer messages[MESSAGES];
    for (int i = 0; i < MESSAGES; i++) {
        memset(bytes[i], i, SIZE);
        messages[i] = (mailslot_buffer){.data = bytes[i], .size = SIZE};
    }
    mailslot *slot = new_slot("much");
    mailslot_writer *writer = new_writer("much");
    size_t sent = UNTOUCHED_SIZE;
    EXPECT(0, mailslot_writer_send_all(writer, messages, MESSAGES, 0, &sent));
    ck_assert_uint_eq(sent, MESSAGES);
    for (int i = 0; i < MESSAGES; i++) {
        size_t size;
        EXPECT(0, mailslot_read(slot, got, SIZE, 0, &size));
        ck_assert_mem_eq(got, bytes[i], SIZE);
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
}
END_TEST

START_TEST(the_count_sent_is_the_number_of_the_message_that_failed) {
    mailslot *slot = new_slot_with("some", 10, 0, 0);
    mailslot_writer *writer = new_writer("some");
    mailslot_buffer messages[] = {
        {"a", 1}, {"b", 1}, {"too long for it", 15}, {"d", 1}};
    size_t sent = UNTOUCHED_SIZE;
    EXPECT(-EMSGSIZE, mailslot_writer_send_all(writer, messages, 4, 0, &sent));
    ck_assert_uint_eq(sent, 2);
    expect_text(slot, "a");
    expect_text(slot, "b");
    expect_nothing(slot);
    send_text(writer, "goes on");
    expect_text(slot, "goes on");
    mailslot_close(slot);
    EXPECT(-EPIPE, mailslot_writer_send_all(writer, messages, 2, 0, &sent));
    ck_assert_uint_eq(sent, 0);
    mailslot_writer_close(writer);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("send");
    tcase_add_test(cases, case_024_sending_to_nobody_fails_and_creates_nothing);
    tcase_add_test(cases, case_025_two_hundred_writers_have_one_slot_open);
    tcase_add_test(cases, case_026_the_owner_may_send_to_itself);
    tcase_add_test(cases, case_027_028_a_send_is_whole_and_does_not_wait_for_a_read);
    tcase_add_test(cases, case_029_a_message_of_no_bytes_is_a_message);
    tcase_add_test(cases, case_030_all_bytes_arrive_as_they_were_sent);
    tcase_add_test(cases, case_031_a_message_above_the_maximum_is_refused);
    tcase_add_test(cases, case_032_a_maximum_does_not_refuse_a_message_of_no_bytes);
    tcase_add_test(cases,
                   without_a_maximum_the_largest_message_is_half_the_slot_less_32);
    tcase_add_test(cases, no_slot_accepts_a_message_above_4_gib_less_64);
    tcase_add_test(cases, the_largest_message_fits_wherever_the_queue_stands);
    tcase_add_test(cases, case_018_034_messages_up_to_16_mib_arrive_intact);
    tcase_add_test(cases, case_039_078_a_slot_is_no_writer);
    tcase_add_test(cases, case_040_no_writer_sends_nothing);
    tcase_add_test(cases, case_041_no_data_with_a_size_is_refused);
    tcase_add_test(cases, timeouts_out_of_range_are_refused);
    tcase_add_test(cases, case_045_a_send_by_name_is_open_send_and_close);
    tcase_add_test(cases, several_messages_are_sent_in_order);
    tcase_add_test(cases, several_messages_of_more_than_a_turn_are_sent_in_order);
    tcase_add_test(cases, the_count_sent_is_the_number_of_the_message_that_failed);
    return suite_run();
}
