/* SPDX-License-Identifier: MIT */
/* Which texts name which slot. */
#include "slots.h"

#include <ctype.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Every call that takes a name, with the results that must stay as they are. */
static void expect_refused(const char *name, int error) {
    mailslot_writer *writer = UNTOUCHED_WRITER;
    EXPECT(error, mailslot_open(name, &writer));
    ck_assert_ptr_eq(writer, UNTOUCHED_WRITER);
    EXPECT(error, mailslot_send(name, "x", 1, 0));
    mailslot_info info = MAILSLOT_INFO_INIT;
    info.count = 42;
    EXPECT(error, mailslot_get_info_by_name(name, &info));
    ck_assert_uint_eq(info.count, 42);
}

static void expect_not_created(const char *name, int error) {
    mailslot *slot = UNTOUCHED_SLOT;
    EXPECT(error, mailslot_create(name, NULL, &slot));
    ck_assert_ptr_eq(slot, UNTOUCHED_SLOT);
    ck_assert_int_eq(registry_files(), 0);
}

static void expect_no_name(const char *name) {
    expect_not_created(name, -EINVAL);
    expect_refused(name, -EINVAL);
}

/* Both texts name one slot. */
static void expect_same(const char *name, const char *other) {
    mailslot *slot = new_slot(name);
    mailslot *second = UNTOUCHED_SLOT;
    EXPECT(-EEXIST, mailslot_create(other, NULL, &second));
    EXPECT(0, mailslot_send(other, "to both", 7, 0));
    expect_text(slot, "to both");
    mailslot_close(slot);
}

START_TEST(case_004_a_name_in_other_letter_case_is_taken) {
    expect_same("Name", "NAME");
    expect_same("NAME", "nAmE");
    expect_same("a\\B\\c", "A\\b\\C");
}
END_TEST

START_TEST(case_006_prefix_in_any_letter_case_and_slashes_of_both_kinds_name_one_slot) {
    static const char *const spellings[] = {
        "HelloWorld",
        "helloworld",
        "\\\\.\\mailslot\\HelloWorld",
        "//./mailslot/HelloWorld",
        "\\\\.\\MAILSLOT\\HELLOWORLD",
        "//./MailSlot/helloworld",
        "/\\./mailslot\\HelloWorld",
    };
    for (size_t i = 0; i < COUNT(spellings); i++) {
        for (size_t j = 0; j < COUNT(spellings); j++) {
            expect_same(spellings[i], spellings[j]);
        }
    }
    expect_same("a\\b", "A/B");
    expect_same("//./mailslot/a/b", "a\\b");
}
END_TEST

START_TEST(case_007_letters_beyond_ascii_keep_their_case) {
    mailslot *small = new_slot("caf\xc3\xa9");
    mailslot *large = new_slot("caf\xc3\x89");
    EXPECT(0, mailslot_send("CAF\xc3\xa9", "small", 5, 0));
    EXPECT(0, mailslot_send("CAF\xc3\x89", "large", 5, 0));
    expect_text(small, "small");
    expect_text(large, "large");
    mailslot_close(small);
    mailslot_close(large);
}
END_TEST

START_TEST(case_008_a_name_of_components_needs_no_parent) {
    mailslot *slot = new_slot("a\\b\\c");
    expect_refused("a", -ENOENT);
    expect_refused("a\\b", -ENOENT);
    EXPECT(0, mailslot_send("a\\b\\c", "x", 1, 0));
    expect_text(slot, "x");
    mailslot_close(slot);
}
END_TEST

/* The slot of each name gets what was sent to that name, and nothing else. */
static void expect_distinct(const char *const *names, size_t count) {
    mailslot *slots[64];
    ck_assert_uint_le(count, COUNT(slots));
    for (size_t i = 0; i < count; i++) {
        slots[i] = new_slot(names[i]);
    }
    for (size_t i = 0; i < count; i++) {
        EXPECT(0, mailslot_send(names[i], names[i], strlen(names[i]), 0));
    }
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(info_of(slots[i]).name, names[i]);
        expect_text(slots[i], names[i]);
        expect_nothing(slots[i]);
        mailslot_close(slots[i]);
    }
}

START_TEST(case_009_a_slot_and_one_below_it_are_unrelated) {
    static const char *const names[] = {"a", "a\\b", "a\\b\\c", "b"};
    expect_distinct(names, COUNT(names));
}
END_TEST

START_TEST(two_names_never_meet) {
    static const char *const names[] = {
        "a",          "ab",       "a b",  "a.b",   "a..b",     "a-b",
        "a_b",        "a\\b",     "a%b",  "a%5cb", "a#b",      "a:b",
        "a*b",        "a?b",      "a|b",  "a\"b",  "a<b>",     "a~1",
        ".a",         "..a",      "...a", " a",    "mailslot", "mailslot\\a",
        "mailslot.a", "con",      "nul",  "-rf",   "$HOME",    "`a`",
        "c:\\a",      "\xc3\xa9", "\xe9", "\xff",  "a\\.b",    "a\\ b",
    };
    expect_distinct(names, COUNT(names));
}
END_TEST

START_TEST(case_010_the_name_of_another_device_is_no_name) {
    expect_no_name("\\\\.\\pipe\\a");
    expect_no_name("\\\\.\\COM1");
    expect_no_name("\\\\.\\mailslots\\a");
    expect_no_name("\\\\.\\mail\\a");
    expect_no_name("//./pipe/a");
    expect_no_name("\\\\?\\mailslot\\a");
    expect_no_name("\\\\?\\C:\\a");
    expect_no_name("\\\\host\\share\\a");
    expect_no_name("\\\\host");
    expect_no_name("\\\\host\\");
    expect_no_name("\\\\host\\mailslot");
    expect_no_name("\\\\host\\mailslot\\");
}
END_TEST

START_TEST(case_011_null_is_no_name) {
    expect_no_name(NULL);
}
END_TEST

START_TEST(case_012_nothing_and_the_bare_prefix_are_no_names) {
    expect_no_name("");
    expect_no_name("\\\\.\\mailslot\\");
    expect_no_name("\\\\.\\mailslot");
    expect_no_name("//./mailslot/");
    expect_no_name("\\\\.\\");
    expect_no_name("\\\\.");
    expect_no_name("\\\\");
    expect_no_name("\\");
    expect_no_name("/");
}
END_TEST

static const char *const remote_names[] = {
    "\\\\elsewhere.example\\mailslot\\a",
    "\\\\*\\mailslot\\a",
    "//elsewhere.example/MAILSLOT/a\\b",
};

START_TEST(case_013_a_slot_of_another_machine_is_not_created) {
    for (size_t i = 0; i < COUNT(remote_names); i++) {
        expect_not_created(remote_names[i], -EINVAL);
    }
}
END_TEST

START_TEST(case_015_no_name_leads_out_of_the_registry_or_to_another_slot) {
    static const char *const refused[] = {
        ".",
        "..",
        "../a",
        "..\\a",
        "a/../b",
        "a\\..\\b",
        "a/./b",
        "a/..",
        "a\\.",
        "a.",
        "a..",
        "a ",
        "a. ",
        " ",
        "a.\\b",
        "a \\b",
        "a\\\\b",
        "a//b",
        "a\\",
        "a/",
        "\\a",
        "/a",
        "/etc/a",
        "a\nb",
        "a\tb",
        "\x01",
        "a\x1f",
        "a\x7f",
        "\\\\.\\mailslot\\..\\a",
        "\\\\.\\mailslot\\\\a",
        "//./mailslot/a/../b",
        "\\\\..\\mailslot\\a",
        "\\\\\\mailslot\\a",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        expect_no_name(refused[i]);
    }
}
END_TEST

/* A name of that many bytes after the prefix. */
static const char *long_name(const char *prefix, size_t size) {
    static char name[512];
    size_t prefix_size = strlen(prefix);
    memcpy(name, prefix, prefix_size);
    memset(name + prefix_size, 'n', size);
    name[prefix_size + size / 2] = '\\';
    name[prefix_size + size] = '\0';
    return name;
}

START_TEST(case_016_a_name_of_246_bytes_works_and_one_of_247_is_too_long) {
    static const char *const prefixes[] = {"", "\\\\.\\mailslot\\", "//./MAILSLOT/"};
    ck_assert_int_eq(MAILSLOT_NAME_MAX, 246);
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        expect_not_created(long_name(prefixes[i], 247), -ENAMETOOLONG);
        expect_refused(long_name(prefixes[i], 247), -ENAMETOOLONG);
        mailslot *slot = new_slot(long_name(prefixes[i], 246));
        EXPECT(0, mailslot_send(long_name("", 246), "fits", 4, 0));
        expect_text(slot, "fits");
        ck_assert_str_eq(info_of(slot).name, long_name("", 246));
        mailslot_close(slot);
    }
}
END_TEST

START_TEST(the_name_of_this_machine_is_local) {
    char host[128];
    char name[192];
    own_host_name(host, sizeof host);
    snprintf(name, sizeof name, "\\\\%s\\mailslot\\a", host);
    expect_same("a", name);
    expect_same(name, "a");
    for (char *c = host; *c; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    snprintf(name, sizeof name, "//%s/mailslot/A", host);
    expect_same("a", name);
    host[strcspn(host, ".")] = '\0';
    snprintf(name, sizeof name, "\\\\%s\\mailslot\\a", host);
    expect_same("a", name);
}
END_TEST

START_TEST(info_tells_the_bare_name_as_created) {
    static const char *const names[][2] = {
        {"HelloWorld", "HelloWorld"},
        {"\\\\.\\mailslot\\Hello\\World", "Hello\\World"},
        {"//./MAILSLOT/Hello/wORLD", "Hello\\wORLD"},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        mailslot *slot = new_slot(names[i][0]);
        ck_assert_str_eq(info_of(slot).name, names[i][1]);
        mailslot_info info = MAILSLOT_INFO_INIT;
        EXPECT(0, mailslot_get_info_by_name(names[i][0], &info));
        ck_assert_str_eq(info.name, names[i][1]);
        mailslot_close(slot);
    }
}
END_TEST

START_TEST(what_is_wrong_with_a_name_is_told) {
    static const char *const names[] = {NULL, "", "a\\", "a.", "a\n", "\\\\.\\pipe\\a"};
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_ptr_nonnull(mailslot_name_fault(names[i]));
    }
    ck_assert_str_eq(mailslot_name_fault("a."),
                     "it, or a part of it, ends in a dot or a space");
    ck_assert_ptr_null(mailslot_name_fault("a"));
    ck_assert_ptr_null(mailslot_name_fault("\\\\HOST\\mailslot\\a"));
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("names");
    tcase_add_test(cases, case_004_a_name_in_other_letter_case_is_taken);
    tcase_add_test(
        cases,
        case_006_prefix_in_any_letter_case_and_slashes_of_both_kinds_name_one_slot);
    tcase_add_test(cases, case_007_letters_beyond_ascii_keep_their_case);
    tcase_add_test(cases, case_008_a_name_of_components_needs_no_parent);
    tcase_add_test(cases, case_009_a_slot_and_one_below_it_are_unrelated);
    tcase_add_test(cases, two_names_never_meet);
    tcase_add_test(cases, case_010_the_name_of_another_device_is_no_name);
    tcase_add_test(cases, case_011_null_is_no_name);
    tcase_add_test(cases, case_012_nothing_and_the_bare_prefix_are_no_names);
    tcase_add_test(cases, case_013_a_slot_of_another_machine_is_not_created);
    tcase_add_test(cases,
                   case_015_no_name_leads_out_of_the_registry_or_to_another_slot);
    tcase_add_test(cases,
                   case_016_a_name_of_246_bytes_works_and_one_of_247_is_too_long);
    tcase_add_test(cases, the_name_of_this_machine_is_local);
    tcase_add_test(cases, info_tells_the_bare_name_as_created);
    tcase_add_test(cases, what_is_wrong_with_a_name_is_told);
    return suite_run();
}
