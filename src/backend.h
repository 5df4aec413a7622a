/* SPDX-License-Identifier: MIT */
/*
 * What a system owes to the library: slots. mailslot.c has checked the arguments by
 * then; a backend need not. Results and errors are those of mailslot.h.
 */
#ifndef MS_BACKEND_H
#define MS_BACKEND_H

#include "mailslot.h"
#include "name.h"

#include <stdbool.h>

#define MS_HOST_NAME_MAX 255

/* The first member of both handles, so that a wrong or dead one is told apart. A
 * backend sees to it that a handle reads MS_HANDLE_NONE in a forked child. */
enum ms_handle {
    MS_HANDLE_NONE = 0,
    MS_HANDLE_SLOT = 0x4d534c54,
    MS_HANDLE_WRITER,
    MS_HANDLE_REMOTE /* no backend's: remote.h */
};

/* timeout_ms below is 0 to MAILSLOT_FOREVER. options are within their ranges. */
int ms_slot_create(const struct ms_name *name, const mailslot_options *options,
                   mailslot **ret_slot);
void ms_slot_close(mailslot *slot); /* also in a forked child */
int ms_slot_show(mailslot *slot, int64_t timeout_ms, mailslot_message *ret_message);
void ms_slot_copy(void *buffer, const mailslot_message *message); /* its payload */
void ms_slot_release(mailslot *slot);                             /* what was shown */
void ms_slot_forget(mailslot *slot);                              /* what was shown */
int ms_slot_wait(mailslot *slot, int64_t timeout_ms);
void ms_slot_cancel(mailslot *slot); /* any thread, signal handlers */
uint32_t ms_slot_timeout_ms(const mailslot *slot);
void ms_slot_set_timeout_ms(mailslot *slot, uint32_t timeout_ms);
int ms_slot_get_fd(mailslot *slot, int *ret_fd);
int ms_slot_info(mailslot *slot, mailslot_info *info);

int ms_writer_open(const struct ms_name *name, mailslot_writer **ret_writer);
void ms_writer_close(mailslot_writer *writer); /* also in a forked child */

/* Send one message without opening the slot, if that can be done at once. Any error: it
 * was not sent, and opening the slot and sending will do it, or tell why not. */
int ms_writer_send_once(const struct ms_name *name, const void *data, size_t size);

int ms_writer_send(mailslot_writer *writer, const mailslot_buffer *message,
                   int64_t timeout_ms);
int ms_writer_send_all(mailslot_writer *writer, const mailslot_buffer *messages,
                       size_t count, int64_t timeout_ms, size_t *ret_sent);
int ms_writer_set_origin(mailslot_writer *writer, const char *host, bool is_verified);
int ms_writer_info(mailslot_writer *writer, mailslot_info *info);
int ms_writer_accepted(mailslot_writer *writer, int64_t *ret_created_ns,
                       uint64_t *ret_accepted);

/* Which user has that name, alive or dead. */
int ms_backend_owner(const struct ms_name *name, uint32_t *ret_uid);

/* This machine's own name. */
void ms_backend_host_name(char ret_name[MS_HOST_NAME_MAX + 1]);
int64_t ms_backend_now_ms(void);

#endif
