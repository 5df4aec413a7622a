/* SPDX-License-Identifier: MIT */
/* Damage: bytes in a region are input, and what cannot be is -EBADMSG. */
#include "ring.h"

#include <errno.h>

#define CAPACITY 4096
#define FILE_SIZE (MS_HEADER_SIZE + (uint64_t)CAPACITY)

/* A field of the header with a value that it cannot have. */
static const struct {
    size_t offset;
    size_t size;
    uint64_t value;
} header_damages[] = {
    {offsetof(struct ms_header, magic), 8, 0},
    {offsetof(struct ms_header, magic), 8, MS_MAGIC + 1},
    {offsetof(struct ms_header, magic), 8, UINT64_C(0x4d41494c534c4f54)},
    {offsetof(struct ms_header, version), 4, 0},
    {offsetof(struct ms_header, version), 4, MS_VERSION + 1},
    {offsetof(struct ms_header, record_size), 4, 0},
    {offsetof(struct ms_header, record_size), 4, MS_RECORD_SIZE + 8},
    {offsetof(struct ms_header, capacity), 8, 0},
    {offsetof(struct ms_header, capacity), 8, 2048},
    {offsetof(struct ms_header, capacity), 8, 4095},
    {offsetof(struct ms_header, capacity), 8, 4104},
    {offsetof(struct ms_header, capacity), 8, 8192},
    {offsetof(struct ms_header, capacity), 8, UINT64_C(1) << 41},
    {offsetof(struct ms_header, capacity), 8, UINT64_MAX},
};

START_TEST(a_header_with_an_impossible_field_is_damaged) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    unsigned char *field = (unsigned char *)ring.header + header_damages[_i].offset;
    memcpy(field, &header_damages[_i].value, header_damages[_i].size);
    ck_assert_int_eq(ms_queue_check(ring.header, FILE_SIZE), -EBADMSG);
    ring_fini(&ring);
}
END_TEST

/* Each capacity with the file size that would go with it. */
START_TEST(a_capacity_is_damaged_even_if_the_file_is_as_large) {
    static const uint64_t capacities[] = {0,    1,    2048,  4095,
                                          4104, 6144, 12288, UINT64_C(1) << 41};
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        ring.header->capacity = capacities[i];
        ck_assert_int_eq(ms_queue_check(ring.header, MS_HEADER_SIZE + capacities[i]),
                         -EBADMSG);
    }
    ring_fini(&ring);
}
END_TEST

START_TEST(a_header_whose_file_has_another_size_is_damaged) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    ck_assert_int_eq(ms_queue_check(ring.header, FILE_SIZE), 0);
    ck_assert_int_eq(ms_queue_check(ring.header, FILE_SIZE - 1), -EBADMSG);
    ck_assert_int_eq(ms_queue_check(ring.header, FILE_SIZE + 1), -EBADMSG);
    ck_assert_int_eq(ms_queue_check(ring.header, FILE_SIZE * 2), -EBADMSG);
    ck_assert_int_eq(ms_queue_check(ring.header, 0), -EBADMSG);
    ring_fini(&ring);
}
END_TEST

/*
 * The queue that is damaged: three messages, head at START. The third does not fit
 * before the end of the ring, so padding precedes it.
 */
#define START (UINT64_C(10) * CAPACITY + 1992)
#define FIRST START
#define SECOND (START + 1024)
#define PADDING (START + 2048)
#define THIRD (UINT64_C(11) * CAPACITY)
#define TAIL (THIRD + 1024)
_Static_assert(THIRD - PADDING == 56, "the padding of the example");

static void build(struct ring *ring) {
    ring_init(ring, CAPACITY, 0);
    ring_move(ring, START);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        ck_assert_int_eq(ring_send(ring, seed, 1000), 0);
    }
    ring_check(ring);
    ck_assert_uint_eq(ms_position(atomic_load(&ring->header->tail)), TAIL);
}

static void *at(const struct ring *ring, uint64_t position) {
    return ring->queue.ring + position % CAPACITY;
}

static uint64_t control(uint64_t kind, uint64_t size) {
    return kind << 32 | size;
}

/* Another first word for the record at that position; `shown` come before it. */
struct damage {
    uint64_t position;
    int shown;
    uint64_t kind;
    uint64_t size;
};

static const struct damage record_damages[] = {
    {FIRST, 0, 0, 0},
    {FIRST, 0, 0, 1000},
    {FIRST, 0, UINT32_MAX, UINT32_MAX},
    {FIRST, 0, MS_KIND_MESSAGE + 1, 1000},
    {FIRST, 0, MS_KIND_MESSAGE | 0x80000000, 1000},
    {FIRST, 0, MS_KIND_MESSAGE, 2081}, /* beyond the end of the ring */
    {FIRST, 0, MS_KIND_MESSAGE, 3105}, /* beyond the tail, too */
    {FIRST, 0, MS_KIND_MESSAGE, CAPACITY},
    {FIRST, 0, MS_KIND_MESSAGE, UINT32_MAX},
    {FIRST, 0, MS_KIND_MESSAGE, UINT32_MAX - 23},
    {FIRST, 0, MS_KIND_MESSAGE | 4 << 16, 1000}, /* an origin of no such size */
    {FIRST, 0, MS_KIND_MESSAGE | 12 << 16, 1000},
    {FIRST, 0, MS_KIND_MESSAGE | 17 << 16, 1000},
    {FIRST, 0, MS_KIND_MESSAGE | 276 << 16, 1000},
    {FIRST, 0, MS_KIND_MESSAGE | 280 << 16, 1000},
    {FIRST, 0, MS_KIND_MESSAGE | 8 << 16, 2080}, /* beyond the end of the ring */
    {FIRST, 0, MS_KIND_MESSAGE | 272 << 16, 1816},
    {FIRST, 0, MS_KIND_MESSAGE | 0xfff8u << 16, 8},
    {FIRST, 0, MS_KIND_PADDING, 0},
    {FIRST, 0, MS_KIND_PADDING, 1024},
    {FIRST, 0, MS_KIND_PADDING, CAPACITY - 8},
    {FIRST, 0, MS_KIND_PADDING, UINT32_MAX},
    {SECOND, 1, MS_KIND_MESSAGE, 1057}, /* beyond the end of the ring */
    {PADDING, 2, MS_KIND_PADDING, 0},
    {PADDING, 2, MS_KIND_PADDING, 40},
    {PADDING, 2, MS_KIND_PADDING, 47},
    {PADDING, 2, MS_KIND_PADDING, 49},
    {PADDING, 2, MS_KIND_PADDING | 8 << 16, 48},
    {PADDING, 2, MS_KIND_PADDING, 56},
    {PADDING, 2, MS_KIND_PADDING, UINT32_MAX},
    {PADDING, 2, MS_KIND_PADDING, 48 + CAPACITY},
    {PADDING, 2, MS_KIND_PADDING + 1, 48},
    {PADDING, 2, MS_KIND_MESSAGE, 48},
    {THIRD, 2, 0, 1000},
    {THIRD, 2, MS_KIND_MESSAGE, 1001}, /* beyond the tail */
    {THIRD, 2, MS_KIND_MESSAGE | 8 << 16, 1000},
    {THIRD, 2, MS_KIND_MESSAGE, CAPACITY - 24},
    {THIRD, 2, MS_KIND_PADDING, 1024},
    {THIRD, 2, MS_KIND_PADDING, CAPACITY - 8}, /* all of the ring */
};

static void show_up_to(struct ring *ring, int count) {
    for (int i = 1; i <= count; i++) {
        ring_show(ring, (uint64_t)i, 1000);
    }
}

START_TEST(a_record_with_an_impossible_control_word_is_damaged) {
    const struct damage *damage = &record_damages[_i];
    struct ring ring;
    build(&ring);
    uint64_t original;
    memcpy(&original, at(&ring, damage->position), sizeof original);
    uint64_t planted = control(damage->kind, damage->size);
    memcpy(at(&ring, damage->position), &planted, sizeof planted);

    show_up_to(&ring, damage->shown);
    mailslot_message message;
    ck_assert_int_eq(ms_reader_show(&ring.reader, &message), -EBADMSG);
    ck_assert_int_eq(ms_reader_show(&ring.reader, &message), -EBADMSG);

    /* It stood still: mended, the queue goes on. */
    memcpy(at(&ring, damage->position), &original, sizeof original);
    for (uint64_t seed = (uint64_t)damage->shown + 1; seed <= 3; seed++) {
        ring_show(&ring, seed, 1000);
    }
    ms_reader_release(&ring.reader);
    ring_check(&ring);
    ring_fini(&ring);
}
END_TEST

/* What goes before the damage can be read; then others see it at the head, too. */
START_TEST(a_status_with_a_damaged_record_at_the_head_is_damaged) {
    const struct damage *damage = &record_damages[_i];
    struct ring ring;
    build(&ring);
    show_up_to(&ring, damage->shown);
    ms_reader_release(&ring.reader);
    ring_expect(&ring, 3 - (uint64_t)damage->shown,
                3000u - 1000u * (unsigned)damage->shown, 1000);
    uint64_t planted = control(damage->kind, damage->size);
    memcpy(at(&ring, damage->position), &planted, sizeof planted);
    struct ms_status status;
    ck_assert_int_eq(ms_queue_status(&ring.queue, NULL, NULL, &status), -EBADMSG);
    ring_fini(&ring);
}
END_TEST

START_TEST(padding_without_a_message_after_it_is_damaged) {
    struct ring ring;
    build(&ring);
    atomic_store(&ring.header->tail, THIRD | (atomic_load(&ring.header->tail) & 1));
    show_up_to(&ring, 2);
    mailslot_message message;
    ck_assert_int_eq(ms_reader_show(&ring.reader, &message), -EBADMSG);
    ring_fini(&ring);
}
END_TEST

/* A tail word that cannot be; bit 0 is no part of the position. */
static const uint64_t tails[] = {
    START + CAPACITY + 8,
    START + CAPACITY + 9,
    START + UINT64_C(2) * CAPACITY,
    START - 8,
    START - CAPACITY,
    0,
    1,
    UINT64_MAX,
    UINT64_MAX - 7,
    TAIL + 2,
    TAIL + 4,
    TAIL + 6,
    TAIL + 7,
    START + 8,
    START + 24,
    START + 1016,
};

START_TEST(a_tail_that_cannot_be_is_damaged) {
    struct ring ring;
    build(&ring);
    atomic_store(&ring.header->tail, tails[_i]);
    mailslot_message message;
    ck_assert_int_eq(ms_reader_show(&ring.reader, &message), -EBADMSG);
    ring_fini(&ring);
}
END_TEST

START_TEST(a_sequence_that_is_not_the_next_one_is_damaged) {
    static const uint32_t sequences[] = {0, 1, 3, UINT32_MAX, 0x80000002};
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        struct ring ring;
        build(&ring);
        struct ms_record *second = at(&ring, SECOND);
        second->sequence = sequences[i];
        ring_show(&ring, 1, 1000);
        mailslot_message message;
        ck_assert_int_eq(ms_reader_show(&ring.reader, &message), -EBADMSG);
        second->sequence = 2;
        ring_show(&ring, 2, 1000);
        ring_fini(&ring);
    }
}
END_TEST

/* A writer finds head and tail: pairs that break I2. */
static const struct {
    uint64_t head;
    uint64_t tail;
} ends[] = {
    {0, CAPACITY + 8},
    {8, 0},
    {0, 2},
    {0, 4},
    {2, 8},
    {4, 8},
    {UINT64_MAX - 7, 16},
    {0, UINT64_MAX},
    {0, UINT64_MAX - 7},
};

START_TEST(a_claim_between_ends_that_cannot_be_is_damaged) {
    struct ring ring;
    ring_init(&ring, CAPACITY, 0);
    atomic_store(&ring.header->head, ends[_i].head);
    atomic_store(&ring.header->tail, ends[_i].tail);
    ring.queue.head = ends[_i].tail + 8; /* so the writer has to look at both */
    struct ms_claim claim;
    uint64_t wanted = 0;
    int r = ms_queue_claim(&ring.queue, 0, &claim, &wanted);
    if (ends[_i].head == UINT64_MAX - 7) {
        ck_assert_int_eq(r, 0); /* 24 bytes are queued: positions are modular */
    } else {
        ck_assert_int_eq(r, -EBADMSG);
    }
    ring_fini(&ring);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "record");
    tcase_add_loop_test(cases, a_header_with_an_impossible_field_is_damaged, 0,
                        COUNT(header_damages));
    tcase_add_test(cases, a_capacity_is_damaged_even_if_the_file_is_as_large);
    tcase_add_test(cases, a_header_whose_file_has_another_size_is_damaged);
    tcase_add_loop_test(cases, a_record_with_an_impossible_control_word_is_damaged, 0,
                        COUNT(record_damages));
    tcase_add_loop_test(cases, a_status_with_a_damaged_record_at_the_head_is_damaged, 0,
                        COUNT(record_damages));
    tcase_add_test(cases, padding_without_a_message_after_it_is_damaged);
    tcase_add_loop_test(cases, a_tail_that_cannot_be_is_damaged, 0, COUNT(tails));
    tcase_add_test(cases, a_sequence_that_is_not_the_next_one_is_damaged);
    tcase_add_loop_test(cases, a_claim_between_ends_that_cannot_be_is_damaged, 0,
                        COUNT(ends));
    return suite_run(suite);
}
