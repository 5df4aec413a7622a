/* SPDX-License-Identifier: MIT */
/* The queue: its shape, where messages go, and what it says about itself. */
#include "ring.h"

#include <errno.h>

#define KIB UINT64_C(1024)
#define TIB (UINT64_C(1) << 40)

START_TEST(a_capacity_is_rounded_up_to_what_the_ring_needs) {
    static const struct {
        uint64_t max_bytes;
        uint32_t max_message_size;
        uint64_t capacity;
    } cases[] = {
        {1, 0, 4096},
        {4096, 0, 4096},
        {4097, 0, 8192},
        {8192, 0, 8192},
        {100000, 0, 128 * KIB},
        {TIB, 0, TIB},
        {TIB - 1, 0, TIB},
        /* Twice the record of the largest message: its 24 bytes, rounded up to 8, and 8
         * of another user. */
        {1, 2016, 4096},
        {1, 2017, 8192},
        {4096, 4064, 8192},
        {4096, 4065, 16384},
        {1, UINT32_MAX, UINT64_C(1) << 34},
        {UINT64_C(1) << 35, UINT32_MAX, UINT64_C(1) << 35},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_uint_eq(
            ms_queue_capacity(cases[i].max_bytes, cases[i].max_message_size),
            cases[i].capacity);
    }
}
END_TEST

START_TEST(a_new_queue_is_empty_and_keeps_the_invariants) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    ring_check(&ring);
    ring_expect(&ring, 0, 0, MAILSLOT_NO_MESSAGE);
    ck_assert(!ms_reader_has_message(&ring.reader));
    ck_assert(ms_reader_is_empty(&ring.reader));
    ck_assert_uint_eq(ms_reader_free(&ring.reader), 4096);
    ring_fini(&ring);
}
END_TEST

START_TEST(the_size_limit_is_what_was_asked_for_or_half_the_ring) {
    static const struct {
        uint32_t max_message_size;
        uint64_t limit;
    } cases[] = {{0, 2016}, {1, 1}, {2016, 2016}, {2017, 2016}, {UINT32_MAX, 2016}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ring ring;
        ring_init(&ring, 4096, cases[i].max_message_size);
        ck_assert_uint_eq(ring.queue.size_limit, cases[i].limit);
        ring_fini(&ring);
    }
}
END_TEST

/* What fits 32 bits may not need more of them for its padding, nor look like "none". */
START_TEST(the_size_limit_of_a_huge_ring_leaves_room_in_32_bits) {
    struct ms_header header = {.max_message_size = UINT32_MAX};
    for (unsigned bits = 33; bits <= 40; bits++) {
        struct ms_queue queue;
        ms_queue_attach(&queue, &header, UINT64_C(1) << bits);
        uint64_t padding_max = ms_record_extent(queue.size_limit);
        ck_assert_uint_le(padding_max - MS_PADDING_SIZE, UINT32_MAX);
        ck_assert_uint_lt(queue.size_limit, MAILSLOT_NO_MESSAGE);
    }
}
END_TEST

/* The largest record there may be, with its tail where it needs most padding. */
START_TEST(the_padding_before_a_message_and_its_host_fits_32_bits) {
    for (unsigned bits = 12; bits <= 40; bits++) {
        struct ms_header header = {.max_message_size = 0};
        struct ms_queue queue;
        struct ms_claim claim;
        uint64_t wanted;
        uint64_t capacity = UINT64_C(1) << bits;
        uint64_t size = ms_queue_room(capacity) + MS_IDENTITY_SIZE;
        uint64_t start = capacity - (ms_record_extent(size) - 8);
        ms_queue_attach(&queue, &header, capacity);
        atomic_store(&header.head, start);
        atomic_store(&header.tail, start);
        ck_assert_int_eq(ms_queue_claim(&queue, size, &claim, &wanted), 0);
        ck_assert_uint_eq(claim.padding, capacity - start);
        ck_assert_uint_eq(ms_queue_padding(&claim) >> 32, MS_KIND_PADDING);
    }
}
END_TEST

/* Also with the user and group of another sender. */
START_TEST(a_message_of_the_size_limit_fits_an_empty_queue_wherever_its_tail_is) {
    const struct ms_origin other = {.uid = 7, .gid = 8, .size = MS_IDENTITY_SIZE};
    struct ring ring;
    ring_init(&ring, 4096, 0);
    for (uint64_t offset = 0; offset < 4096; offset += 8) {
        ring_move(&ring, 4096 * (1 + offset) + offset);
        ck_assert_int_eq(ring_send(&ring, offset, 2016), 0);
        ring_check(&ring);
        ring_read(&ring, offset, 2016);
        ring_check(&ring);
        ring_move(&ring, 4096 * (1 + offset) + offset);
        ck_assert_int_eq(ring_send_from(&ring, offset, 2016, &other), 0);
        ring_check(&ring);
        ring_show_any(&ring, offset, 2016);
        ms_reader_release(&ring.reader);
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(each_message_counts_in_totals_and_status) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    static const uint32_t sizes[] = {1, 2, 0, 100, 7, 8, 9};
    uint64_t bytes = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ck_assert_int_eq(ring_send(&ring, i, sizes[i]), 0);
        bytes += sizes[i];
        ring_check(&ring);
        ring_expect(&ring, i + 1, bytes, sizes[0]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ms_status status;
        ck_assert_int_eq(ms_queue_status(&ring.queue, NULL, NULL, &status), 0);
        ck_assert_uint_eq(status.next_size, sizes[i]);
        ck_assert_uint_eq(status.received, 7);
        ring_read(&ring, i, sizes[i]);
        ring_check(&ring);
    }
    ring_expect(&ring, 0, 0, MAILSLOT_NO_MESSAGE);
    ring_fini(&ring);
}
END_TEST

/* Case 70. */
START_TEST(an_empty_message_is_told_apart_from_no_message) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    ck_assert_int_eq(ring_send(&ring, 1, 0), 0);
    ring_expect(&ring, 1, 0, 0);
    ring_read(&ring, 1, 0);
    ring_expect(&ring, 0, 0, MAILSLOT_NO_MESSAGE);
    ring_fini(&ring);
}
END_TEST

/* One message of that size with the tail at that offset: what goes where. */
static void check_wrap(struct ring *ring, uint64_t offset, uint32_t size) {
    uint64_t start = UINT64_C(0x1000000000) + offset;
    ring_move(ring, start);
    struct ms_claim claim;
    uint64_t wanted;
    ck_assert_int_eq(ms_queue_claim(&ring->queue, size, &claim, &wanted), 0);
    uint64_t extent = (24 + size + 7) / 8 * 8;
    uint64_t padding = offset + extent > 8192 ? 8192 - offset : 0;
    ck_assert_uint_eq(claim.start, start);
    ck_assert_uint_eq(claim.padding, padding);
    ck_assert_uint_eq(claim.end, start + padding + extent);
    ck_assert_int_eq(ring_send(ring, offset, size), 0);
    ring_check(ring);
    ck_assert_int_eq(ring_send(ring, offset + 1, 3), 0);
    ring_check(ring);
    ring_expect(ring, 2, size + UINT64_C(3), size);
    ring_read(ring, offset, size);
    ring_check(ring);
    ring_read(ring, offset + 1, 3);
    ck_assert(ms_reader_is_empty(&ring->reader));
    ring_check(ring);
}

START_TEST(padding_fills_the_ring_to_its_end_at_every_alignment_of_the_tail) {
    static const uint32_t sizes[] = {0, 1, 7, 8, 9, 200, 1000, 2016, 3000};
    struct ring ring;
    ring_init(&ring, 8192, 0);
    for (uint64_t offset = 0; offset < 8192; offset += 8) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            check_wrap(&ring, offset, sizes[i]);
        }
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(a_message_that_ends_with_the_ring_needs_no_padding) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    ring_move(&ring, 4096 - 1024);
    ck_assert_int_eq(ring_send(&ring, 1, 1000), 0);
    ck_assert_uint_eq(atomic_load(&ring.header->tail) & ~UINT64_C(7), 4096);
    ck_assert_int_eq(ring_send(&ring, 2, 1000), 0);
    ring_check(&ring);
    ring_read(&ring, 1, 1000);
    ring_read(&ring, 2, 1000);
    ring_fini(&ring);
}
END_TEST

START_TEST(a_queue_can_be_filled_to_the_last_byte) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    for (uint64_t i = 0; i < 4; i++) {
        ck_assert_int_eq(ring_send(&ring, i, 1024 - 24), 0);
        ring_check(&ring);
    }
    ck_assert_uint_eq(ms_reader_free(&ring.reader), 0);
    ck_assert_int_eq(ring_send(&ring, 4, 0), -EAGAIN);
    ring_check(&ring);
    ring_expect(&ring, 4, UINT64_C(4) * 1000, 1000);
    for (uint64_t i = 0; i < 4; i++) {
        ring_read(&ring, i, 1000);
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(a_refused_message_changes_nothing) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    ring_move(&ring, 3000);
    ck_assert_int_eq(ring_send(&ring, 1, 2000), 0);
    ck_assert_int_eq(ring_send(&ring, 2, 900), 0);
    size_t size = MS_RING_OFFSET + 4096;
    void *before = malloc(size);
    ck_assert_ptr_nonnull(before);
    memcpy(before, ring.header, size);
    ck_assert_int_eq(ring_send(&ring, 3, 64), -EAGAIN);
    ck_assert_mem_eq(before, ring.header, size);
    free(before);
    ring_fini(&ring);
}
END_TEST

/* Full means: less free than padding and record take. Exactly so much is enough. */
START_TEST(a_full_queue_says_how_many_free_bytes_are_wanted) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    for (uint64_t offset = 0; offset < 4096; offset += 8) {
        ring_move(&ring, 8192 + offset);
        uint64_t queued = 0;
        while (ring_send(&ring, queued, 72) == 0) {
            queued++;
        }
        struct ms_claim claim = {0};
        uint64_t wanted = 0;
        ck_assert_int_eq(ms_queue_claim(&ring.queue, 500, &claim, &wanted), -EAGAIN);
        ck_assert_uint_eq(claim.end, 0);
        ck_assert_uint_gt(wanted, ms_reader_free(&ring.reader));
        for (uint64_t i = 0; ms_reader_free(&ring.reader) < wanted; i++) {
            ck_assert_int_eq(ring_send(&ring, 0, 500), -EAGAIN);
            ring_read(&ring, i, 72);
        }
        ck_assert_int_eq(ring_send(&ring, 7, 500), 0);
        ring_check(&ring);
        while (!ms_reader_is_empty(&ring.reader)) {
            mailslot_message message;
            ck_assert_int_eq(ms_reader_show(&ring.reader, &message), 0);
            ms_reader_release(&ring.reader);
        }
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(positions_beyond_32_bits_are_as_good_as_small_ones) {
    static const uint64_t laps[] = {0,
                                    1,
                                    UINT64_C(1) << 20,
                                    (UINT64_C(1) << 32) - 4096,
                                    UINT64_C(1) << 50,
                                    UINT64_C(1) << 62};
    struct ring ring;
    ring_init(&ring, 8192, 0);
    for (size_t i = 0; i < sizeof laps / sizeof *laps; i++) {
        ring_move(&ring, laps[i] / 8192 * 8192 + 4000);
        for (uint64_t seed = 0; seed < 100; seed++) {
            ck_assert_int_eq(ring_send(&ring, seed, 999), 0);
            ck_assert_int_eq(ring_send(&ring, seed, 77), 0);
            ring_check(&ring);
            ring_read(&ring, seed, 999);
            ring_read(&ring, seed, 77);
        }
    }
    ring_fini(&ring);
}
END_TEST

/* Nobody comes there by himself, but a wild write does: it may not hold up a writer. */
START_TEST(positions_go_on_beyond_64_bits) {
    struct ring ring;
    ring_init(&ring, 8192, 0);
    for (uint64_t before = 8; before < 2048; before += 8) {
        ring_move(&ring, UINT64_MAX - before + 1);
        ck_assert_int_eq(ring_send(&ring, before, 100), 0);
        ck_assert_int_eq(ring_send(&ring, before, 1000), 0);
        ring_read(&ring, before, 100);
        ring_read(&ring, before, 1000);
    }
    ring_fini(&ring);
}
END_TEST

/* The reader counts in 64 bits, records carry 32 of them (layout I5). */
START_TEST(the_sequence_goes_on_beyond_32_bits) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    uint64_t count = UINT32_MAX - UINT64_C(2);
    atomic_store(&ring.header->sent[0].count, count);
    atomic_store(&ring.header->taken[0].count, count);
    ring.reader.count = count;
    for (uint64_t i = 1; i <= 5; i++) {
        ck_assert_int_eq(ring_send(&ring, i, 10), 0);
        ring_check(&ring);
        mailslot_message message;
        ck_assert_int_eq(ms_reader_show(&ring.reader, &message), 0);
        ck_assert_uint_eq(message.sequence, count + i);
        ms_reader_release(&ring.reader);
    }
    ring_fini(&ring);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "queue");
    tcase_add_test(cases, a_capacity_is_rounded_up_to_what_the_ring_needs);
    tcase_add_test(cases, a_new_queue_is_empty_and_keeps_the_invariants);
    tcase_add_test(cases, the_size_limit_is_what_was_asked_for_or_half_the_ring);
    tcase_add_test(cases, the_size_limit_of_a_huge_ring_leaves_room_in_32_bits);
    tcase_add_test(cases, the_padding_before_a_message_and_its_host_fits_32_bits);
    tcase_add_test(
        cases, a_message_of_the_size_limit_fits_an_empty_queue_wherever_its_tail_is);
    tcase_add_test(cases, each_message_counts_in_totals_and_status);
    tcase_add_test(cases, an_empty_message_is_told_apart_from_no_message);
    tcase_add_test(cases,
                   padding_fills_the_ring_to_its_end_at_every_alignment_of_the_tail);
    tcase_add_test(cases, a_message_that_ends_with_the_ring_needs_no_padding);
    tcase_add_test(cases, a_queue_can_be_filled_to_the_last_byte);
    tcase_add_test(cases, a_refused_message_changes_nothing);
    tcase_add_test(cases, a_full_queue_says_how_many_free_bytes_are_wanted);
    tcase_add_test(cases, positions_beyond_32_bits_are_as_good_as_small_ones);
    tcase_add_test(cases, positions_go_on_beyond_64_bits);
    tcase_add_test(cases, the_sequence_goes_on_beyond_32_bits);
    return suite_run(suite);
}
