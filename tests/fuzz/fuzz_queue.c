/* SPDX-License-Identifier: MIT */
/*
 * A region of hostile bytes, seen by the owner, a spectator and a writer. Each gets
 * -EBADMSG, -EAGAIN, or a message that lies within the ring. The locks have tests
 * of their own (unit/test_lock.c).
 *
 * Input: a plan, then bytes for the head page's figures, then bytes for the ring. The
 * plan's actions follow one another; some damage the region while it is read.
 */
#include "queue/queue.h"
#include "queue/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY 4096

struct input {
    const uint8_t *data;
    size_t size;
};

struct region {
    struct ms_header *header;
    struct ms_queue queue;
    struct ms_reader reader;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

/* The next bytes of the input, zeros after its end. */
static void take(struct input *input, void *memory, size_t size) {
    size_t n = size < input->size ? size : input->size;
    memset(memory, 0, size);
    if (n) {
        memcpy(memory, input->data, n);
    }
    input->data += n;
    input->size -= n;
}

static uint64_t take_word(struct input *input) {
    uint64_t word;
    take(input, &word, sizeof word);
    return word;
}

/* A position near another one, so that most regions are nearly right. */
static uint64_t take_near(struct input *input, uint64_t position) {
    uint16_t delta;
    take(input, &delta, sizeof delta);
    return delta == UINT16_MAX ? take_word(input) : position + delta % (CAPACITY + 32);
}

static void damage_figures(struct region *region, struct input *input) {
    struct ms_header *header = region->header;
    atomic_store(&header->tail, take_near(input, region->reader.head));
    for (int i = 0; i < 2; i++) {
        take(input, &header->sent[i], sizeof header->sent[i]);
        take(input, &header->taken[i], sizeof header->taken[i]);
    }
}

/* Some bytes at some place in the ring. */
static void damage_ring(struct region *region, struct input *input) {
    uint16_t where[2];
    take(input, where, sizeof where);
    size_t offset = where[0] % CAPACITY;
    size_t size = where[1] % (CAPACITY - offset + 1);
    take(input, region->queue.ring + offset, size);
}

static void show(struct region *region) {
    mailslot_message message;
    uint64_t cursor = region->reader.cursor;
    int r = ms_reader_show(&region->reader, &message);
    must(r == 0 || r == -EAGAIN || r == -EBADMSG);
    if (r < 0) {
        must(region->reader.cursor == cursor);
        return;
    }
    const unsigned char *data = message.data;
    size_t offset = (size_t)(data - region->queue.ring);
    must(data >= region->queue.ring && offset <= CAPACITY);
    must(message.size <= CAPACITY - offset);
    volatile unsigned char sum = 0;
    for (size_t i = 0; i < message.size; i++) {
        sum = (unsigned char)(sum + data[i]);
    }
    must(region->reader.cursor - region->reader.head <= CAPACITY);
    must(!message.host || strlen(message.host) <= MS_HOST_SIZE_MAX - 2);
    must(!message.host || message.host == region->reader.origin.host + 1);
}

static void look(const struct region *region) {
    struct ms_status status;
    int r = ms_queue_status(&region->queue, NULL, NULL, &status);
    must(r == 0 || r == -EBADMSG);
    if (r == 0) {
        must((status.count == 0) == (status.next_size == MAILSLOT_NO_MESSAGE));
        must(status.count == 0 || status.next_size <= CAPACITY - MS_RECORD_SIZE);
    }
}

/* origin: NULL for the owner's own. */
static void send(struct region *region, struct input *input,
                 const struct ms_origin *origin) {
    unsigned char data[CAPACITY];
    uint16_t size;
    uint16_t origin_size = origin ? origin->size : 0;
    take(input, &size, sizeof size);
    size = (uint16_t)(size % (region->queue.size_limit + 1 - origin_size));
    take(input, data, size);
    struct ms_claim claim;
    uint64_t wanted;
    int r =
        ms_queue_claim(&region->queue, (uint64_t)size + origin_size, &claim, &wanted);
    must(r == 0 || r == -EAGAIN || r == -EBADMSG);
    if (r == 0) {
        struct ms_envelope envelope = {.pid = 1, .origin = origin};
        ms_queue_push(&region->queue, &claim, &envelope, data, size);
    }
}

/* A header as a writer meets it in a file: either refused or safe to use. */
static void check_header(const struct region *region, struct input *input) {
    struct ms_header *copy = aligned_alloc(64, MS_HEADER_SIZE);
    must(copy != NULL);
    memcpy(copy, region->header, MS_HEADER_SIZE);
    take(input, copy, 40);
    uint64_t file_size = take_word(input);
    if (ms_queue_check(copy, file_size) == 0) {
        must(file_size - MS_HEADER_SIZE == copy->capacity);
        must(copy->capacity >= MS_CAPACITY_MIN && copy->capacity <= MS_CAPACITY_MAX);
        struct ms_queue queue;
        ms_queue_attach(&queue, copy, copy->capacity);
        must(ms_record_extent(queue.size_limit) + MS_IDENTITY_SIZE <=
             copy->capacity / 2);
    }
    free(copy);
}

static void act(struct region *region, uint8_t action, struct input *input) {
    static const struct ms_origin other = {.uid = 1, .gid = 2, .size = 8};
    static const struct ms_origin brought = {1, 2, "\0beta.example", 24};
    switch (action % 16) {
    case 0:
        damage_figures(region, input);
        break;
    case 1:
    case 2:
        damage_ring(region, input);
        break;
    case 3:
        atomic_store(&region->header->head, take_near(input, region->reader.head));
        break;
    case 4:
        ms_reader_release(&region->reader);
        break;
    case 5:
        ms_reader_forget(&region->reader);
        break;
    case 6:
        look(region);
        break;
    case 7:
        check_header(region, input);
        break;
    case 8:
        if (ms_reader_is_empty(&region->reader)) {
            ms_reader_rewind(&region->reader);
        }
        break;
    case 9:
        send(region, input, NULL);
        break;
    case 10:
        send(region, input, &other);
        break;
    case 11:
        send(region, input, &brought);
        break;
    default:
        show(region);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct region region;
    region.header = aligned_alloc(64, MS_RING_OFFSET + CAPACITY);
    must(region.header != NULL);
    memset(region.header, 0, MS_RING_OFFSET + CAPACITY);
    ms_queue_init(region.header, CAPACITY, 0);
    ms_queue_attach(&region.queue, region.header, CAPACITY);
    ms_reader_init(&region.reader, region.header, CAPACITY);

    struct input input = {.data = data, .size = size};
    uint8_t plan[32];
    take(&input, plan, sizeof plan);
    uint64_t start = take_word(&input) & ~UINT64_C(7);
    atomic_store(&region.header->tail, start);
    atomic_store(&region.header->head, start);
    region.reader.head = region.reader.cursor = region.reader.tail = start;
    region.queue.head = start;
    for (size_t i = 0; i < sizeof plan; i++) {
        act(&region, plan[i], &input);
    }
    free(region.header);
    return 0;
}
