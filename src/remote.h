/* SPDX-License-Identifier: MIT */
/*
 * Slots of other machines: what is sent to one goes into a local slot, the outbox of
 * the gateway, with a head that says where to (wire/outbound.h). A backend knows
 * nothing of it. Arguments have been checked, as for a backend.
 */
#ifndef MS_REMOTE_H
#define MS_REMOTE_H

#include "mailslot.h"
#include "name.h"

#include <stdbool.h>

/* Its first member is MS_HANDLE_REMOTE (backend.h). -EHOSTUNREACH: no gateway. */
int ms_remote_open(const struct ms_name *name, mailslot_writer **ret_writer);

/* In a forked child it is not. */
bool ms_remote_is_open(const mailslot_writer *writer);

void ms_remote_close(mailslot_writer *writer); /* also in a forked child */

int ms_remote_send_all(mailslot_writer *writer, const mailslot_buffer *messages,
                       size_t count, int64_t timeout_ms, size_t *ret_sent);

/* The name of the outbox. */
void ms_remote_outbox(struct ms_name *ret_name);

#endif
