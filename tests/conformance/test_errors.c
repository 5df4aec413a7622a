/* SPDX-License-Identifier: MIT */
/* The symbols and texts of errors. */
#include "slots.h"

#include <limits.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Every errno that mailslot.h names. */
static const struct {
    int error;
    const char *name;
} errors[] = {
    {EINVAL, "EINVAL"},         {ENAMETOOLONG, "ENAMETOOLONG"},
    {EEXIST, "EEXIST"},         {EACCES, "EACCES"},
    {EBADMSG, "EBADMSG"},       {ENOENT, "ENOENT"},
    {ETIMEDOUT, "ETIMEDOUT"},   {EFBIG, "EFBIG"},
    {ENOSPC, "ENOSPC"},         {ENOMEM, "ENOMEM"},
    {EMFILE, "EMFILE"},         {ENFILE, "ENFILE"},
    {EAGAIN, "EAGAIN"},         {EMSGSIZE, "EMSGSIZE"},
    {EINTR, "EINTR"},           {ECANCELED, "ECANCELED"},
    {EBADF, "EBADF"},           {EPIPE, "EPIPE"},
    {EOPNOTSUPP, "EOPNOTSUPP"}, {EHOSTUNREACH, "EHOSTUNREACH"},
    {ENOSYS, "ENOSYS"},
};

static const int unknown[] = {0, 12345, -12345, INT_MAX, INT_MIN};

START_TEST(every_error_has_its_symbol) {
    for (size_t i = 0; i < COUNT(errors); i++) {
        ck_assert_str_eq(mailslot_error_name(errors[i].error), errors[i].name);
        ck_assert_str_eq(mailslot_error_name(-errors[i].error), errors[i].name);
    }
}
END_TEST

START_TEST(every_error_has_a_text_of_its_own) {
    for (size_t i = 0; i < COUNT(errors); i++) {
        const char *text = mailslot_error_text(errors[i].error);
        ck_assert_uint_ge(strlen(text), 8);
        ck_assert_str_ne(text, mailslot_error_text(12345));
        ck_assert_ptr_eq(text, mailslot_error_text(-errors[i].error));
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(text, mailslot_error_text(errors[j].error));
        }
    }
    ck_assert_str_eq(mailslot_error_text(ENOENT), "no process owns this slot");
}
END_TEST

START_TEST(an_unknown_error_is_called_so) {
    for (size_t i = 0; i < COUNT(unknown); i++) {
        ck_assert_str_eq(mailslot_error_name(unknown[i]), "EUNKNOWN");
        ck_assert_ptr_nonnull(mailslot_error_text(unknown[i]));
    }
}
END_TEST

START_TEST(what_a_call_returns_has_a_symbol) {
    ck_assert_str_eq(mailslot_error_name(mailslot_send("nobody", "x", 1, 0)), "ENOENT");
    ck_assert_str_eq(mailslot_error_name(mailslot_wait(NULL, 0)), "EBADF");
}
END_TEST

START_TEST(the_version_has_three_numbers) {
    int dots = 0;
    for (const char *c = MAILSLOT_VERSION; *c; c++) {
        ck_assert((*c >= '0' && *c <= '9') || *c == '.');
        dots += *c == '.';
    }
    ck_assert_int_eq(dots, 2);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("errors");
    tcase_add_test(cases, every_error_has_its_symbol);
    tcase_add_test(cases, every_error_has_a_text_of_its_own);
    tcase_add_test(cases, an_unknown_error_is_called_so);
    tcase_add_test(cases, what_a_call_returns_has_a_symbol);
    tcase_add_test(cases, the_version_has_three_numbers);
    return suite_run();
}
