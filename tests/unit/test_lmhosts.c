/* SPDX-License-Identifier: MIT */
/* Lines of lmhosts as a table: what each says, and which are refused. */
#include "packet.h"
#include "wire/lmhosts.h"

static const struct {
    const char *line;
    uint32_t address;
    const char *name;
    uint8_t suffix;
    bool is_preloaded;
    const char *domain;
} entries[] = {
    {"10.1.2.3 HOST", 0x0a010203, "HOST", 0, false, NULL},
    {"10.1.2.3 host\n", 0x0a010203, "HOST", 0, false, NULL},
    {" \t10.1.2.3\t \thost \r\n", 0x0a010203, "HOST", 0, false, NULL},
    {"0.0.0.0 a", 0, "A", 0, false, NULL},
    {"255.255.255.255 a", 0xffffffff, "A", 0, false, NULL},
    {"10.1.2.3 ABCDEFGHIJKLMNO", 0x0a010203, "ABCDEFGHIJKLMNO", 0, false, NULL},
    {"10.1.2.3 HOST #PRE", 0x0a010203, "HOST", 0, true, NULL},
    {"10.1.2.3 HOST #pre", 0x0a010203, "HOST", 0, true, NULL},
    {"10.1.2.3 HOST #PRE #DOM:work", 0x0a010203, "HOST", 0, true, "work"},
    {"10.1.2.3 HOST #DOM:work #PRE", 0x0a010203, "HOST", 0, true, "work"},
    {"10.1.2.3 HOST #DOM:ABCDEFGHIJKLMNO\r\n", 0x0a010203, "HOST", 0, false,
     "ABCDEFGHIJKLMNO"},
    {"10.1.2.3 HOST # a comment #PRE", 0x0a010203, "HOST", 0, false, NULL},
    {"10.1.2.3 HOST #PREVIOUS", 0x0a010203, "HOST", 0, false, NULL},
    {"10.1.2.3 HOST #PRE#DOM:x", 0x0a010203, "HOST", 0, false, NULL},
    {"10.1.2.3 HOST #MH", 0x0a010203, "HOST", 0, false, NULL},
    {"10.1.2.3 HOST #PRE #x y z", 0x0a010203, "HOST", 0, true, NULL},
    {"10.1.2.3 \"HOST\"", 0x0a010203, "HOST", 0, false, NULL},
    {"10.1.2.3 \"my host\" #PRE", 0x0a010203, "MY HOST", 0, true, NULL},
    {"10.1.2.3 \"a#b\"", 0x0a010203, "A#B", 0, false, NULL},
    {"10.1.2.3 \"HOST           \\0x1d\"", 0x0a010203, "HOST", 0x1d, false, NULL},
    {"10.1.2.3 \"HOST           \\0X1D\" #PRE", 0x0a010203, "HOST", 0x1d, true, NULL},
    {"10.1.2.3 \"ABCDEFGHIJKLMNO\\0xff\"", 0x0a010203, "ABCDEFGHIJKLMNO", 0xff, false,
     NULL},
    {"10.1.2.3 \"\\0x01\\0x02__MSBROWSE__\\0x02\\0x01\"", 0x0a010203,
     "\x01\x02__MSBROWSE__\x02", 1, false, NULL},
    {"10.1.2.3 back\\slash", 0x0a010203, "BACK\\SLASH", 0, false, NULL},
};

START_TEST(a_line_says_address_name_and_keywords) {
    struct ms_lmhosts lmhosts;
    enum ms_reason reason = MS_REASON_COUNT;
    int r =
        ms_lmhosts_parse(entries[_i].line, strlen(entries[_i].line), &lmhosts, &reason);
    ck_assert_msg(r == 0, "%s: %s", entries[_i].line, ms_reason_text(reason));
    struct ms_netbios_name name = packet_name(entries[_i].name, entries[_i].suffix);
    ck_assert(lmhosts.is_entry);
    ck_assert_uint_eq(lmhosts.address, entries[_i].address);
    ck_assert(ms_netbios_name_equals(&lmhosts.name, &name));
    ck_assert_int_eq(lmhosts.is_preloaded, entries[_i].is_preloaded);
    if (!entries[_i].domain) {
        ck_assert_ptr_null(lmhosts.domain);
    } else {
        ck_assert_uint_eq(lmhosts.domain_size, strlen(entries[_i].domain));
        ck_assert_mem_eq(lmhosts.domain, entries[_i].domain, lmhosts.domain_size);
    }
}
END_TEST

START_TEST(a_blank_line_and_a_comment_say_nothing) {
    static const char *const lines[] = {"",
                                        " ",
                                        "\r\n",
                                        "\t \n",
                                        "#",
                                        "# 10.1.2.3 HOST",
                                        "  #PRE",
                                        "#INCLUDE \\\\a\\b",
                                        "#BEGIN_ALTERNATE"};
    for (int i = 0; i < COUNT(lines); i++) {
        struct ms_lmhosts lmhosts = {.is_entry = true};
        enum ms_reason reason;
        ck_assert_int_eq(
            ms_lmhosts_parse(lines[i], strlen(lines[i]), &lmhosts, &reason), 0);
        ck_assert(!lmhosts.is_entry);
    }
}
END_TEST

#define LINE(text) text, sizeof text - 1

static const struct {
    const char *line;
    size_t size;
    enum ms_reason reason;
} refused[] = {
    {LINE("HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2. HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.3.4 HOST"), MS_REASON_ADDRESS},
    {LINE("10..2.3 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.256 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.1000 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.4294967297 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.03 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.00 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.0x3 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.-3 HOST"), MS_REASON_ADDRESS},
    {LINE("10,1,2,3 HOST"), MS_REASON_ADDRESS},
    {LINE("::1 HOST"), MS_REASON_ADDRESS},
    {LINE("10.1.2.3#x HOST"), MS_REASON_ADDRESS},
    {LINE("\0"), MS_REASON_ADDRESS},
    {LINE("10.1.2.3"), MS_REASON_NAME},
    {LINE("10.1.2.3 \r\n"), MS_REASON_NAME},
    {LINE("10.1.2.3 #PRE"), MS_REASON_NAME},
    {LINE("10.1.2.3 HOST#20"), MS_REASON_NAME},
    {LINE("10.1.2.3 HO\"ST"), MS_REASON_NAME},
    {LINE("10.1.2.3 ABCDEFGHIJKLMNOP"), MS_REASON_NAME},
    {LINE("10.1.2.3 *A"), MS_REASON_NAME},
    {LINE("10.1.2.3 \"\""), MS_REASON_NAME},
    {LINE("10.1.2.3 \" \""), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HOST"), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HOST\"x"), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HOST            \\0x1d\""), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HOST           \\0x1\""), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HOST           \\0x1g\""), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HOST           \\x1d\""), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HOST           \\0x"), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HO\\\\ST\""), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HO\\0x00ST\""), MS_REASON_NAME},
    {LINE("10.1.2.3 \"HO\0ST\""), MS_REASON_NAME},
    {LINE("10.1.2.3 HOST OTHER"), MS_REASON_KEYWORD},
    {LINE("10.1.2.3 HOST PRE"), MS_REASON_KEYWORD},
    {LINE("10.1.2.3 HOST #DOM:"), MS_REASON_KEYWORD},
    {LINE("10.1.2.3 HOST #DOM: work"), MS_REASON_KEYWORD},
    {LINE("10.1.2.3 HOST #DOM:ABCDEFGHIJKLMNOP"), MS_REASON_KEYWORD},
    {LINE("10.1.2.3 HOST\0"), MS_REASON_KEYWORD},
    {LINE("10.1.2.3 HOST #PRE\0"), MS_REASON_KEYWORD},
};

START_TEST(a_line_that_is_not_understood_is_refused) {
    struct ms_lmhosts lmhosts;
    enum ms_reason reason = MS_REASON_COUNT;
    ck_assert_int_eq(
        ms_lmhosts_parse(refused[_i].line, refused[_i].size, &lmhosts, &reason),
        -EBADMSG);
    ck_assert_str_eq(ms_reason_text(reason), ms_reason_text(refused[_i].reason));
}
END_TEST

/* At the end of its memory, and then cut shorter and shorter. */
START_TEST(a_line_is_read_to_its_end_only) {
    const char *line = entries[_i].line;
    for (size_t size = 0; size <= strlen(line); size++) {
        char *copy = malloc(size + (size == 0));
        struct ms_lmhosts lmhosts;
        enum ms_reason reason;
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, line, size);
        int r = ms_lmhosts_parse(copy, size, &lmhosts, &reason);
        ck_assert(r == 0 || r == -EBADMSG);
        free(copy);
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "lmhosts");
    tcase_add_loop_test(cases, a_line_says_address_name_and_keywords, 0,
                        COUNT(entries));
    tcase_add_test(cases, a_blank_line_and_a_comment_say_nothing);
    tcase_add_loop_test(cases, a_line_that_is_not_understood_is_refused, 0,
                        COUNT(refused));
    tcase_add_loop_test(cases, a_line_is_read_to_its_end_only, 0, COUNT(entries));
    return suite_run(suite);
}
