/* SPDX-License-Identifier: MIT */
/* Mailslot writes: SMB_COM_TRANSACTION as [MS-MAIL] has it. */
#include "wire/mailslot_write.h"

#include "mailslot.h"

#define PROTOCOL "\xffSMB"
#define PROTOCOL_SIZE 4
#define COMMAND_TRANSACTION 0x25
#define WORD_COUNT 17
#define SETUP_COUNT 3
#define OPCODE_WRITE 1
#define CLASS_UNRELIABLE 2 /* the only one that is ever on the wire */
#define NAME_OFFSET 69
#define PREFIX "\\MAILSLOT\\" /* in upper case, which some decoders insist on */
#define PREFIX_SIZE (sizeof PREFIX - 1)

static size_t round_up_4(size_t size) {
    return (size + 3) & ~(size_t)3;
}

/* From the start of the packet to the data. */
static size_t data_offset(size_t slot_size) {
    return round_up_4(NAME_OFFSET + PREFIX_SIZE + slot_size + 1);
}

size_t ms_mailslot_write_limit(size_t slot_size) {
    if (slot_size == 0 || slot_size > MAILSLOT_NAME_MAX) {
        return 0;
    }
    return MS_DATAGRAM_DATA_MAX - data_offset(slot_size);
}

/* The format has one byte a character, of a character set that it does not tell. */
static bool is_slot_name(const char *name, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (name[i] < 0x20 || name[i] >= 0x7f) {
            return false;
        }
    }
    return size > 0 && size <= MAILSLOT_NAME_MAX;
}

static void encode_header(struct ms_pen *pen) {
    ms_pen_put(pen, PROTOCOL, PROTOCOL_SIZE);
    ms_pen_u8(pen, COMMAND_TRANSACTION);
    ms_pen_zeros(pen, 27); /* status, flags, security, TID, PID, UID, MID */
}

static void encode_words(struct ms_pen *pen, size_t offset, size_t size) {
    ms_pen_u8(pen, WORD_COUNT);
    ms_pen_le16(pen, 0); /* TotalParameterCount */
    ms_pen_le16(pen, (uint16_t)size);
    ms_pen_zeros(pen, 14); /* maxima, flags, timeout */
    ms_pen_le16(pen, 0);   /* ParameterCount */
    ms_pen_le16(pen, 0);   /* ParameterOffset */
    ms_pen_le16(pen, (uint16_t)size);
    ms_pen_le16(pen, (uint16_t)offset);
    ms_pen_u8(pen, SETUP_COUNT);
    ms_pen_u8(pen, 0);
    ms_pen_le16(pen, OPCODE_WRITE);
    ms_pen_le16(pen, 0); /* Priority */
    ms_pen_le16(pen, CLASS_UNRELIABLE);
    ms_pen_le16(pen, (uint16_t)(offset - NAME_OFFSET + size)); /* ByteCount */
}

int ms_mailslot_write_encode(const struct ms_mailslot_write *write, void *buffer,
                             size_t capacity) {
    if (write->slot_size > MAILSLOT_NAME_MAX) {
        return -ENAMETOOLONG;
    }
    if (!is_slot_name(write->slot, write->slot_size)) {
        return -EINVAL;
    }
    if (write->size > ms_mailslot_write_limit(write->slot_size)) {
        return -EMSGSIZE;
    }
    size_t offset = data_offset(write->slot_size);
    struct ms_pen pen = ms_pen_at(buffer, capacity);
    encode_header(&pen);
    encode_words(&pen, offset, write->size);
    ms_pen_put(&pen, PREFIX, PREFIX_SIZE);
    ms_pen_put(&pen, write->slot, write->slot_size);
    ms_pen_zeros(&pen, offset - pen.size);
    ms_pen_put(&pen, write->data, write->size);
    return ms_pen_end(&pen);
}

static int check_header(struct ms_cursor *cursor, enum ms_reason *ret_reason) {
    const uint8_t *protocol = ms_cursor_take(cursor, PROTOCOL_SIZE);
    if (protocol && memcmp(protocol, PROTOCOL, PROTOCOL_SIZE) != 0) {
        return ms_refuse(MS_REASON_PROTOCOL, ret_reason);
    }
    uint8_t command = ms_cursor_u8(cursor);
    ms_cursor_skip(cursor, 27);
    uint8_t word_count = ms_cursor_u8(cursor);
    if (cursor->is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if (command != COMMAND_TRANSACTION) {
        return ms_refuse(MS_REASON_COMMAND, ret_reason);
    }
    if (word_count != WORD_COUNT) {
        return ms_refuse(MS_REASON_WORD_COUNT, ret_reason);
    }
    return 0;
}

/* What the words of a transaction say, as far as it matters. */
struct words {
    uint16_t total_parameters;
    uint16_t total_data;
    uint16_t parameters;
    uint16_t data;
    uint16_t data_offset;
    uint8_t setup_count;
    uint16_t opcode;
};

static struct words read_words(struct ms_cursor *cursor) {
    struct words words;
    words.total_parameters = ms_cursor_le16(cursor);
    words.total_data = ms_cursor_le16(cursor);
    ms_cursor_skip(cursor, 14);
    words.parameters = ms_cursor_le16(cursor);
    ms_cursor_skip(cursor, 2);
    words.data = ms_cursor_le16(cursor);
    words.data_offset = ms_cursor_le16(cursor);
    words.setup_count = ms_cursor_u8(cursor);
    ms_cursor_skip(cursor, 1);
    words.opcode = ms_cursor_le16(cursor);
    ms_cursor_skip(cursor, 6); /* Priority, Class, ByteCount */
    return words;
}

static int check_words(const struct words *words, enum ms_reason *ret_reason) {
    if (words->setup_count != SETUP_COUNT) {
        return ms_refuse(MS_REASON_SETUP_COUNT, ret_reason);
    }
    if (words->opcode != OPCODE_WRITE) {
        return ms_refuse(MS_REASON_OPCODE, ret_reason);
    }
    if (words->total_parameters != 0 || words->parameters != 0) {
        return ms_refuse(MS_REASON_PARAMETERS, ret_reason);
    }
    if (words->total_data != words->data) {
        return ms_refuse(MS_REASON_PARTS, ret_reason);
    }
    return 0;
}

static bool has_prefix(const uint8_t *name, size_t size) {
    if (size < PREFIX_SIZE) {
        return false;
    }
    for (size_t i = 0; i < PREFIX_SIZE; i++) {
        bool is_lower = name[i] >= 'a' && name[i] <= 'z';
        if ((is_lower ? name[i] - 'a' + 'A' : name[i]) != PREFIX[i]) {
            return false;
        }
    }
    return true;
}

/* The name lies between the words and the data, its zero byte, too. */
static int decode_name(const uint8_t *text, size_t room,
                       struct ms_mailslot_write *ret_write,
                       enum ms_reason *ret_reason) {
    const uint8_t *end = memchr(text, 0, room);
    if (!end || !has_prefix(text, (size_t)(end - text))) {
        return ms_refuse(MS_REASON_SLOT_NAME, ret_reason);
    }
    const char *slot = (const char *)text + PREFIX_SIZE;
    size_t size = (size_t)(end - text) - PREFIX_SIZE;
    if (!is_slot_name(slot, size)) {
        return ms_refuse(MS_REASON_SLOT_NAME, ret_reason);
    }
    ret_write->slot = slot;
    ret_write->slot_size = size;
    return 0;
}

int ms_mailslot_write_decode(const void *bytes, size_t size,
                             struct ms_mailslot_write *ret_write,
                             enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(bytes, size);
    int r = check_header(&cursor, ret_reason);
    if (r < 0) {
        return r;
    }
    struct words words = read_words(&cursor);
    if (cursor.is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    r = check_words(&words, ret_reason);
    if (r < 0) {
        return r;
    }
    if (words.data_offset < NAME_OFFSET || words.data_offset > size ||
        words.data > size - words.data_offset) {
        return ms_refuse(MS_REASON_DATA, ret_reason);
    }
    struct ms_mailslot_write write = {.data = cursor.bytes + words.data_offset,
                                      .size = words.data};
    r = decode_name(cursor.bytes + NAME_OFFSET, (size_t)words.data_offset - NAME_OFFSET,
                    &write, ret_reason);
    if (r == 0) {
        *ret_write = write;
    }
    return r;
}
