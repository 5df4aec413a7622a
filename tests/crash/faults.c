/* SPDX-License-Identifier: MIT */
/* Faults: what the scenarios share. */
#include "faults.h"

#include "invariants.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOTE_SIZE_MAX (1u << 20)

const int create_errors[] = {EACCES, EBADMSG, EFBIG,  EMFILE, ENAMETOOLONG, ENFILE,
                             ENOENT, ENOMEM,  ENOSPC, ENOSYS, ETIMEDOUT,    0};
const int open_errors[] = {EACCES, EBADMSG, EINTR,  EMFILE,    ENAMETOOLONG,
                           ENFILE, ENOENT,  ENOMEM, ETIMEDOUT, 0};
const int remote_errors[] = {EACCES,       EBADMSG, EHOSTUNREACH, EINTR,     EMFILE,
                             ENAMETOOLONG, ENFILE,  ENOMEM,       ETIMEDOUT, 0};
const int send_errors[] = {EACCES, EAGAIN, EBADMSG, EFBIG,  EINTR,     EMFILE,
                           ENFILE, ENOMEM, ENOSPC,  ENOSYS, ETIMEDOUT, 0};
const int once_errors[] = {EACCES, EAGAIN, EBADMSG,      EFBIG,  EINTR,
                           EMFILE, ENFILE, ENAMETOOLONG, ENOENT, ENOMEM,
                           ENOSPC, ENOSYS, ETIMEDOUT,    0};
const int read_errors[] = {EAGAIN, EBADMSG, ECANCELED, EINTR, ETIMEDOUT, 0};
const int info_errors[] = {EACCES, EBADMSG, EMFILE, ENFILE, ENOENT, ENOMEM, 0};
const int fd_errors[] = {EMFILE, ENFILE, ENOMEM, 0};

static _Alignas(8) unsigned char buffer[NOTE_SIZE_MAX];

bool fault_has_failed(const char *call, int result, int expected, const int *errors) {
    if (result == expected) {
        return false;
    }
    bool is_listed = false;
    for (size_t i = 0; errors[i]; i++) {
        is_listed = is_listed || result == -errors[i];
    }
    if (!is_listed || !fault_board->steps.has_failed) {
        fprintf(stderr, "%s: %s (%s), expected %d\n", call, mailslot_error_name(result),
                strerror(-result), expected);
        REQUIRE(is_listed && fault_board->steps.has_failed);
    }
    return true;
}

int send_note(mailslot_writer *writer, uint32_t who, uint32_t index, uint32_t size,
              int64_t timeout_ms) {
    note_write(buffer, who, index, size);
    return mailslot_writer_send(writer, buffer, size, timeout_ms);
}

void read_note(mailslot *slot, uint32_t who, uint32_t index) {
    mailslot_message message;
    struct note note;
    HOLDS(mailslot_peek(slot, 0, &message) == 0);
    HOLDS(note_read(message.data, message.size, &note));
    HOLDS(note.writer == who && note.index == index);
    HOLDS(mailslot_consume(slot) == 0);
}

void check_slot(const char *name, uint64_t count) {
    char path[256];
    mailslot_info info = MAILSLOT_INFO_INIT;
    registry_path(name, path);
    invariants_check(path, count);
    HOLDS(mailslot_get_info_by_name(name, &info) == 0 && info.count == count);
}

void check_reuse(const char *name, int others) {
    mailslot *slot = create_at_once(name, 0);
    HOLDS(registry_files() == others + 1);
    HOLDS(mailslot_send(name, "new", 3, 0) == 0);
    check_slot(name, 1);
    char text[4];
    size_t size;
    HOLDS(mailslot_read(slot, text, sizeof text, 0, &size) == 0 && size == 3);
    mailslot_close(slot);
    HOLDS(registry_files() == others);
}
