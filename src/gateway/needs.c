/* SPDX-License-Identifier: MIT */
#include "gateway/needs.h"

#include "gateway/log.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

static int check_interface(const char *name) {
    if (if_nametoindex(name) == 0) {
        ms_log(MS_ERROR, "lan.interfaces: there is no interface %s", name);
        return -ENOENT;
    }
    return 0;
}

static int check_file(const char *key, const char *path) {
    if (path[0] && access(path, R_OK) < 0) {
        const char *text = strerror(errno); /* NOLINT(concurrency-mt-unsafe) */
        ms_log(MS_ERROR, "%s: cannot read %s: %s", key, path, text);
        return -ENOENT;
    }
    return 0;
}

int ms_needs_check(const struct ms_config *config) {
    const struct {
        const char *key;
        const char *path;
    } files[] = {
        {"lan.lmhosts", config->lan.lmhosts},
        {"nats.password_file", config->nats.password_file},
        {"nats.ca", config->nats.ca},
        {"nats.cert", config->nats.cert},
        {"nats.key", config->nats.key},
        {"nats.credentials", config->nats.credentials},
    };
    int r = 0;
    for (size_t i = 0; i < config->lan.interfaces.count; i++) {
        r |= check_interface(config->lan.interfaces.texts[i]);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        r |= check_file(files[i].key, files[i].path);
    }
    return r;
}
