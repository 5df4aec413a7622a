/* SPDX-License-Identifier: MIT */
/* What a configuration needs of the machine: the interfaces, the files and the user
 * that it names. */
#ifndef MS_GATEWAY_NEEDS_H
#define MS_GATEWAY_NEEDS_H

#include "gateway/config.h"

/* 0, or -ENOENT with a line in the log for each that is missing or cannot be read. */
int ms_needs_check(const struct ms_config *config);

#endif
