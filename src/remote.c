/* SPDX-License-Identifier: MIT */
/* A sender's end of a slot of another machine. */
#include "remote.h"

#include "backend.h"
#include "wire/outbound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct remote {
    enum ms_handle handle;
    mailslot_writer *outbox;
    size_t head_size;
    uint8_t head[MS_OUTBOUND_HEAD_MAX];
};

static struct remote *remote_of(mailslot_writer *writer) {
    return (struct remote *)(void *)writer;
}

void ms_remote_outbox(struct ms_name *ret_name) {
    ms_name_parse(MS_OUTBOUND_SLOT, "", ret_name);
}

static int open_outbox(mailslot_writer **ret_writer) {
    struct ms_name outbox;
    ms_remote_outbox(&outbox);
    int r = ms_writer_open(&outbox, ret_writer);
    return r == -ENOENT ? -EHOSTUNREACH : r;
}

int ms_remote_open(const struct ms_name *name, mailslot_writer **ret_writer) {
    struct remote *remote = calloc(1, sizeof *remote);
    if (!remote) {
        return -ENOMEM;
    }
    int r = ms_outbound_encode(name->host, name->bare, remote->head);
    if (r >= 0) {
        remote->head_size = (size_t)r;
        r = open_outbox(&remote->outbox);
    }
    if (r < 0) {
        free(remote);
        return r;
    }
    remote->handle = MS_HANDLE_REMOTE;
    *ret_writer = (mailslot_writer *)(void *)remote;
    return 0;
}

bool ms_remote_is_open(const mailslot_writer *writer) {
    const struct remote *remote = (const struct remote *)(const void *)writer;
    return *(const enum ms_handle *)(const void *)remote->outbox == MS_HANDLE_WRITER;
}

void ms_remote_close(mailslot_writer *writer) {
    struct remote *remote = remote_of(writer);
    ms_writer_close(remote->outbox);
    remote->handle = MS_HANDLE_NONE;
    free(remote);
}

/* Bytes for all messages with their heads, and for the list of them; 0: too many. */
static size_t room_for(const struct remote *remote, const mailslot_buffer *messages,
                       size_t count) {
    size_t each = sizeof(mailslot_buffer) + remote->head_size;
    if (count > SIZE_MAX / each) {
        return 0;
    }
    size_t room = count * each;
    for (size_t i = 0; i < count; i++) {
        if (messages[i].size > SIZE_MAX - room) {
            return 0;
        }
        room += messages[i].size;
    }
    return room;
}

/* Behind the list lie the copies: head and message are one message for the outbox. */
static void pack(const struct remote *remote, const mailslot_buffer *messages,
                 size_t count, mailslot_buffer *ret_packed) {
    uint8_t *end = (uint8_t *)(ret_packed + count);
    for (size_t i = 0; i < count; i++) {
        ret_packed[i] = (mailslot_buffer){.data = end,
                                          .size = remote->head_size + messages[i].size};
        memcpy(end, remote->head, remote->head_size);
        end += remote->head_size;
        if (messages[i].size) {
            memcpy(end, messages[i].data, messages[i].size);
            end += messages[i].size;
        }
    }
}

int ms_remote_send_all(mailslot_writer *writer, const mailslot_buffer *messages,
                       size_t count, int64_t timeout_ms, size_t *ret_sent) {
    struct remote *remote = remote_of(writer);
    if (count == 0) {
        return ms_writer_send_all(remote->outbox, NULL, 0, timeout_ms, ret_sent);
    }
    size_t room = room_for(remote, messages, count);
    mailslot_buffer *packed = room ? malloc(room) : NULL;
    if (!packed) {
        return -ENOMEM;
    }
    pack(remote, messages, count, packed);
    int r = ms_writer_send_all(remote->outbox, packed, count, timeout_ms, ret_sent);
    free(packed);
    return r;
}
