/* SPDX-License-Identifier: MIT */
/* Errors: each errno that a call can return, with what it means for a mailslot. */
#include "mailslot.h"

#include <errno.h>

#define ERRORS(X)                                                                    \
    X(EINVAL, "not a mailslot name, or an argument out of its range")                \
    X(ENAMETOOLONG, "the name is too long")                                          \
    X(EEXIST, "another owner serves this name")                                      \
    X(ENOENT, "no process owns this slot")                                           \
    X(EAGAIN, "nothing is queued, or the slot (or this user's share of it) is full") \
    X(ETIMEDOUT, "the time is over")                                                 \
    X(EMSGSIZE, "the message is too large")                                          \
    X(EPIPE, "the owner has gone: open the slot again")                              \
    X(EACCES, "permission denied")                                                   \
    X(EBADF, "not an open handle of this process")                                   \
    X(ENOSPC, "the file system of the slots is full")                                \
    X(ENOMEM, "out of memory")                                                       \
    X(EMFILE, "this process has too many open files")                                \
    X(ENFILE, "the system has too many open files")                                  \
    X(EFBIG, "the limit on file sizes (ulimit -f) is below the size of the slot")    \
    X(EBADMSG, "damaged, or not a mailslot")                                         \
    X(EINTR, "interrupted by a signal")                                              \
    X(ENOSYS, "this system lacks the robust locks or files that slots need")         \
    X(ECANCELED, "the wait was cancelled")                                           \
    X(EHOSTUNREACH, "no gateway serves this machine: start mailslot-gateway")        \
    X(EOPNOTSUPP, "a slot of another machine cannot be looked at")

/* Wider than int, which has no positive value for each negative one. */
static int64_t without_sign(int error) {
    return error < 0 ? -(int64_t)error : error;
}

const char *mailslot_error_name(int error) {
    switch (without_sign(error)) {
#define NAME(code, text) \
    case code:           \
        return #code;
        ERRORS(NAME)
    default:
        return "EUNKNOWN";
    }
}

const char *mailslot_error_text(int error) {
    switch (without_sign(error)) {
#define TEXT(code, text) \
    case code:           \
        return text;
        ERRORS(TEXT)
    default:
        return "unknown error";
    }
}
