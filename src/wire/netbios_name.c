/* SPDX-License-Identifier: MIT */
/* NetBIOS names and their first-level encoding. */
#include "wire/netbios_name.h"

#define LETTERS 32

/* The two highest bits of a length byte: 00 a label, 11 a pointer, else nothing. */
#define LABEL_MAX 0x3f
#define POINTER 0xc0

static const struct ms_netbios_name wildcard = {.bytes = {'*'}};

static uint8_t upper(char c) {
    return (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static bool is_blank(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ') {
            return false;
        }
    }
    return true;
}

int ms_netbios_name_init(const char *text, size_t size, uint8_t suffix,
                         struct ms_netbios_name *ret_name) {
    if (size > MS_NETBIOS_NAME_MAX) {
        return -ENAMETOOLONG;
    }
    if (is_blank(text, size) || memchr(text, '\0', size)) {
        return -EINVAL;
    }
    if (text[0] == '*') {
        if (size > 1 || suffix != 0) {
            return -EINVAL;
        }
        *ret_name = wildcard;
        return 0;
    }
    memset(ret_name->bytes, ' ', MS_NETBIOS_NAME_MAX);
    for (size_t i = 0; i < size; i++) {
        ret_name->bytes[i] = upper(text[i]);
    }
    ret_name->bytes[MS_NETBIOS_NAME_MAX] = suffix;
    return 0;
}

bool ms_netbios_name_equals(const struct ms_netbios_name *a,
                            const struct ms_netbios_name *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool ms_netbios_name_is_wildcard(const struct ms_netbios_name *name) {
    return ms_netbios_name_equals(name, &wildcard);
}

void ms_netbios_name_text(const struct ms_netbios_name *name,
                          char ret_text[MS_NETBIOS_NAME_MAX + 1]) {
    size_t size = MS_NETBIOS_NAME_MAX;
    while (size > 0 && (name->bytes[size - 1] == ' ' || name->bytes[size - 1] == 0)) {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = name->bytes[i];
        ret_text[i] = (char)(byte >= 0x20 && byte < 0x7f ? byte : '?');
    }
    ret_text[size] = '\0';
}

void ms_netbios_name_encode(const struct ms_netbios_name *name, struct ms_pen *pen) {
    ms_pen_u8(pen, LETTERS);
    for (size_t i = 0; i < sizeof name->bytes; i++) {
        ms_pen_u8(pen, (uint8_t)('A' + (name->bytes[i] >> 4)));
        ms_pen_u8(pen, (uint8_t)('A' + (name->bytes[i] & 0xf)));
    }
    ms_pen_u8(pen, 0);
}

static bool is_letter(uint8_t c) {
    return c >= 'A' && c <= 'P';
}

static int decode_letters(const uint8_t *letters, struct ms_netbios_name *ret_name,
                          enum ms_reason *ret_reason) {
    for (size_t i = 0; i < sizeof ret_name->bytes; i++) {
        uint8_t high = letters[2 * i];
        uint8_t low = letters[2 * i + 1];
        if (!is_letter(high) || !is_letter(low)) {
            return ms_refuse(MS_REASON_NAME, ret_reason);
        }
        ret_name->bytes[i] = (uint8_t)((high - 'A') << 4 | (low - 'A'));
    }
    return 0;
}

/* The length byte where no label may be is 0. */
static int refuse_label(uint8_t length, enum ms_reason *ret_reason) {
    if (length >= POINTER) {
        return ms_refuse(MS_REASON_POINTER, ret_reason);
    }
    return ms_refuse(length <= LABEL_MAX ? MS_REASON_SCOPE : MS_REASON_NAME,
                     ret_reason);
}

int ms_netbios_name_decode(struct ms_cursor *cursor, struct ms_netbios_name *ret_name,
                           enum ms_reason *ret_reason) {
    uint8_t length = ms_cursor_u8(cursor);
    if (!cursor->is_cut && length != LETTERS) {
        return ms_refuse(length >= POINTER ? MS_REASON_POINTER : MS_REASON_NAME,
                         ret_reason);
    }
    const uint8_t *letters = ms_cursor_take(cursor, LETTERS);
    uint8_t end = ms_cursor_u8(cursor);
    if (cursor->is_cut) {
        return ms_refuse(MS_REASON_CUT, ret_reason);
    }
    if (end != 0) {
        return refuse_label(end, ret_reason);
    }
    struct ms_netbios_name name;
    int r = decode_letters(letters, &name, ret_reason);
    if (r == 0) {
        *ret_name = name;
    }
    return r;
}
