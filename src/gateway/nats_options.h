/* SPDX-License-Identifier: MIT */
/* How to connect to a NATS server: the options of the configuration as libnats has
 * them. A server whose certificate does not verify is always refused. */
#ifndef MS_GATEWAY_NATS_OPTIONS_H
#define MS_GATEWAY_NATS_OPTIONS_H

#include "gateway/config.h"

#include <nats/nats.h>

/* What a message of the stream takes at most, with its headers. */
#define MS_NATS_MESSAGE_MAX 65536

/* Reads the files that the configuration names. `name` is this machine's, as a token of
 * subjects. 0 or a negative errno, with a line in the log. */
int ms_nats_options_make(const struct ms_nats_config *config, const char *name,
                         natsOptions **ret_options);

/* Set the server to try next, of a list separated by commas. *server counts them. */
void ms_nats_options_next(natsOptions *options, const char *urls, size_t *server);

#endif
