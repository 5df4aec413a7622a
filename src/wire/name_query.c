/* SPDX-License-Identifier: MIT */
/* Name queries and the answers to them. */
#include "wire/name_query.h"

#define FLAG_ANSWER 0x8000
#define MASK_OPCODE 0x7800 /* 0: query */
#define MASK_ERROR 0x000f
#define FLAGS_QUERY 0x0100 /* recursion desired */
#define FLAG_BROADCAST 0x0010
#define FLAGS_ANSWER                                                 \
    0x8580 /* answer, authoritative, recursion desired and available \
            */
#define TYPE_NAME 0x0020
#define TYPE_NULL 0x000a
#define CLASS_INTERNET 1
#define ENTRY_GROUP 0x8000
#define FIRST_MULTICAST UINT32_C(0xe0000000) /* beyond: reserved, and broadcast */
#define FIRST_HOST UINT32_C(0x01000000)

struct header {
    uint16_t id;
    uint16_t flags;
    uint16_t questions;
    uint16_t answers;
    uint16_t others; /* authorities or additional ones, whether there are any */
};

static void encode_header(struct ms_pen *pen, uint16_t id, uint16_t flags,
                          uint16_t questions, uint16_t answers) {
    ms_pen_be16(pen, id);
    ms_pen_be16(pen, flags);
    ms_pen_be16(pen, questions);
    ms_pen_be16(pen, answers);
    ms_pen_zeros(pen, 4);
}

static int decode_header(struct ms_cursor *cursor, struct header *ret_header,
                         enum ms_reason *ret_reason) {
    struct header header;
    header.id = ms_cursor_be16(cursor);
    header.flags = ms_cursor_be16(cursor);
    header.questions = ms_cursor_be16(cursor);
    header.answers = ms_cursor_be16(cursor);
    header.others = ms_cursor_be16(cursor);
    header.others |= ms_cursor_be16(cursor);
    if (cursor->is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if (header.flags & MASK_OPCODE) {
        return ms_refuse(MS_REASON_OPERATION, ret_reason);
    }
    *ret_header = header;
    return 0;
}

int ms_name_query_encode(const struct ms_name_query *query, void *buffer,
                         size_t capacity) {
    struct ms_pen pen = ms_pen_at(buffer, capacity);
    uint16_t flags = query->is_broadcast ? FLAGS_QUERY | FLAG_BROADCAST : FLAGS_QUERY;
    encode_header(&pen, query->id, flags, 1, 0);
    ms_netbios_name_encode(&query->name, &pen);
    ms_pen_be16(&pen, TYPE_NAME);
    ms_pen_be16(&pen, CLASS_INTERNET);
    return ms_pen_end(&pen);
}

static int check_query(const struct header *header, enum ms_reason *ret_reason) {
    if (header->flags & FLAG_ANSWER) {
        return ms_refuse(MS_REASON_DIRECTION, ret_reason);
    }
    if (header->questions != 1 || header->answers != 0 || header->others != 0) {
        return ms_refuse(MS_REASON_SECTIONS, ret_reason);
    }
    return 0;
}

/* The type, which may be `other` as well, and the class. */
static int check_type(struct ms_cursor *cursor, uint16_t other,
                      enum ms_reason *ret_reason) {
    uint16_t type = ms_cursor_be16(cursor);
    uint16_t class = ms_cursor_be16(cursor);
    if (cursor->is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if ((type != TYPE_NAME && type != other) || class != CLASS_INTERNET) {
        return ms_refuse(MS_REASON_RECORD, ret_reason);
    }
    return 0;
}

int ms_name_query_decode(const void *packet, size_t size,
                         struct ms_name_query *ret_query, enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(packet, size);
    struct header header = {0};
    struct ms_name_query query;
    int r = decode_header(&cursor, &header, ret_reason);
    if (r == 0) {
        r = check_query(&header, ret_reason);
    }
    if (r == 0) {
        r = ms_netbios_name_decode(&cursor, &query.name, ret_reason);
    }
    if (r == 0) {
        r = check_type(&cursor, TYPE_NAME, ret_reason);
    }
    if (r < 0) {
        return r;
    }
    if (ms_cursor_left(&cursor) != 0) {
        return ms_refuse(MS_REASON_LENGTH, ret_reason);
    }
    query.id = header.id;
    query.is_broadcast = header.flags & FLAG_BROADCAST;
    *ret_query = query;
    return 0;
}

static void encode_record(struct ms_pen *pen, const struct ms_name_answer *answer) {
    ms_netbios_name_encode(&answer->name, pen);
    ms_pen_be16(pen, TYPE_NAME);
    ms_pen_be16(pen, CLASS_INTERNET);
    ms_pen_be32(pen, answer->seconds);
    ms_pen_be16(pen, (uint16_t)(answer->count * MS_NAME_ADDRESS_SIZE));
    for (size_t i = 0; i < answer->count; i++) {
        ms_pen_be16(pen, answer->is_group ? ENTRY_GROUP : 0);
        ms_pen_be32(pen, answer->addresses[i]);
    }
}

int ms_name_answer_encode(const struct ms_name_answer *answer, void *buffer,
                          size_t capacity) {
    if (answer->error != 0 || answer->count == 0 ||
        answer->count > MS_NAME_ADDRESSES_MAX) {
        return -EINVAL;
    }
    struct ms_pen pen = ms_pen_at(buffer, capacity);
    encode_header(&pen, answer->id, FLAGS_ANSWER, 0, 1);
    encode_record(&pen, answer);
    return ms_pen_end(&pen);
}

/* An error's record is counted by some servers and not by others. */
static int check_answer(const struct header *header, enum ms_reason *ret_reason) {
    bool is_error = header->flags & MASK_ERROR;
    if (!(header->flags & FLAG_ANSWER)) {
        return ms_refuse(MS_REASON_DIRECTION, ret_reason);
    }
    if (header->questions != 0 || header->others != 0 || header->answers > 1 ||
        (header->answers == 0 && !is_error)) {
        return ms_refuse(MS_REASON_SECTIONS, ret_reason);
    }
    return 0;
}

static bool is_host_address(uint32_t address) {
    return address >= FIRST_HOST && address < FIRST_MULTICAST;
}

static void decode_addresses(struct ms_cursor *cursor, struct ms_name_answer *answer) {
    while (ms_cursor_left(cursor) > 0) {
        uint16_t flags = ms_cursor_be16(cursor);
        uint32_t address = ms_cursor_be32(cursor);
        answer->is_group |= (flags & ENTRY_GROUP) != 0;
        if (answer->count < MS_NAME_ADDRESSES_MAX) {
            answer->addresses[answer->count++] = address;
        }
    }
}

static int check_addresses(struct ms_name_answer *answer, enum ms_reason *ret_reason) {
    if (answer->is_group) {
        memset(answer->addresses, 0, sizeof answer->addresses);
        answer->count = 0;
    }
    for (size_t i = 0; i < answer->count; i++) {
        if (!is_host_address(answer->addresses[i])) {
            return ms_refuse(MS_REASON_ADDRESS, ret_reason);
        }
    }
    return 0;
}

/* The rest of the record: to the end of the packet, and whole addresses. */
static int decode_record(struct ms_cursor *cursor, struct ms_name_answer *answer,
                         enum ms_reason *ret_reason) {
    answer->seconds = ms_cursor_be32(cursor);
    uint16_t size = ms_cursor_be16(cursor);
    if (cursor->is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if (size != ms_cursor_left(cursor)) {
        return ms_refuse(MS_REASON_LENGTH, ret_reason);
    }
    if (answer->error != 0) {
        return 0;
    }
    if (size == 0 || size % MS_NAME_ADDRESS_SIZE != 0) {
        return ms_refuse(MS_REASON_RECORD, ret_reason);
    }
    decode_addresses(cursor, answer);
    return check_addresses(answer, ret_reason);
}

int ms_name_answer_decode(const void *packet, size_t size,
                          struct ms_name_answer *ret_answer,
                          enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(packet, size);
    struct header header = {0};
    struct ms_name_answer answer = {0};
    int r = decode_header(&cursor, &header, ret_reason);
    if (r == 0) {
        r = check_answer(&header, ret_reason);
    }
    if (r == 0) {
        r = ms_netbios_name_decode(&cursor, &answer.name, ret_reason);
    }
    answer.id = header.id;
    answer.error = header.flags & MASK_ERROR;
    if (r == 0) {
        r = check_type(&cursor, answer.error ? TYPE_NULL : TYPE_NAME, ret_reason);
    }
    if (r == 0) {
        r = decode_record(&cursor, &answer, ret_reason);
    }
    if (r == 0) {
        *ret_answer = answer;
    }
    return r;
}
