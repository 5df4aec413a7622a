/* SPDX-License-Identifier: MIT */
#include "gateway/needs.h"

#include "gateway/log.h"

#include <errno.h>
#include <net/if.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static int check_interface(const char *name) {
    if (if_nametoindex(name) == 0) {
        ms_log(MS_ERROR, "lan.interfaces: there is no interface %s", name);
        return -ENOENT;
    }
    return 0;
}

static int check_path(const char *key, const char *path, int mode) {
    if (path[0] && access(path, mode) < 0) {
        const char *what = mode == R_OK ? "read" : "write to";
        const char *text = strerror(errno); /* NOLINT(concurrency-mt-unsafe) */
        ms_log(MS_ERROR, "%s: cannot %s %s: %s", key, what, path, text);
        return -ENOENT;
    }
    return 0;
}

static int check_user(const char *name) {
    if (name[0] && !getpwnam(name)) { /* NOLINT(concurrency-mt-unsafe) */
        ms_log(MS_ERROR, "user: there is no user %s", name);
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
    int r = check_user(config->user);
    if (config->nats.is_on) {
        r |= check_path("nats.state", config->nats.state, W_OK | X_OK);
    }
    for (size_t i = 0; i < config->lan.interfaces.count; i++) {
        r |= check_interface(config->lan.interfaces.texts[i]);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        r |= check_path(files[i].key, files[i].path, R_OK);
    }
    return r;
}
