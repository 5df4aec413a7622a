/* SPDX-License-Identifier: MIT */
/* Names as subjects, and which subjects are none of ours. */
#include "packet.h"
#include "wire/subject.h"

#include <stdio.h>

static struct ms_subject make(enum ms_subject_kind kind, const char *target,
                              const char *from, const char *slot) {
    struct ms_subject subject = {.kind = kind};
    snprintf(subject.target, sizeof subject.target, "%s", target);
    snprintf(subject.from, sizeof subject.from, "%s", from);
    snprintf(subject.slot, sizeof subject.slot, "%s", slot);
    return subject;
}

static void is_equal(const struct ms_subject *a, const struct ms_subject *b) {
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_str_eq(a->target, b->target);
    ck_assert_str_eq(a->from, b->from);
    ck_assert_str_eq(a->slot, b->slot);
}

/* What a name becomes, and what comes back: itself, in lower case. */
static const struct {
    enum ms_subject_kind kind;
    const char *target;
    const char *from;
    const char *slot;
    const char *text;
} subjects[] = {
    {MS_SUBJECT_HOST, "h1", "h2", "name", "ms.u.h1.h2.name"},
    {MS_SUBJECT_DOMAIN, "work", "h2", "name", "ms.g.work.h2.name"},
    {MS_SUBJECT_HOST, "h1", "h2", "dir\\name", "ms.u.h1.h2.dir.name"},
    {MS_SUBJECT_HOST, "h1", "h2", "a\\b\\c\\d", "ms.u.h1.h2.a.b.c.d"},
    {MS_SUBJECT_HOST, "box.example.org", "h-2_x", "n",
     "ms.u.box=2Eexample=2Eorg.h-2_x.n"},
    {MS_SUBJECT_HOST, "h1", "h2", "a b", "ms.u.h1.h2.a=20b"},
    {MS_SUBJECT_HOST, "h1", "h2", "*>.=$", "ms.u.h1.h2.=2A=3E=2E=3D=24"},
    {MS_SUBJECT_HOST, "h1", "h2", "caf\xc3\xa9", "ms.u.h1.h2.caf=C3=A9"},
    {MS_SUBJECT_HOST, "h1", "h2", "=61", "ms.u.h1.h2.=3D61"},
    {MS_SUBJECT_HOST, "u", "g", "ms.u.h1", "ms.u.u.g.ms=2Eu=2Eh1"},
    {MS_SUBJECT_DOMAIN, "*", "h2", "x", "ms.g.=2A.h2.x"},
};

START_TEST(a_name_becomes_a_subject_and_comes_back) {
    char buffer[MS_SUBJECT_MAX];
    struct ms_subject again;
    enum ms_reason reason;
    struct ms_subject subject = make(subjects[_i].kind, subjects[_i].target,
                                     subjects[_i].from, subjects[_i].slot);
    int size = ms_subject_encode(&subject, buffer, sizeof buffer);
    ck_assert_int_eq(size, (int)strlen(subjects[_i].text));
    ck_assert_mem_eq(buffer, subjects[_i].text, (size_t)size);
    ck_assert_int_eq(ms_subject_decode(buffer, (size_t)size, &again, &reason), 0);
    is_equal(&again, &subject);
}
END_TEST

START_TEST(names_that_differ_in_case_have_one_subject) {
    struct ms_subject subject = make(MS_SUBJECT_HOST, "BOX.Org", "H2", "Dir\\NAME");
    const char text[] = "ms.u.box=2Eorg.h2.dir.name";
    char buffer[MS_SUBJECT_MAX];
    ck_assert_int_eq(ms_subject_encode(&subject, buffer, sizeof buffer),
                     (int)sizeof text - 1);
    ck_assert_mem_eq(buffer, text, sizeof text - 1);
}
END_TEST

static const struct {
    const char *target;
    const char *from;
    const char *slot;
} bad_names[] = {
    {"", "h2", "x"},     {"h1", "", "x"},        {"h1", "h2", ""},
    {"h\\1", "h2", "x"}, {"h1", "h\\2", "x"},    {"h1", "h2", "\\x"},
    {"h1", "h2", "x\\"}, {"h1", "h2", "x\\\\y"}, {"h1", "h2", "x/y"},
    {"h/1", "h2", "x"},  {"h1", "h2", "x\ny"},   {"h1", "h2", "x\x7fy"},
    {"h1\t", "h2", "x"}, {"h1", "\x01", "x"},
};

START_TEST(what_cannot_be_a_name_has_no_subject) {
    char buffer[MS_SUBJECT_MAX];
    struct ms_subject subject = make(MS_SUBJECT_HOST, bad_names[_i].target,
                                     bad_names[_i].from, bad_names[_i].slot);
    ck_assert_int_eq(ms_subject_encode(&subject, buffer, sizeof buffer), -EINVAL);
}
END_TEST

#define TEXT(text) text, sizeof text - 1

static const struct {
    const char *text;
    size_t size;
    enum ms_reason reason;
} refused[] = {
    {TEXT(""), MS_REASON_SUBJECT},
    {TEXT("ms.u"), MS_REASON_SUBJECT},
    {TEXT("ms.b.h1.h2.x"), MS_REASON_SUBJECT},
    {TEXT("MS.u.h1.h2.x"), MS_REASON_SUBJECT},
    {TEXT("ms.U.h1.h2.x"), MS_REASON_SUBJECT},
    {TEXT("ms.uh1.h2.x"), MS_REASON_SUBJECT},
    {TEXT("_INBOX.h1.h2"), MS_REASON_SUBJECT},
    {TEXT("ms.u."), MS_REASON_TOKEN},
    {TEXT("ms.u.h1"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1."), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2."), MS_REASON_TOKEN},
    {TEXT("ms.u..h2.x"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1..x"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.x."), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2..x"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.x..y"), MS_REASON_TOKEN},
    {TEXT("ms.u.H1.h2.x"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.X"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.*"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.>"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.a b"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.a\0b"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.a\\b"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.\xc3\xa9"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.="), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.=2"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.=.0"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.=2G"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.=2e"), MS_REASON_TOKEN}, /* digits are upper-case */
    {TEXT("ms.u.h1.h2.=61"), MS_REASON_TOKEN}, /* a */
    {TEXT("ms.u.h1.h2.=41"), MS_REASON_TOKEN}, /* A */
    {TEXT("ms.u.h1.h2.=2D"), MS_REASON_TOKEN}, /* - */
    {TEXT("ms.u.h1.h2.=00"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.=0A"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.=7F"), MS_REASON_TOKEN},
    {TEXT("ms.u.h1.h2.a=5Cb"), MS_REASON_TOKEN}, /* \ */
    {TEXT("ms.u.h1.h2.a=2Fb"), MS_REASON_TOKEN}, /* / */
};

START_TEST(a_subject_that_no_name_has_is_refused) {
    struct ms_subject subject;
    enum ms_reason reason = MS_REASON_COUNT;
    ck_assert_int_eq(
        ms_subject_decode(refused[_i].text, refused[_i].size, &subject, &reason),
        -EBADMSG);
    ck_assert_str_eq(ms_reason_text(reason), ms_reason_text(refused[_i].reason));
}
END_TEST

/* The longest names of bytes that take three each; one more byte is refused. */
START_TEST(the_longest_names_have_a_subject_and_longer_ones_are_refused) {
    char text[MS_SUBJECT_MAX + 3];
    struct ms_subject subject = {.kind = MS_SUBJECT_DOMAIN};
    struct ms_subject again;
    enum ms_reason reason = MS_REASON_COUNT;
    memset(subject.target, '.', sizeof subject.target - 1);
    memset(subject.from, ' ', sizeof subject.from - 1);
    memset(subject.slot, '*', sizeof subject.slot - 1);
    int size = ms_subject_encode(&subject, text, MS_SUBJECT_MAX);
    ck_assert_int_eq(size, MS_SUBJECT_MAX);
    ck_assert_int_eq(ms_subject_encode(&subject, text, MS_SUBJECT_MAX - 1), -ENOBUFS);
    ck_assert_int_eq(ms_subject_decode(text, (size_t)size, &again, &reason), 0);
    is_equal(&again, &subject);

    memcpy(text + size, "=2A", 3);
    ck_assert_int_eq(ms_subject_decode(text, (size_t)size + 1, &again, &reason),
                     -EBADMSG);
    ck_assert_int_eq(ms_subject_decode(text, (size_t)size + 3, &again, &reason),
                     -EBADMSG);
    text[size] = 'x';
    ck_assert_int_eq(ms_subject_decode(text, (size_t)size + 1, &again, &reason),
                     -EBADMSG);
    memcpy(text + size, ".x", 2);
    ck_assert_int_eq(ms_subject_decode(text, (size_t)size + 2, &again, &reason),
                     -EBADMSG);
    ck_assert_uint_eq(reason, MS_REASON_TOKEN);
}
END_TEST

START_TEST(a_host_of_256_bytes_is_refused) {
    char text[512] = "ms.u.";
    struct ms_subject subject;
    enum ms_reason reason = MS_REASON_COUNT;
    for (size_t size = 255; size <= 256; size++) {
        memset(text + 5, 'h', size);
        strcpy(text + 5 + size, ".f.x");
        ck_assert_int_eq(ms_subject_decode(text, strlen(text), &subject, &reason),
                         size == 255 ? 0 : -EBADMSG);
    }
}
END_TEST

/* A text of such bytes as names can have. */
static void make_random(uint64_t *state, char *text, size_t max, bool is_path) {
    static const char separators[] = "/\\\x7f";
    size_t size = 1 + random_next(state) % max;
    for (size_t i = 0; i < size; i++) {
        char c;
        do {
            c = (char)(0x20 + random_next(state) % 0xe0);
        } while (strchr(separators, c) || (c >= 'A' && c <= 'Z'));
        bool can_part = is_path && i > 0 && i + 1 < size && text[i - 1] != '\\';
        text[i] = can_part && random_next(state) % 5 == 0 ? (char)'\\' : c;
    }
    text[size] = '\0';
}

START_TEST(any_name_in_lower_case_comes_back) {
    uint64_t state = 1;
    for (int round = 0; round < 5000; round++) {
        char text[MS_SUBJECT_MAX];
        struct ms_subject subject = {.kind = (enum ms_subject_kind)(round % 2)};
        struct ms_subject again;
        enum ms_reason reason;
        make_random(&state, subject.target, MS_SUBJECT_HOST_MAX, false);
        make_random(&state, subject.from, MS_SUBJECT_HOST_MAX, false);
        make_random(&state, subject.slot, MAILSLOT_NAME_MAX, true);
        int size = ms_subject_encode(&subject, text, sizeof text);
        HOLDS(size > 0);
        HOLDS(ms_subject_decode(text, (size_t)size, &again, &reason) == 0);
        HOLDS(again.kind == subject.kind && strcmp(again.target, subject.target) == 0 &&
              strcmp(again.from, subject.from) == 0 &&
              strcmp(again.slot, subject.slot) == 0);
    }
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_not_overrun) {
    struct ms_subject subject = make(MS_SUBJECT_HOST, "h.1", "h2", "a\\b c");
    const size_t whole = sizeof "ms.u.h=2E1.h2.a.b=20c" - 1;
    for (size_t capacity = 0; capacity <= whole; capacity++) {
        char buffer[64];
        memset(buffer, 0x5a, sizeof buffer);
        ck_assert_int_eq(ms_subject_encode(&subject, buffer, capacity),
                         capacity < whole ? -ENOBUFS : (int)whole);
        ck_assert_int_eq(buffer[capacity], 0x5a);
    }
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "subject");
    tcase_add_loop_test(cases, a_name_becomes_a_subject_and_comes_back, 0,
                        COUNT(subjects));
    tcase_add_test(cases, names_that_differ_in_case_have_one_subject);
    tcase_add_loop_test(cases, what_cannot_be_a_name_has_no_subject, 0,
                        COUNT(bad_names));
    tcase_add_loop_test(cases, a_subject_that_no_name_has_is_refused, 0,
                        COUNT(refused));
    tcase_add_test(cases, the_longest_names_have_a_subject_and_longer_ones_are_refused);
    tcase_add_test(cases, a_host_of_256_bytes_is_refused);
    tcase_add_test(cases, any_name_in_lower_case_comes_back);
    tcase_add_test(cases, a_buffer_that_is_too_small_is_not_overrun);
    return suite_run(suite);
}
