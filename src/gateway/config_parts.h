/* SPDX-License-Identifier: MIT */
/* The tables of the configuration. All of these raise Lua errors. */
#ifndef MS_GATEWAY_CONFIG_PARTS_H
#define MS_GATEWAY_CONFIG_PARTS_H

#include "gateway/config.h"
#include "gateway/settings.h"

void ms_config_read_exports(struct ms_settings *table, struct ms_config *config);
void ms_config_read_lan(struct ms_settings *table, struct ms_config *config);
void ms_config_read_nats(struct ms_settings *table, struct ms_config *config);
void ms_config_read_outbox(struct ms_settings *table, struct ms_config *config);
void ms_config_read_routes(struct ms_settings *table, struct ms_config *config);

/* What must hold between options. */
void ms_config_check(const struct ms_settings *options, const struct ms_config *config);

/* A name that the lan has to be able to carry. */
void ms_config_check_name(const struct ms_settings *options, const char *key,
                          char *name);

#endif
