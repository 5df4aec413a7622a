/* SPDX-License-Identifier: MIT */
/* NetBIOS names: texts, 16 bytes, 32 letters. */
#include "packet.h"

static int decode(const void *bytes, size_t size, struct ms_netbios_name *ret_name,
                  enum ms_reason *ret_reason) {
    struct ms_cursor cursor = ms_cursor_at(bytes, size);
    return ms_netbios_name_decode(&cursor, ret_name, ret_reason);
}

static void encode(const struct ms_netbios_name *name, uint8_t *wire) {
    struct ms_pen pen = ms_pen_at(wire, MS_NETBIOS_WIRE_SIZE);
    ms_netbios_name_encode(name, &pen);
    ck_assert_int_eq(ms_pen_end(&pen), MS_NETBIOS_WIRE_SIZE);
}

static const struct {
    const char *text;
    uint8_t suffix;
    const char *bytes; /* 16 */
    const char *wire;  /* its letters */
} names[] = {
    {"FRED", 0x20, "FRED            ", "EGFCEFEECACACACACACACACACACACACA"},
    {"fred", 0x20, "FRED            ", "EGFCEFEECACACACACACACACACACACACA"},
    {"FRED   ", 0x20, "FRED            ", "EGFCEFEECACACACACACACACACACACACA"},
    {"ABCDEFGHIJKLMNO", 0x1d, "ABCDEFGHIJKLMNO\x1d",
     "EBECEDEEEFEGEHEIEJEKELEMENEOEPBN"},
    {"a-z_1.2", 'x', "A-Z_1.2        x", "EBCNFKFPDBCODCCACACACACACACACAHI"},
    {"\xe9z", 0x1c, "\xe9Z             \x1c", "OJFKCACACACACACACACACACACACACABM"},
    {"\x01\x02__MSBROWSE__\x02", 0x01, "\x01\x02__MSBROWSE__\x02\x01",
     "ABACFPFPENFDECFCEPFHFDEFFPFPACAB"},
    {"*", 0, "*\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
};

START_TEST(a_name_is_padded_in_upper_case_and_written_as_letters) {
    struct ms_netbios_name name = packet_name(names[_i].text, names[_i].suffix);
    ck_assert_mem_eq(name.bytes, names[_i].bytes, sizeof name.bytes);
    uint8_t wire[MS_NETBIOS_WIRE_SIZE];
    encode(&name, wire);
    ck_assert_uint_eq(wire[0], 32);
    ck_assert_mem_eq(wire + 1, names[_i].wire, 32);
    ck_assert_uint_eq(wire[33], 0);
    struct ms_netbios_name again;
    enum ms_reason reason;
    ck_assert_int_eq(decode(wire, sizeof wire, &again, &reason), 0);
    ck_assert(ms_netbios_name_equals(&name, &again));
    ck_assert_int_eq(ms_netbios_name_is_wildcard(&again),
                     strcmp(names[_i].text, "*") == 0);
}
END_TEST

static const struct {
    const char *text;
    size_t size;
    uint8_t suffix;
    int error;
} refused[] = {
    {"", 0, 0, -EINVAL},
    {" ", 1, 0, -EINVAL},
    {"               ", 15, 0, -EINVAL},
    {"ABCDEFGHIJKLMNOP", 16, 0, -ENAMETOOLONG},
    {"A              ", 16, 0, -ENAMETOOLONG},
    {"A\0B", 3, 0, -EINVAL},
    {"*", 1, 0x20, -EINVAL},
    {"*A", 2, 0, -EINVAL},
    {"* ", 2, 0, -EINVAL},
};

START_TEST(what_is_no_name_is_refused) {
    struct ms_netbios_name name;
    struct ms_netbios_name untouched;
    memset(&name, 0x5a, sizeof name);
    memset(&untouched, 0x5a, sizeof untouched);
    ck_assert_int_eq(ms_netbios_name_init(refused[_i].text, refused[_i].size,
                                          refused[_i].suffix, &name),
                     refused[_i].error);
    ck_assert_mem_eq(&name, &untouched, sizeof name);
}
END_TEST

START_TEST(names_differ_by_case_and_suffix) {
    struct ms_netbios_name name = packet_name("FRED", 0x20);
    struct ms_netbios_name other = packet_name("FRED", 0x00);
    ck_assert(!ms_netbios_name_equals(&name, &other));
    other = name;
    other.bytes[0] = 'f';
    ck_assert(!ms_netbios_name_equals(&name, &other));
}
END_TEST

START_TEST(the_text_of_a_name_can_be_shown_whatever_its_bytes_are) {
    char text[MS_NETBIOS_NAME_MAX + 1];
    struct ms_netbios_name name = packet_name("fred", 0x20);
    ms_netbios_name_text(&name, text);
    ck_assert_str_eq(text, "FRED");
    name = packet_name("*", 0);
    ms_netbios_name_text(&name, text);
    ck_assert_str_eq(text, "*");
    name = packet_name("\x01\x7f\xe9\x1b[2J~ x", 0);
    ms_netbios_name_text(&name, text);
    ck_assert_str_eq(text, "????[2J~ X");
    name = packet_name("ABCDEFGHIJKLMNO", 'P');
    ms_netbios_name_text(&name, text);
    ck_assert_str_eq(text, "ABCDEFGHIJKLMNO");
    memset(&name, ' ', sizeof name);
    ms_netbios_name_text(&name, text);
    ck_assert_str_eq(text, "");
}
END_TEST

/* The byte at `offset` of FRED<20> on the wire, of any value. */
static enum ms_reason expected(size_t offset, unsigned value) {
    if (offset == 0) {
        return value == 32     ? MS_REASON_COUNT
               : value >= 0xc0 ? MS_REASON_POINTER
                               : MS_REASON_NAME;
    }
    if (offset <= 32) {
        return value >= 'A' && value <= 'P' ? MS_REASON_COUNT : MS_REASON_NAME;
    }
    return value == 0      ? MS_REASON_COUNT
           : value <= 63   ? MS_REASON_SCOPE
           : value >= 0xc0 ? MS_REASON_POINTER
                           : MS_REASON_NAME;
}

START_TEST(any_byte_is_a_letter_a_scope_a_pointer_or_malformed) {
    struct ms_netbios_name name = packet_name("FRED", 0x20);
    uint8_t original[MS_NETBIOS_WIRE_SIZE];
    uint8_t wire[MS_NETBIOS_WIRE_SIZE];
    encode(&name, original);
    for (size_t offset = 0; offset < sizeof wire; offset++) {
        for (unsigned value = 0; value < 256; value++) {
            enum ms_reason reason = MS_REASON_COUNT;
            memcpy(wire, original, sizeof wire);
            wire[offset] = (uint8_t)value;
            int r = decode(wire, sizeof wire, &name, &reason);
            HOLDS(reason == expected(offset, value));
            HOLDS(r == (reason == MS_REASON_COUNT ? 0 : -EBADMSG));
        }
    }
}
END_TEST

START_TEST(a_name_that_is_cut_is_refused) {
    struct ms_netbios_name name = packet_name("FRED", 0x20);
    uint8_t wire[MS_NETBIOS_WIRE_SIZE];
    encode(&name, wire);
    for (size_t size = 0; size < sizeof wire; size++) {
        uint8_t *bytes = malloc(size + (size == 0));
        enum ms_reason reason = MS_REASON_COUNT;
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, wire, size);
        ck_assert_int_eq(decode(bytes, size, &name, &reason), -EBADMSG);
        ck_assert_uint_eq(reason, MS_REASON_CUT);
        free(bytes);
    }
}
END_TEST

START_TEST(any_16_bytes_survive_the_wire) {
    uint64_t state = 1;
    for (int round = 0; round < 10000; round++) {
        struct ms_netbios_name name;
        struct ms_netbios_name again;
        uint8_t wire[MS_NETBIOS_WIRE_SIZE];
        enum ms_reason reason;
        for (size_t i = 0; i < sizeof name.bytes; i++) {
            name.bytes[i] = (uint8_t)random_next(&state);
        }
        struct ms_pen pen = ms_pen_at(wire, sizeof wire);
        ms_netbios_name_encode(&name, &pen);
        HOLDS(decode(wire, sizeof wire, &again, &reason) == 0);
        HOLDS(ms_netbios_name_equals(&name, &again));
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "netbios_name");
    tcase_add_loop_test(cases, a_name_is_padded_in_upper_case_and_written_as_letters, 0,
                        COUNT(names));
    tcase_add_loop_test(cases, what_is_no_name_is_refused, 0, COUNT(refused));
    tcase_add_test(cases, names_differ_by_case_and_suffix);
    tcase_add_test(cases, the_text_of_a_name_can_be_shown_whatever_its_bytes_are);
    tcase_add_test(cases, any_byte_is_a_letter_a_scope_a_pointer_or_malformed);
    tcase_add_test(cases, a_name_that_is_cut_is_refused);
    tcase_add_test(cases, any_16_bytes_survive_the_wire);
    return suite_run(suite);
}
