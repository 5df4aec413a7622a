/* SPDX-License-Identifier: MIT */
/* Lines of lmhosts, read by a cursor. */
#include "wire/lmhosts.h"

#include <string.h>

#define PRELOADED "#PRE"
#define DOMAIN "#DOM:"
#define DOMAIN_SIZE (sizeof DOMAIN - 1)

/* The next byte, or 0 at the end. A zero byte in a line is no part of any word. */
static char peek(const struct ms_cursor *line) {
    return (char)(ms_cursor_left(line) > 0 ? line->bytes[line->offset] : 0);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_end(char c) {
    return c == '\0' || is_space(c);
}

static void skip_spaces(struct ms_cursor *line) {
    while (is_space(peek(line))) {
        line->offset++;
    }
}

/* Up to the next space. */
static size_t take_word(struct ms_cursor *line, const char **ret_word) {
    size_t start = line->offset;
    while (!is_end(peek(line))) {
        line->offset++;
    }
    *ret_word = (const char *)line->bytes + start;
    return line->offset - start;
}

static char upper(char c) {
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static bool begins_with(const char *text, size_t size, const char *word) {
    size_t word_size = strlen(word);
    for (size_t i = 0; i < word_size; i++) {
        if (i >= size || upper(text[i]) != word[i]) {
            return false;
        }
    }
    return true;
}

/* 0 to 255 in decimal, without zeros in front: to some programs these mean octal. */
static bool parse_number(struct ms_cursor *line, uint32_t *ret_number) {
    uint32_t number = 0;
    size_t digits = 0;
    for (; digits < 4 && peek(line) >= '0' && peek(line) <= '9'; digits++) {
        if (digits == 1 && number == 0) {
            return false;
        }
        number = number * 10 + (uint32_t)(peek(line) - '0');
        line->offset++;
    }
    *ret_number = number;
    return digits > 0 && number <= 255;
}

static bool parse_address(struct ms_cursor *line, uint32_t *ret_address) {
    uint32_t address = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t number;
        if (i > 0 && ms_cursor_u8(line) != '.') {
            return false;
        }
        if (!parse_number(line, &number)) {
            return false;
        }
        address = address << 8 | number;
    }
    *ret_address = address;
    return is_end(peek(line));
}

/* The value of a hexadecimal digit, or 16. */
static unsigned value_of(uint8_t digit) {
    char c = upper((char)digit);
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* `\0xNN`, or any other byte as it is. */
static bool parse_byte(struct ms_cursor *line, char *ret_byte) {
    char c = (char)ms_cursor_u8(line);
    *ret_byte = c;
    if (c != '\\') {
        return c != '\0';
    }
    const uint8_t *escape = ms_cursor_take(line, 4);
    if (!escape || escape[0] != '0' || upper((char)escape[1]) != 'X') {
        return false;
    }
    unsigned high = value_of(escape[2]);
    unsigned low = value_of(escape[3]);
    *ret_byte = (char)(high << 4 | low);
    return high < 16 && low < 16;
}

static bool parse_quoted(struct ms_cursor *line, struct ms_netbios_name *ret_name) {
    char bytes[MS_NETBIOS_NAME_MAX + 1];
    size_t size = 0;
    line->offset++;
    while (peek(line) != '"') {
        if (size == sizeof bytes || !parse_byte(line, &bytes[size])) {
            return false;
        }
        size++;
    }
    line->offset++;
    bool has_suffix = size == sizeof bytes;
    uint8_t suffix =
        has_suffix ? (uint8_t)bytes[MS_NETBIOS_NAME_MAX] : MS_NETBIOS_SUFFIX_HOST;
    return is_end(peek(line)) &&
           ms_netbios_name_init(bytes, has_suffix ? size - 1 : size, suffix,
                                ret_name) == 0;
}

/* A `#` in it would be a suffix to Samba and a comment to Windows. */
static bool parse_name(struct ms_cursor *line, struct ms_netbios_name *ret_name) {
    if (peek(line) == '"') {
        return parse_quoted(line, ret_name);
    }
    const char *word;
    size_t size = take_word(line, &word);
    return !memchr(word, '#', size) && !memchr(word, '"', size) &&
           ms_netbios_name_init(word, size, MS_NETBIOS_SUFFIX_HOST, ret_name) == 0;
}

/* The words after the name, up to a comment. */
static bool parse_keywords(struct ms_cursor *line, struct ms_lmhosts *lmhosts) {
    for (;;) {
        const char *word;
        skip_spaces(line);
        size_t size = take_word(line, &word);
        if (size == strlen(PRELOADED) && begins_with(word, size, PRELOADED)) {
            lmhosts->is_preloaded = true;
        } else if (begins_with(word, size, DOMAIN)) {
            lmhosts->domain = word + DOMAIN_SIZE;
            lmhosts->domain_size = size - DOMAIN_SIZE;
            if (lmhosts->domain_size == 0 ||
                lmhosts->domain_size > MS_NETBIOS_NAME_MAX) {
                return false;
            }
        } else {
            return size == 0 ? ms_cursor_left(line) == 0 : word[0] == '#';
        }
    }
}

int ms_lmhosts_parse(const char *line, size_t size, struct ms_lmhosts *ret_lmhosts,
                     enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(line, size);
    struct ms_lmhosts lmhosts = {0};
    skip_spaces(&cursor);
    if (ms_cursor_left(&cursor) == 0 || peek(&cursor) == '#') {
        *ret_lmhosts = lmhosts;
        return 0;
    }
    lmhosts.is_entry = true;
    if (!parse_address(&cursor, &lmhosts.address)) {
        return ms_refuse(MS_REASON_ADDRESS, ret_reason);
    }
    skip_spaces(&cursor);
    if (!parse_name(&cursor, &lmhosts.name)) {
        return ms_refuse(MS_REASON_NAME, ret_reason);
    }
    if (!parse_keywords(&cursor, &lmhosts)) {
        return ms_refuse(MS_REASON_KEYWORD, ret_reason);
    }
    *ret_lmhosts = lmhosts;
    return 0;
}
