/* SPDX-License-Identifier: MIT */
#include "message.h"

#include "chance.h"

#include <string.h>

bool is_empty_message(const struct stream *stream, uint32_t index) {
    return !stream->is_loose && index % 7 == 3;
}

static unsigned char first_byte(const struct head *head) {
    return (unsigned char)(head->number * 31 + head->index * 7);
}

uint32_t compose(unsigned char *bytes, uint64_t number, uint32_t index,
                 uint32_t limit) {
    if (is_empty_message(stream_of(number), index)) {
        return 0;
    }
    uint32_t size = (uint32_t)sizeof(struct head);
    size += next_random(next_random(20) ? SMALL_MESSAGE - size : limit - size);
    struct head head = {number, index, size};
    memcpy(bytes, &head, sizeof head);
    unsigned char byte = first_byte(&head);
    for (uint32_t i = sizeof head; i < size; i++) {
        bytes[i] = byte++;
    }
    return size;
}

bool parse(const void *bytes, size_t size, struct head *ret_head) {
    struct head head;
    if (size < sizeof head) {
        return false;
    }
    memcpy(&head, bytes, sizeof head);
    if (head.size != size) {
        return false;
    }
    const unsigned char *found = bytes;
    unsigned char byte = first_byte(&head);
    unsigned char difference = 0;
    for (size_t i = sizeof head; i < size; i++) {
        difference |= found[i] ^ byte++;
    }
    *ret_head = head;
    return difference == 0;
}
