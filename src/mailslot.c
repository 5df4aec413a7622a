/* SPDX-License-Identifier: MIT */
/* The public calls: arguments are checked here, slots live in the backend. */
#include "mailslot.h"

#include "backend.h"
#include "remote.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define MAX_BYTES_DEFAULT (UINT64_C(1) << 30)
#define MAX_BYTES_LIMIT (UINT64_C(1) << 40)
#define MODE_OF_OTHERS 0022u

static bool is_slot(const mailslot *slot) {
    return slot && *(const enum ms_handle *)(const void *)slot == MS_HANDLE_SLOT;
}

static bool is_remote(const mailslot_writer *writer) {
    return writer && *(const enum ms_handle *)(const void *)writer == MS_HANDLE_REMOTE;
}

static bool is_writer(const mailslot_writer *writer) {
    if (is_remote(writer)) {
        return ms_remote_is_open(writer);
    }
    return writer && *(const enum ms_handle *)(const void *)writer == MS_HANDLE_WRITER;
}

static bool is_timeout(int64_t timeout_ms) {
    return timeout_ms >= 0 && timeout_ms <= MAILSLOT_FOREVER;
}

static bool is_info(const mailslot_info *info) {
    return !info || info->size == sizeof *info;
}

static int parse_name(const char *text, struct ms_name *ret_name) {
    char host_name[MS_HOST_NAME_MAX + 1] = "";
    if (ms_name_tells_host(text)) {
        ms_backend_host_name(host_name);
    }
    return ms_name_parse(text, host_name, ret_name);
}

/* Others may be let send, and nothing else. */
static bool are_in_range(const mailslot_options *options) {
    return options->max_bytes <= MAX_BYTES_LIMIT &&
           options->user_max_bytes <= options->max_bytes &&
           (options->mode & ~MODE_OF_OTHERS) == MAILSLOT_MODE_PRIVATE;
}

int mailslot_create(const char *name, const mailslot_options *options,
                    mailslot **ret_slot) {
    mailslot_options chosen = MAILSLOT_OPTIONS_INIT;
    if (!ret_slot || (options && options->size != sizeof *options)) {
        return -EINVAL;
    }
    if (options) {
        chosen = *options;
    }
    if (chosen.max_bytes == 0) {
        chosen.max_bytes = MAX_BYTES_DEFAULT;
    }
    if (chosen.mode == 0) {
        chosen.mode = MAILSLOT_MODE_PRIVATE;
    }
    if (!are_in_range(&chosen)) {
        return -EINVAL;
    }
    struct ms_name parsed;
    int r = parse_name(name, &parsed);
    if (r < 0) {
        return r;
    }
    /* Differs: Windows says ERROR_PATH_NOT_FOUND for a slot elsewhere. */
    return parsed.kind == MS_NAME_LOCAL ? ms_slot_create(&parsed, &chosen, ret_slot)
                                        : -EINVAL;
}

mailslot *mailslot_close(mailslot *slot) {
    if (slot) {
        ms_slot_close(slot);
    }
    return NULL;
}

/* MAILSLOT_DEFAULT becomes the slot's timeout. */
static int check_read(const mailslot *slot, int64_t *timeout_ms) {
    if (!is_slot(slot)) {
        return -EBADF;
    }
    if (*timeout_ms == MAILSLOT_DEFAULT) {
        *timeout_ms = ms_slot_timeout_ms(slot);
    }
    return is_timeout(*timeout_ms) ? 0 : -EINVAL;
}

int mailslot_read(mailslot *slot, void *buffer, size_t capacity, int64_t timeout_ms,
                  size_t *ret_size) {
    int r = check_read(slot, &timeout_ms);
    if (r < 0) {
        return r;
    }
    if (!ret_size || (!buffer && capacity)) {
        return -EINVAL;
    }
    mailslot_message message;
    ms_slot_forget(slot);
    r = ms_slot_show(slot, timeout_ms, &message);
    if (r < 0) {
        return r;
    }
    *ret_size = message.size;
    if (message.size > capacity) {
        ms_slot_forget(slot);
        return -EMSGSIZE;
    }
    if (message.size) {
        ms_slot_copy(buffer, &message);
    }
    ms_slot_release(slot);
    return 0;
}

int mailslot_peek(mailslot *slot, int64_t timeout_ms, mailslot_message *ret_message) {
    int r = check_read(slot, &timeout_ms);
    if (r < 0) {
        return r;
    }
    return ret_message ? ms_slot_show(slot, timeout_ms, ret_message) : -EINVAL;
}

int mailslot_consume(mailslot *slot) {
    if (!is_slot(slot)) {
        return -EBADF;
    }
    ms_slot_release(slot);
    return 0;
}

int mailslot_unpeek(mailslot *slot) {
    if (!is_slot(slot)) {
        return -EBADF;
    }
    ms_slot_forget(slot);
    return 0;
}

int mailslot_wait(mailslot *slot, int64_t timeout_ms) {
    int r = check_read(slot, &timeout_ms);
    return r < 0 ? r : ms_slot_wait(slot, timeout_ms);
}

int mailslot_cancel(mailslot *slot) {
    if (!is_slot(slot)) {
        return -EBADF;
    }
    ms_slot_cancel(slot);
    return 0;
}

int mailslot_get_fd(mailslot *slot, int *ret_fd) {
    if (!is_slot(slot)) {
        return -EBADF;
    }
    return ret_fd ? ms_slot_get_fd(slot, ret_fd) : -EINVAL;
}

int mailslot_set_timeout(mailslot *slot, uint32_t timeout_ms) {
    if (!is_slot(slot)) {
        return -EBADF;
    }
    ms_slot_set_timeout_ms(slot, timeout_ms);
    return 0;
}

int mailslot_get_info(mailslot *slot, mailslot_info *info) {
    if (!is_slot(slot)) {
        return -EBADF;
    }
    if (!is_info(info)) {
        return -EINVAL;
    }
    return info ? ms_slot_info(slot, info) : 0;
}

int mailslot_open(const char *name, mailslot_writer **ret_writer) {
    if (!ret_writer) {
        return -EINVAL;
    }
    struct ms_name parsed;
    int r = parse_name(name, &parsed);
    if (r < 0) {
        return r;
    }
    return parsed.kind == MS_NAME_LOCAL ? ms_writer_open(&parsed, ret_writer)
                                        : ms_remote_open(&parsed, ret_writer);
}

mailslot_writer *mailslot_writer_close(mailslot_writer *writer) {
    if (is_remote(writer)) {
        ms_remote_close(writer);
    } else if (writer) {
        ms_writer_close(writer);
    }
    return NULL;
}

static int check_send(mailslot_writer *writer, const mailslot_buffer *messages,
                      size_t count, int64_t timeout_ms) {
    if (!is_writer(writer)) {
        return -EBADF;
    }
    if (!is_timeout(timeout_ms) || (!messages && count)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!messages[i].data && messages[i].size) {
            return -EINVAL;
        }
    }
    return 0;
}

int mailslot_writer_send(mailslot_writer *writer, const void *data, size_t size,
                         int64_t timeout_ms) {
    mailslot_buffer message = {.data = data, .size = size};
    size_t sent;
    int r = check_send(writer, &message, 1, timeout_ms);
    if (r < 0) {
        return r;
    }
    return is_remote(writer)
               ? ms_remote_send_all(writer, &message, 1, timeout_ms, &sent)
               : ms_writer_send(writer, &message, timeout_ms);
}

int mailslot_writer_send_all(mailslot_writer *writer, const mailslot_buffer *messages,
                             size_t count, int64_t timeout_ms, size_t *ret_sent) {
    size_t sent = 0;
    if (!ret_sent) {
        ret_sent = &sent;
    }
    *ret_sent = 0;
    int r = check_send(writer, messages, count, timeout_ms);
    if (r < 0) {
        return r;
    }
    return is_remote(writer)
               ? ms_remote_send_all(writer, messages, count, timeout_ms, ret_sent)
               : ms_writer_send_all(writer, messages, count, timeout_ms, ret_sent);
}

int mailslot_writer_set_origin(mailslot_writer *writer, const char *host,
                               int is_verified) {
    if (!is_writer(writer)) {
        return -EBADF;
    }
    if (host && !ms_name_is_host(host)) {
        return -EINVAL;
    }
    return is_remote(writer) ? -EOPNOTSUPP
                             : ms_writer_set_origin(writer, host, is_verified != 0);
}

int mailslot_writer_get_info(mailslot_writer *writer, mailslot_info *info) {
    if (!is_writer(writer)) {
        return -EBADF;
    }
    if (!is_info(info)) {
        return -EINVAL;
    }
    if (!info) {
        return 0;
    }
    return is_remote(writer) ? -EOPNOTSUPP : ms_writer_info(writer, info);
}

int mailslot_writer_get_accepted(mailslot_writer *writer, int64_t *ret_created_ns,
                                 uint64_t *ret_accepted) {
    if (!is_writer(writer)) {
        return -EBADF;
    }
    if (!ret_created_ns || !ret_accepted) {
        return -EINVAL;
    }
    return is_remote(writer) ? -EOPNOTSUPP
                             : ms_writer_accepted(writer, ret_created_ns, ret_accepted);
}

/* Who opened the slot a moment ago calls a dead one missing. */
static int as_missing(int r, int missing) {
    return r == -EPIPE ? missing : r;
}

int mailslot_send(const char *name, const void *data, size_t size, int64_t timeout_ms) {
    if (!is_timeout(timeout_ms) || (!data && size)) {
        return -EINVAL;
    }
    struct ms_name parsed;
    int r = parse_name(name, &parsed);
    if (r == 0 && parsed.kind == MS_NAME_LOCAL &&
        ms_writer_send_once(&parsed, data, size) == 0) {
        return 0;
    }
    mailslot_writer *writer;
    r = mailslot_open(name, &writer);
    if (r < 0) {
        return r;
    }
    int missing = is_remote(writer) ? -EHOSTUNREACH : -ENOENT;
    r = mailslot_writer_send(writer, data, size, timeout_ms);
    mailslot_writer_close(writer);
    return as_missing(r, missing);
}

int mailslot_get_info_by_name(const char *name, mailslot_info *info) {
    if (!is_info(info)) {
        return -EINVAL;
    }
    struct ms_name parsed;
    int r = parse_name(name, &parsed);
    if (r < 0) {
        return r;
    }
    if (parsed.kind == MS_NAME_REMOTE) {
        return -EOPNOTSUPP;
    }
    mailslot_writer *writer;
    r = ms_writer_open(&parsed, &writer);
    if (r < 0) {
        return r;
    }
    r = mailslot_writer_get_info(writer, info);
    mailslot_writer_close(writer);
    return as_missing(r, -ENOENT);
}

const char *mailslot_name_fault(const char *name) {
    return ms_name_fault(name);
}

int mailslot_get_owner(const char *name, uint32_t *ret_uid) {
    struct ms_name parsed;
    int r = ret_uid ? parse_name(name, &parsed) : -EINVAL;
    if (r < 0) {
        return r;
    }
    if (parsed.kind == MS_NAME_REMOTE) {
        ms_remote_outbox(&parsed);
    }
    return ms_backend_owner(&parsed, ret_uid);
}

int64_t mailslot_now_ms(void) {
    return ms_backend_now_ms();
}
