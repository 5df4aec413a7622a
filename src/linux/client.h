/* SPDX-License-Identifier: MIT */
/* The letterbox's client: how to send to a slot of another user (linux/letter.h). */
#ifndef MS_LINUX_CLIENT_H
#define MS_LINUX_CLIENT_H

#include "mailslot.h"
#include "queue/layout.h"

#include <stdbool.h>

/* A slot of another user, and the connection to it if there is one now. */
struct ms_client {
    uint64_t inode; /* of the slot's file: another slot of this name is another slot */
    uint32_t uid;
    uint64_t size_limit;
    uint64_t room;
    const struct ms_origin *origin; /* its host is told; NULL: this machine */
    bool has_told_origin;           /* on this connection */
    bool is_full;   /* as far as the owner has told: this user's share */
    bool is_behind; /* its thread was waited for in vain, and has taken nothing since */
    int64_t created_ns; /* of the slot */
    uint64_t accepted;  /* of this user: before it connected, and what it sent since */
    int fd;             /* -1: not connected */
    int process;        /* tells when the owner has ended, or -1 */
};

/* Find the slot and connect to it. Errors: as mailslot_open. */
int ms_client_open(const char *path, struct ms_client *ret_client);

void ms_client_close(struct ms_client *client);

/* See that it is connected; then created_ns and accepted are known. Errors: as
 * mailslot_writer_get_accepted. */
int ms_client_look(struct ms_client *client, const char *path);

/* From where what is sent from now on comes; the caller keeps it. */
void ms_client_set_origin(struct ms_client *client, const struct ms_origin *origin);

/* Send one message, and connect again if that is needed. Errors: as
 * mailslot_writer_send. deadline_ns: 0 does not wait for room. */
int ms_client_send(struct ms_client *client, const char *path,
                   const mailslot_buffer *message, int64_t deadline_ns);

#endif
