/* SPDX-License-Identifier: MIT */
/* Names as tokens of subjects, and back. */
#include "wire/subject.h"

#include "wire/cursor.h"
#include "wire/pen.h"

#include <string.h>

#define PREFIX_SIZE 5 /* "ms.u." and "ms.g." */

static const char *const prefixes[] = {
    [MS_SUBJECT_HOST] = "ms.u.",
    [MS_SUBJECT_DOMAIN] = "ms.g.",
};

static const char digits[] = "0123456789ABCDEF";

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

/* Bytes that stand for themselves. */
static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Bytes that a name cannot have: controls, and separators. */
static bool is_refused(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f || c == '\\' || c == '/';
}

static void encode_byte(struct ms_pen *pen, char c) {
    char lower = (char)(is_upper(c) ? c - 'A' + 'a' : c);
    if (is_plain(lower)) {
        ms_pen_put(pen, &lower, 1);
        return;
    }
    unsigned char byte = (unsigned char)c;
    const char escape[] = {'=', digits[byte >> 4], digits[byte & 0xf]};
    ms_pen_put(pen, escape, sizeof escape);
}

static int encode_token(struct ms_pen *pen, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (is_refused(text[i])) {
            return -EINVAL;
        }
        encode_byte(pen, text[i]);
    }
    return size > 0 ? 0 : -EINVAL;
}

static int encode_slot(struct ms_pen *pen, const char *slot) {
    for (;;) {
        size_t size = strcspn(slot, "\\");
        int r = encode_token(pen, slot, size);
        if (r < 0 || slot[size] == '\0') {
            return r;
        }
        ms_pen_put(pen, ".", 1);
        slot += size + 1;
    }
}

int ms_subject_encode(const struct ms_subject *subject, char *buffer, size_t capacity) {
    struct ms_pen pen = ms_pen_at(buffer, capacity);
    ms_pen_put(&pen, prefixes[subject->kind], PREFIX_SIZE);
    int r = encode_token(&pen, subject->target, strlen(subject->target));
    ms_pen_put(&pen, ".", 1);
    if (r == 0) {
        r = encode_token(&pen, subject->from, strlen(subject->from));
    }
    ms_pen_put(&pen, ".", 1);
    if (r == 0) {
        r = encode_slot(&pen, subject->slot);
    }
    return r < 0 ? r : ms_pen_end(&pen);
}

/* The value of a digit, or 16. */
static unsigned value_of(uint8_t digit) {
    const char *place = digit ? strchr(digits, digit) : NULL;
    return place ? (unsigned)(place - digits) : 16;
}

/* The two digits after a `=`: only for a byte that is not written otherwise. */
static bool decode_escape(struct ms_cursor *cursor, char *ret_byte) {
    unsigned high = value_of(ms_cursor_u8(cursor));
    unsigned low = value_of(ms_cursor_u8(cursor));
    char c = (char)(high << 4 | low);
    *ret_byte = c;
    return high < 16 && low < 16 && !is_plain(c) && !is_upper(c) && !is_refused(c);
}

static bool decode_byte(struct ms_cursor *cursor, char *ret_byte) {
    char c = (char)ms_cursor_u8(cursor);
    *ret_byte = c;
    return c == '=' ? decode_escape(cursor, ret_byte) : is_plain(c);
}

static bool is_at_dot(const struct ms_cursor *cursor) {
    return ms_cursor_left(cursor) > 0 && cursor->bytes[cursor->offset] == '.';
}

/* One token, up to a dot or the end, to the end of a text of *size bytes. */
static bool decode_token(struct ms_cursor *cursor, char *text, size_t capacity,
                         size_t *size) {
    size_t start = *size;
    while (ms_cursor_left(cursor) > 0 && !is_at_dot(cursor)) {
        if (*size + 1 >= capacity || !decode_byte(cursor, &text[*size])) {
            return false;
        }
        ++*size;
    }
    text[*size] = '\0';
    return *size > start;
}

static bool decode_host(struct ms_cursor *cursor, char *text) {
    size_t size = 0;
    return decode_token(cursor, text, MS_SUBJECT_HOST_MAX + 1, &size) &&
           is_at_dot(cursor);
}

static bool decode_slot(struct ms_cursor *cursor, char *text) {
    size_t size = 0;
    while (decode_token(cursor, text, MAILSLOT_NAME_MAX + 1, &size)) {
        if (!is_at_dot(cursor)) {
            return true;
        }
        if (size + 1 > MAILSLOT_NAME_MAX) {
            return false;
        }
        ms_cursor_skip(cursor, 1);
        text[size++] = '\\';
    }
    return false;
}

static int decode_kind(struct ms_cursor *cursor, enum ms_subject_kind *ret_kind) {
    const uint8_t *prefix = ms_cursor_take(cursor, PREFIX_SIZE);
    for (int kind = MS_SUBJECT_HOST; prefix && kind <= MS_SUBJECT_DOMAIN; kind++) {
        if (memcmp(prefix, prefixes[kind], PREFIX_SIZE) == 0) {
            *ret_kind = (enum ms_subject_kind)kind;
            return 0;
        }
    }
    return -EBADMSG;
}

int ms_subject_decode(const char *text, size_t size, struct ms_subject *ret_subject,
                      enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(text, size);
    struct ms_subject subject = {0};
    if (decode_kind(&cursor, &subject.kind) < 0) {
        return ms_refuse(MS_REASON_SUBJECT, ret_reason);
    }
    if (!decode_host(&cursor, subject.target)) {
        return ms_refuse(MS_REASON_TOKEN, ret_reason);
    }
    ms_cursor_skip(&cursor, 1);
    if (!decode_host(&cursor, subject.from)) {
        return ms_refuse(MS_REASON_TOKEN, ret_reason);
    }
    ms_cursor_skip(&cursor, 1);
    if (!decode_slot(&cursor, subject.slot)) {
        return ms_refuse(MS_REASON_TOKEN, ret_reason);
    }
    *ret_subject = subject;
    return 0;
}
