/* SPDX-License-Identifier: MIT */
/* The owner's side of the queue: show, release, forget, rewind. */
#include "ring.h"

#include <errno.h>

static void send_three(struct ring *ring) {
    ck_assert_int_eq(ring_send(ring, 1, 10), 0);
    ck_assert_int_eq(ring_send(ring, 2, 20), 0);
    ck_assert_int_eq(ring_send(ring, 3, 30), 0);
}

START_TEST(an_empty_queue_shows_nothing) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    mailslot_message message = {.size = 77};
    ck_assert_int_eq(ms_reader_show(&ring.reader, &message), -EAGAIN);
    ck_assert_uint_eq(message.size, 77);
    ring_fini(&ring);
}
END_TEST

/* Case 46. */
START_TEST(messages_are_shown_one_after_another_with_their_sequence) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    send_three(&ring);
    for (uint64_t i = 1; i <= 3; i++) {
        mailslot_message message;
        ck_assert_int_eq(ms_reader_show(&ring.reader, &message), 0);
        ck_assert_uint_eq(message.sequence, i);
        ck_assert_uint_eq(message.size, i * 10);
    }
    mailslot_message message;
    ck_assert_int_eq(ms_reader_show(&ring.reader, &message), -EAGAIN);
    ring_fini(&ring);
}
END_TEST

START_TEST(what_is_shown_stays_queued_until_it_is_released) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    send_three(&ring);
    ring_show(&ring, 1, 10);
    ring_show(&ring, 2, 20);
    ring_check(&ring);
    ring_expect(&ring, 3, 60, 10);
    ck_assert(!ms_reader_is_empty(&ring.reader));
    ms_reader_release(&ring.reader);
    ring_check(&ring);
    ring_expect(&ring, 1, 30, 30);
    ring_read(&ring, 3, 30);
    ring_check(&ring);
    ck_assert(ms_reader_is_empty(&ring.reader));
    ring_fini(&ring);
}
END_TEST

START_TEST(what_is_forgotten_is_shown_again) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    send_three(&ring);
    ring_read(&ring, 1, 10);
    ring_show(&ring, 2, 20);
    ring_show(&ring, 3, 30);
    ms_reader_forget(&ring.reader);
    ring_check(&ring);
    ring_expect(&ring, 2, 50, 20);
    ring_show(&ring, 2, 20);
    ms_reader_release(&ring.reader);
    ring_expect(&ring, 1, 30, 30);
    ring_fini(&ring);
}
END_TEST

START_TEST(to_release_or_forget_nothing_changes_nothing) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    send_three(&ring);
    for (int i = 0; i < 3; i++) {
        uint64_t head = atomic_load(&ring.header->head);
        ms_reader_release(&ring.reader);
        ms_reader_forget(&ring.reader);
        ck_assert_uint_eq(atomic_load(&ring.header->head), head);
        ring_check(&ring);
        ring_read(&ring, (uint64_t)i + 1, (uint32_t)(i + 1) * 10);
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(a_message_that_comes_while_others_are_shown_is_shown_after_them) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    send_three(&ring);
    for (uint32_t i = 1; i <= 3; i++) {
        ring_show(&ring, i, i * 10);
    }
    ck_assert(!ms_reader_has_message(&ring.reader));
    ck_assert_int_eq(ring_send(&ring, 4, 40), 0);
    ck_assert(ms_reader_has_message(&ring.reader));
    ring_show(&ring, 4, 40);
    ms_reader_release(&ring.reader);
    ring_check(&ring);
    ring_expect(&ring, 0, 0, MAILSLOT_NO_MESSAGE);
    ring_fini(&ring);
}
END_TEST

START_TEST(a_second_look_sees_what_has_come_since_and_how_much) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    ck_assert_int_eq(ring_send(&ring, 1, 10), 0);
    ck_assert(ms_reader_has_message(&ring.reader));
    ck_assert_uint_eq(ms_reader_look_again(&ring.reader), 0);
    ck_assert_int_eq(ring_send(&ring, 2, 20), 0);
    ck_assert_int_eq(ring_send(&ring, 3, 30), 0);
    ck_assert_uint_eq(ms_reader_look_again(&ring.reader),
                      ms_record_extent(20) + ms_record_extent(30));
    ring_read(&ring, 1, 10);
    ring_read(&ring, 2, 20);
    ring_read(&ring, 3, 30);
    ring_fini(&ring);
}
END_TEST

START_TEST(a_tail_that_was_overwritten_takes_away_nothing_that_was_seen) {
    static const uint64_t tails[] = {0, 8, UINT64_MAX - 7, UINT64_C(1) << 40};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct ring ring;
        ring_init(&ring, 4096, 0);
        ck_assert_int_eq(ring_send(&ring, 1, 10), 0);
        ck_assert(ms_reader_has_message(&ring.reader));
        atomic_store(&ring.header->tail, tails[i]);
        ck_assert_uint_eq(ms_reader_look_again(&ring.reader), 0);
        mailslot_message message;
        ck_assert_int_eq(ms_reader_show(&ring.reader, &message), 0);
        ck_assert_uint_eq(message.size, 10);
        ring_fini(&ring);
    }
}
END_TEST

START_TEST(shown_messages_are_not_overwritten_before_they_are_released) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    uint64_t seed = 0;
    while (ring_send(&ring, seed, 488) == 0) {
        seed++;
    }
    ring_show(&ring, 0, 488);
    ring_show(&ring, 1, 488);
    ck_assert_int_eq(ring_send(&ring, seed, 488), -EAGAIN);
    ms_reader_forget(&ring.reader);
    ring_show(&ring, 0, 488);
    ms_reader_release(&ring.reader);
    ck_assert_int_eq(ring_send(&ring, seed, 488), 0);
    ck_assert_int_eq(ring_send(&ring, seed + 1, 488), -EAGAIN);
    for (uint64_t i = 1; i <= seed; i++) {
        ring_read(&ring, i, 488);
        ring_check(&ring);
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(a_rewind_goes_on_at_the_start_of_the_ring) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    for (uint64_t offset = 8; offset < 4096; offset += 8) {
        uint64_t lap = 4096 * (offset + 1);
        ring_move(&ring, lap + offset);
        ms_reader_rewind(&ring.reader);
        ring_check(&ring);
        ring_expect(&ring, 0, 0, MAILSLOT_NO_MESSAGE);
        ck_assert_uint_eq(ms_position(atomic_load(&ring.header->head)), lap + 4096);
        ck_assert_uint_eq(ms_position(atomic_load(&ring.header->tail)), lap + 4096);
        ck_assert_uint_eq(ms_reader_free(&ring.reader), 4096);
        ck_assert_int_eq(ring_send(&ring, offset, 100), 0);
        ring_check(&ring);
        ring_read(&ring, offset, 100);
        ring_check(&ring);
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(a_rewind_keeps_the_totals_and_the_sequence) {
    struct ring ring;
    ring_init(&ring, 4096, 0);
    send_three(&ring);
    ring_read(&ring, 1, 10);
    ring_read(&ring, 2, 20);
    ring_read(&ring, 3, 30);
    ms_reader_rewind(&ring.reader);
    struct ms_status status;
    ck_assert_int_eq(ms_queue_status(&ring.queue, NULL, NULL, &status), 0);
    ck_assert_uint_eq(status.received, 3);
    ck_assert_int_eq(ring_send(&ring, 4, 40), 0);
    mailslot_message message;
    ck_assert_int_eq(ms_reader_show(&ring.reader, &message), 0);
    ck_assert_uint_eq(message.sequence, 4);
    ring_fini(&ring);
}
END_TEST

/* The model that the queue is compared with: seeds and sizes in order. */
struct model {
    uint64_t seeds[1024];
    uint32_t sizes[1024];
    size_t first, shown, end;
};

static uint32_t next_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static void act(struct ring *ring, struct model *model, uint32_t choice,
                uint32_t size) {
    if (choice < 5) {
        if (ring_send(ring, size, size) == 0) {
            model->seeds[model->end % 1024] = size;
            model->sizes[model->end++ % 1024] = size;
        }
    } else if (choice < 8) {
        if (model->shown < model->end) {
            ring_show(ring, model->seeds[model->shown % 1024],
                      model->sizes[model->shown % 1024]);
            model->shown++;
        }
    } else if (choice == 8) {
        ms_reader_release(&ring->reader);
        model->first = model->shown;
    } else if (choice == 9) {
        ms_reader_forget(&ring->reader);
        model->shown = model->first;
    } else if (model->first == model->end) {
        ms_reader_rewind(&ring->reader);
    }
}

static uint64_t model_bytes(const struct model *model) {
    uint64_t bytes = 0;
    for (size_t i = model->first; i < model->end; i++) {
        bytes += model->sizes[i % 1024];
    }
    return bytes;
}

START_TEST(any_mix_of_calls_does_what_a_plain_list_would_do) {
    struct ring ring;
    ring_init(&ring, 8192, 0);
    struct model model = {0};
    uint64_t random = (uint64_t)_i + 1;
    for (int i = 0; i < 30000; i++) {
        uint32_t choice = next_random(&random) % 11;
        uint32_t size_max = next_random(&random) % 8 ? 200 : 4072;
        act(&ring, &model, choice, next_random(&random) % size_max);
        ring_check(&ring);
        bool is_empty = model.first == model.end;
        ring_expect(&ring, model.end - model.first, model_bytes(&model),
                    is_empty ? MAILSLOT_NO_MESSAGE : model.sizes[model.first % 1024]);
        HOLDS(ms_reader_is_empty(&ring.reader) == is_empty);
    }
    ck_assert_uint_gt(ring.reader.head / 8192, 20); /* laps */
    ring_fini(&ring);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "reader");
    tcase_add_test(cases, an_empty_queue_shows_nothing);
    tcase_add_test(cases, messages_are_shown_one_after_another_with_their_sequence);
    tcase_add_test(cases, what_is_shown_stays_queued_until_it_is_released);
    tcase_add_test(cases, what_is_forgotten_is_shown_again);
    tcase_add_test(cases, to_release_or_forget_nothing_changes_nothing);
    tcase_add_test(cases,
                   a_message_that_comes_while_others_are_shown_is_shown_after_them);
    tcase_add_test(cases, a_second_look_sees_what_has_come_since_and_how_much);
    tcase_add_test(cases, a_tail_that_was_overwritten_takes_away_nothing_that_was_seen);
    tcase_add_test(cases, shown_messages_are_not_overwritten_before_they_are_released);
    tcase_add_test(cases, a_rewind_goes_on_at_the_start_of_the_ring);
    tcase_add_test(cases, a_rewind_keeps_the_totals_and_the_sequence);
    tcase_add_loop_test(cases, any_mix_of_calls_does_what_a_plain_list_would_do, 0, 4);
    return suite_run(suite);
}
