/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include "chance.h"

#include <string.h>

#define ONE_IN 500

static const char *planted;
static unsigned char copy[LARGEST_MESSAGE];
static size_t copy_size;
static bool is_held_back;

void plant_fault(const char *fault) {
    planted = fault;
}

static bool is_due(const char *fault) {
    return planted && strcmp(planted, fault) == 0 && next_random(ONE_IN) == 0;
}

static void make_copy(const void *bytes, size_t size) {
    memcpy(copy, bytes, size);
    copy_size = size;
}

/* The message held back comes after the next one. */
static void take_in_turn(struct reading *reading, const void *bytes, size_t size) {
    reading_take(reading, bytes, size);
    if (is_held_back) {
        is_held_back = false;
        reading_take(reading, copy, copy_size);
    }
}

void take_with_fault(struct reading *reading, const void *bytes, size_t size) {
    if (is_due("lose")) {
        return;
    }
    if (size && is_due("reorder") && !is_held_back) {
        make_copy(bytes, size);
        is_held_back = true;
    } else if (size && is_due("damage")) {
        make_copy(bytes, size);
        copy[size - 1] ^= 1; /* not what tells whose message it is */
        reading_take(reading, copy, size);
    } else {
        take_in_turn(reading, bytes, size);
        if (is_due("double")) {
            reading_take(reading, bytes, size);
        }
    }
}
