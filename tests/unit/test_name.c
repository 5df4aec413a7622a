/* SPDX-License-Identifier: MIT */
/* Names as a table: which texts are accepted, as which slot, and which are refused. */
#include "name.h"
#include "suite.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define OWN_HOST "Box.example.org"
#define LOCAL "\\\\.\\mailslot\\"

/* What a failed call must leave as it is. */
#define UNTOUCHED 0x5a

/* Accepted local names: the text, the bare name as written, the folded one. */
static const struct {
    const char *text;
    const char *bare;
    const char *folded;
} local_names[] = {
    {"HelloWorld", "HelloWorld", "helloworld"},
    {"\\\\.\\mailslot\\HelloWorld", "HelloWorld", "helloworld"},
    {"//./mailslot/HelloWorld", "HelloWorld", "helloworld"},
    {"\\\\.\\MAILSLOT\\HELLOWORLD", "HELLOWORLD", "helloworld"},
    {"/\\./MaIlSlOt\\hELLO", "hELLO", "hello"},
    {"\\/.\\mailslot/a", "a", "a"},
    {"a", "a", "a"},
    {"Z", "Z", "z"},
    {"a\\b\\c", "a\\b\\c", "a\\b\\c"},
    {"A/b\\C", "A\\b\\C", "a\\b\\c"},
    {"//./mailslot/a/B", "a\\B", "a\\b"},
    {"mailslot", "mailslot", "mailslot"},
    {"mailslot\\a", "mailslot\\a", "mailslot\\a"},
    {LOCAL "mailslot\\a", "mailslot\\a", "mailslot\\a"},
    {LOCAL "mailslot", "mailslot", "mailslot"},
    {"box\\mailslot\\a", "box\\mailslot\\a", "box\\mailslot\\a"},
    {"caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9"},
    {"CAF\xc3\x89", "CAF\xc3\x89", "caf\xc3\x89"},
    {"\xe9\xff\x80", "\xe9\xff\x80", "\xe9\xff\x80"},
    {"with space", "with space", "with space"},
    {" first", " first", " first"},
    {".a", ".a", ".a"},
    {"..a", "..a", "..a"},
    {"a.b", "a.b", "a.b"},
    {"a..b", "a..b", "a..b"},
    {"a\\.b\\ c", "a\\.b\\ c", "a\\.b\\ c"},
    {"@[`{", "@[`{", "@[`{"},
    {"a*b?c:d|e\"f<g>", "a*b?c:d|e\"f<g>", "a*b?c:d|e\"f<g>"},
    {"C:\\con\\nul", "C:\\con\\nul", "c:\\con\\nul"},
    {"%41%5c", "%41%5c", "%41%5c"},
    {"?", "?", "?"},
    {"*", "*", "*"},
    {"\\\\Box.example.org\\mailslot\\A", "A", "a"},
    {"\\\\BOX.EXAMPLE.ORG\\mailslot\\a", "a", "a"},
    {"\\\\box\\mailslot\\a\\b", "a\\b", "a\\b"},
    {"//BOX/MailSlot/a", "a", "a"},
};

/* Names of slots elsewhere: the text, the host, the bare name. */
static const struct {
    const char *text;
    const char *host;
    const char *bare;
} remote_names[] = {
    {"\\\\HOST\\mailslot\\a", "HOST", "a"},
    {"//host/MAILSLOT/A/b", "host", "A\\b"},
    {"\\\\*\\mailslot\\x", "*", "x"},
    {"\\\\WORKGROUP\\mailslot\\Browse", "WORKGROUP", "Browse"},
    {"\\\\host.example.org\\mailslot\\a", "host.example.org", "a"},
    {"\\\\10.0.0.1\\mailslot\\a", "10.0.0.1", "a"},
    {"\\\\Box.example.com\\mailslot\\a", "Box.example.com", "a"},
    {"\\\\Box.example\\mailslot\\a", "Box.example", "a"},
    {"\\\\Boxes\\mailslot\\a", "Boxes", "a"},
    {"\\\\Bo\\mailslot\\a", "Bo", "a"},
    {"\\\\example.org\\mailslot\\a", "example.org", "a"},
};

/* What is no name at all. */
static const char *const refused_names[] = {
    NULL,
    "",
    /* separators alone, first, last and doubled */
    "\\",
    "/",
    "\\\\",
    "//",
    "\\/",
    "\\\\\\",
    "\\a",
    "/a",
    "a\\",
    "a/",
    "a\\\\b",
    "a//b",
    "a\\/b",
    LOCAL "\\a",
    LOCAL "a\\",
    LOCAL "a/",
    LOCAL "a\\\\b",
    /* the prefix alone, or a part of it */
    "\\\\.",
    "\\\\.\\",
    "\\\\.\\mailslot",
    LOCAL,
    "//./mailslot",
    "//./mailslot/",
    "\\.\\mailslot\\a",
    "\\\\\\.\\mailslot\\a",
    /* components that end in a dot or a space */
    ".",
    "..",
    "...",
    " ",
    "a.",
    "a..",
    "a ",
    "a. ",
    "a .",
    "a.\\b",
    "a \\b",
    "a/./b",
    "a/../b",
    "../a",
    "..\\..\\a",
    "a/..",
    LOCAL ".",
    LOCAL "..",
    LOCAL "..\\a",
    LOCAL "a\\.",
    LOCAL "a ",
    /* control characters */
    "\n",
    "a\nb",
    "a\tb",
    "a\rb",
    "\x01",
    "\x1f",
    "a\x7f",
    "a\\\x1b[m",
    LOCAL "a\n",
    /* other devices */
    "\\\\.\\pipe\\x",
    "\\\\.\\COM1",
    "\\\\.\\mailslots\\x",
    "\\\\.\\mailslo\\x",
    "\\\\.\\mail slot\\x",
    "\\\\.\\mailslot \\x",
    "\\\\.\\mailslot.\\x",
    "\\\\?\\mailslot\\x",
    "\\\\?\\C:\\x",
    "\\\\?\\UNC\\host\\mailslot\\x",
    "//?/mailslot/x",
    /* a host without a slot, or without a name */
    "\\\\host",
    "\\\\host\\",
    "\\\\host\\mailslot",
    "\\\\host\\mailslot\\",
    "\\\\host\\pipe\\x",
    "\\\\host\\\\mailslot\\x",
    "\\\\host\\x",
    "\\\\*",
    "\\\\*\\mailslot\\",
    "\\\\box\\mailslot\\",
    "\\\\box\\mailslot",
    "\\\\\\mailslot\\x",
    "\\\\..\\mailslot\\x",
    "\\\\...\\mailslot\\x",
    "\\\\host.\\mailslot\\x",
    "\\\\host \\mailslot\\x",
    "\\\\ho\nst\\mailslot\\x",
    "\\\\host\\mailslot\\a.",
    "\\\\host\\mailslot\\..",
    "\\\\*\\mailslot\\a\\\\b",
};

static struct ms_name parse(const char *text) {
    struct ms_name name;
    int r = ms_name_parse(text, OWN_HOST, &name);
    ck_assert_msg(r == 0, "%s gives %d", text, r);
    ck_assert_ptr_null(ms_name_fault(text));
    return name;
}

static void expect_error(const char *text, int error) {
    struct ms_name name;
    struct ms_name before;
    memset(&name, UNTOUCHED, sizeof name);
    memset(&before, UNTOUCHED, sizeof before);
    int r = ms_name_parse(text, OWN_HOST, &name);
    ck_assert_msg(r == error, "%s gives %d, not %d", text ? text : "NULL", r, error);
    ck_assert_mem_eq(&name, &before, sizeof name);
    ck_assert_ptr_nonnull(ms_name_fault(text));
}

START_TEST(a_local_name_is_accepted_in_each_spelling) {
    struct ms_name name = parse(local_names[_i].text);
    ck_assert_int_eq(name.kind, MS_NAME_LOCAL);
    ck_assert_str_eq(name.bare, local_names[_i].bare);
    ck_assert_str_eq(name.folded, local_names[_i].folded);
}
END_TEST

START_TEST(a_remote_name_tells_its_host) {
    struct ms_name name = parse(remote_names[_i].text);
    ck_assert_int_eq(name.kind, MS_NAME_REMOTE);
    ck_assert_str_eq(name.host, remote_names[_i].host);
    ck_assert_str_eq(name.bare, remote_names[_i].bare);
}
END_TEST

START_TEST(what_is_no_name_is_refused) {
    expect_error(refused_names[_i], -EINVAL);
}
END_TEST

/* `prefix` and then `size` bytes, of which every tenth is a separator. */
static const char *long_name(const char *prefix, size_t size) {
    static char text[1024];
    size_t start = strlen(prefix);
    memcpy(text, prefix, start);
    for (size_t i = 0; i < size; i++) {
        text[start + i] = i % 10 == 9 && i + 1 < size ? '/' : 'N';
    }
    text[start + size] = '\0';
    return text;
}

static const char *const prefixes[] = {
    "",
    LOCAL,
    "//./MAILSLOT/",
    "\\\\host\\mailslot\\",
    "\\\\*\\mailslot\\",
    "\\\\box.EXAMPLE.org\\mailslot\\",
};

START_TEST(a_bare_name_has_246_bytes_at_most_whatever_its_prefix) {
    for (size_t size = 1; size <= 246; size++) {
        struct ms_name name = parse(long_name(prefixes[_i], size));
        ck_assert_uint_eq(strlen(name.bare), size);
        ck_assert_uint_eq(strlen(name.folded), size);
    }
    for (size_t size = 247; size < 600; size += 50) {
        expect_error(long_name(prefixes[_i], size), -ENAMETOOLONG);
    }
}
END_TEST

START_TEST(a_host_has_255_bytes_at_most) {
    char text[512] = "\\\\";
    for (size_t size = 1; size <= 256; size++) {
        memset(text + 2, 'h', size);
        strcpy(text + 2 + size, "\\mailslot\\a");
        if (size == 256) {
            expect_error(text, -ENAMETOOLONG);
        } else {
            ck_assert_uint_eq(strlen(parse(text).host), size);
        }
    }
}
END_TEST

/* Every byte value alone, in the middle and at the end. */
START_TEST(a_message_may_come_from_any_host_without_control_characters) {
    char host[MS_HOST_MAX + 2] = {0};
    memset(host, 'h', MS_HOST_MAX);
    ck_assert(ms_name_is_host(host));
    host[MS_HOST_MAX] = 'h';
    ck_assert(!ms_name_is_host(host));
    ck_assert(!ms_name_is_host(""));
    for (int c = 1; c < 256; c++) {
        char text[] = {'h', (char)c, '\0'};
        ck_assert_int_eq(ms_name_is_host(text), c >= 0x20 && c != 0x7f);
    }
}
END_TEST

START_TEST(control_characters_separators_and_ends_are_the_only_bytes_refused) {
    for (int byte = 1; byte < 256; byte++) {
        char alone[] = {(char)byte, '\0'};
        char inside[] = {'a', (char)byte, 'b', '\0'};
        bool is_control = byte < 0x20 || byte == 0x7f;
        bool is_separator = byte == '\\' || byte == '/';
        bool is_bad_end = byte == '.' || byte == ' ';
        struct ms_name name;
        ck_assert_int_eq(ms_name_parse(inside, OWN_HOST, &name),
                         is_control ? -EINVAL : 0);
        ck_assert_int_eq(ms_name_parse(alone, OWN_HOST, &name),
                         is_control || is_separator || is_bad_end ? -EINVAL : 0);
    }
}
END_TEST

START_TEST(only_ascii_letters_are_folded) {
    for (int byte = 1; byte < 256; byte++) {
        char text[] = {'x', (char)byte, 'x', '\0'};
        struct ms_name name;
        if (ms_name_parse(text, OWN_HOST, &name) < 0 || byte == '/') {
            continue;
        }
        char folded = byte < 128 ? (char)tolower(byte) : (char)byte;
        ck_assert_int_eq(name.bare[1], (char)byte);
        ck_assert_int_eq(name.folded[1], folded);
    }
}
END_TEST

START_TEST(the_bare_name_is_one_more_spelling_of_the_slot) {
    struct ms_name name = parse(local_names[_i].text);
    struct ms_name again = parse(name.bare);
    ck_assert_int_eq(again.kind, MS_NAME_LOCAL);
    ck_assert_str_eq(again.bare, name.bare);
    ck_assert_str_eq(again.folded, name.folded);
    again = parse(name.folded);
    ck_assert_str_eq(again.folded, name.folded);
}
END_TEST

/* A small source of numbers, the same ones in each run. */
static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Another spelling of the same bare name. */
static const char *respell(const char *bare, uint32_t *random) {
    static const char *const starts[] = {"",
                                         "\\\\.\\mailslot\\",
                                         "//./MAILSLOT/",
                                         "\\/./MailSlot\\",
                                         "//BOX/mailslot/",
                                         "\\\\box.example.ORG\\mailslot\\"};
    static char text[512];
    strcpy(text, starts[next_random(random) % COUNT(starts)]);
    char *out = text + strlen(text);
    for (const char *c = bare; *c; c++) {
        bool is_upper = next_random(random) % 2;
        if (*c == '\\' || *c == '/') {
            *out++ = is_upper ? '\\' : '/';
        } else if ((unsigned char)*c < 128) {
            *out++ = (char)(is_upper ? toupper(*c) : tolower(*c));
        } else {
            *out++ = *c;
        }
    }
    *out = '\0';
    return text;
}

START_TEST(two_spellings_of_a_slot_meet) {
    uint32_t random = 42;
    for (size_t i = 0; i < COUNT(local_names); i++) {
        struct ms_name name = parse(local_names[i].text);
        for (int j = 0; j < 200; j++) {
            struct ms_name other = parse(respell(name.bare, &random));
            ck_assert_int_eq(other.kind, MS_NAME_LOCAL);
            ck_assert_str_eq(other.folded, name.folded);
        }
    }
}
END_TEST

/* Whether two bare names are one slot, said in another way than the parser does. */
static bool are_same(const char *a, const char *b) {
    for (; *a && *b; a++, b++) {
        int left = (unsigned char)*a < 128 ? tolower(*a) : *a;
        int right = (unsigned char)*b < 128 ? tolower(*b) : *b;
        if ((left == '/' ? '\\' : left) != (right == '/' ? '\\' : right)) {
            return false;
        }
    }
    return *a == *b;
}

/* A short text of few letters, so that equal ones come up often. */
static void make_text(uint32_t *random, char ret_text[8]) {
    static const char letters[] = "aAbB\\/. \xe9";
    size_t size = 1 + next_random(random) % 5;
    for (size_t i = 0; i < size; i++) {
        ret_text[i] = letters[next_random(random) % (sizeof letters - 1)];
    }
    ret_text[size] = '\0';
}

START_TEST(two_names_never_meet) {
    uint32_t random = 7;
    int same = 0;
    int different = 0;
    for (int i = 0; i < 300000; i++) {
        char texts[2][8];
        struct ms_name names[2];
        make_text(&random, texts[0]);
        make_text(&random, texts[1]);
        if (ms_name_parse(texts[0], OWN_HOST, &names[0]) < 0 ||
            ms_name_parse(texts[1], OWN_HOST, &names[1]) < 0) {
            continue;
        }
        bool is_same = are_same(texts[0], texts[1]);
        bool meet = strcmp(names[0].folded, names[1].folded) == 0;
        same += is_same;
        different += !is_same;
        if (meet != is_same) {
            ck_abort_msg("%s and %s", texts[0], texts[1]);
        }
    }
    ck_assert_int_gt(same, 1000);
    ck_assert_int_gt(different, 10000);
}
END_TEST

START_TEST(a_host_of_one_label_or_none_is_known_too) {
    struct ms_name name;
    ck_assert_int_eq(ms_name_parse("\\\\BOX\\mailslot\\a", "box", &name), 0);
    ck_assert_int_eq(name.kind, MS_NAME_LOCAL);
    ck_assert_int_eq(ms_name_parse("\\\\box.example\\mailslot\\a", "box", &name), 0);
    ck_assert_int_eq(name.kind, MS_NAME_REMOTE);
    ck_assert_int_eq(ms_name_parse("\\\\box\\mailslot\\a", "", &name), 0);
    ck_assert_int_eq(name.kind, MS_NAME_REMOTE);
    ck_assert_int_eq(ms_name_parse("a", "", &name), 0);
    ck_assert_int_eq(name.kind, MS_NAME_LOCAL);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "name");
    tcase_add_loop_test(cases, a_local_name_is_accepted_in_each_spelling, 0,
                        COUNT(local_names));
    tcase_add_loop_test(cases, a_remote_name_tells_its_host, 0, COUNT(remote_names));
    tcase_add_loop_test(cases, what_is_no_name_is_refused, 0, COUNT(refused_names));
    tcase_add_loop_test(cases, a_bare_name_has_246_bytes_at_most_whatever_its_prefix, 0,
                        COUNT(prefixes));
    tcase_add_test(cases, a_host_has_255_bytes_at_most);
    tcase_add_test(cases, a_message_may_come_from_any_host_without_control_characters);
    tcase_add_test(cases,
                   control_characters_separators_and_ends_are_the_only_bytes_refused);
    tcase_add_test(cases, only_ascii_letters_are_folded);
    tcase_add_loop_test(cases, the_bare_name_is_one_more_spelling_of_the_slot, 0,
                        COUNT(local_names));
    tcase_add_test(cases, two_spellings_of_a_slot_meet);
    tcase_add_test(cases, two_names_never_meet);
    tcase_add_test(cases, a_host_of_one_label_or_none_is_known_too);
    return suite_run(suite);
}
