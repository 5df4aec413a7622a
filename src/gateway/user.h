/* SPDX-License-Identifier: MIT */
/* Users and groups of the system. */
#ifndef MS_GATEWAY_USER_H
#define MS_GATEWAY_USER_H

#include <stdbool.h>
#include <stdint.h>

/* By name or number. 0 or a negative errno. */
int ms_user_find_group(const char *name, uint32_t *ret_gid);

bool ms_user_is_root(void);

/* Become that user for good, with its groups and without any privilege. */
int ms_user_become(const char *name);

#endif
