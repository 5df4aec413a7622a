/* SPDX-License-Identifier: MIT */
/* Waiting for many descriptors at once. All calls return 0 or a negative errno. */
#ifndef MS_OS_POLL_H
#define MS_OS_POLL_H

#include <stdint.h>

/* A set of descriptors to wait for. Close it with ms_file_close. */
int ms_poll_create(int *ret_poll);

/* Watch a descriptor for what can be read from it; tag is what names it. */
int ms_poll_add(int poll, int fd, uint32_t tag);

void ms_poll_remove(int poll, int fd);

/* The tags of up to count descriptors that can be read. Waits up to timeout_ms, or for
 * ever if it is negative. Returns how many, 0 when there is nothing. */
int ms_poll_wait(int poll, uint32_t *ret_tags, int count, int timeout_ms);

/* A descriptor that can be read from when it was set: to end a wait with. */
int ms_event_create(int *ret_fd);
void ms_event_set(int fd);
void ms_event_clear(int fd);

#endif
