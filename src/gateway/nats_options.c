/* SPDX-License-Identifier: MIT */
#include "gateway/nats_options.h"

#include "gateway/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_MS 2000
#define WRITE_MS 2000
#define PING_MS 10000 /* a server that misses two of these is gone */

static int fail(const char *option, const char *what) {
    const char *reason = nats_GetLastError(NULL);
    ms_log(MS_ERROR, "nats.%s: %s: %s", option, what,
           reason && *reason ? reason : "it cannot be used");
    return -EINVAL;
}

/* The first line of a file. */
static int read_password(const char *path, ms_config_text password) {
    FILE *file = fopen(path, "re");
    if (!file) {
        int r = -errno;
        ms_log(MS_ERROR, "nats.password_file: %s: %s", path,
               strerror(-r)); /* NOLINT(concurrency-mt-unsafe) */
        return r;
    }
    bool has_line = fgets(password, MS_CONFIG_TEXT_MAX + 1, file) != NULL;
    fclose(file);
    password[has_line ? strcspn(password, "\r\n") : 0] = '\0';
    return 0;
}

static int set_user(natsOptions *options, const struct ms_nats_config *config) {
    if (config->credentials[0] && natsOptions_SetUserCredentialsFromFiles(
                                      options, config->credentials, NULL) != NATS_OK) {
        return fail("credentials", config->credentials);
    }
    if (!config->user[0]) {
        return 0;
    }
    ms_config_text password;
    int r = read_password(config->password_file, password);
    if (r == 0 && natsOptions_SetUserInfo(options, config->user, password) != NATS_OK) {
        r = fail("user", config->user);
    }
    return r;
}

static int set_tls(natsOptions *options, const struct ms_nats_config *config) {
    if (!strstr(config->url, "tls://") && !config->ca[0] && !config->cert[0]) {
        return 0;
    }
    if (natsOptions_SetSecure(options, true) != NATS_OK) {
        return fail("url", config->url);
    }
    if (config->ca[0] &&
        natsOptions_LoadCATrustedCertificates(options, config->ca) != NATS_OK) {
        return fail("ca", config->ca);
    }
    if (config->cert[0] && natsOptions_LoadCertificatesChain(options, config->cert,
                                                             config->key) != NATS_OK) {
        return fail("cert", config->cert);
    }
    return 0;
}

static natsStatus set_habits(natsOptions *options, const char *name) {
    char prefix[3 * MS_CONFIG_TEXT_MAX + 16];
    snprintf(prefix, sizeof prefix, "_INBOX.%s", name);
    natsStatus status = natsOptions_SetCustomInboxPrefix(options, prefix);
    if (status == NATS_OK) {
        status = natsOptions_SetName(options, "mailslot-gateway");
    }
    if (status == NATS_OK) {
        status = natsOptions_SetAllowReconnect(options, false); /* the link does it */
    }
    if (status == NATS_OK) {
        status = natsOptions_SetIgnoreDiscoveredServers(options, true);
    }
    if (status == NATS_OK) {
        status = natsOptions_SetSendAsap(options, true); /* else it waits for more */
    }
    if (status == NATS_OK) {
        status = natsOptions_SetTimeout(options, CONNECT_MS);
    }
    if (status == NATS_OK) {
        status = natsOptions_SetWriteDeadline(options, WRITE_MS);
    }
    if (status == NATS_OK) {
        status = natsOptions_SetPingInterval(options, PING_MS);
    }
    return status;
}

int ms_nats_options_make(const struct ms_nats_config *config, const char *name,
                         natsOptions **ret_options) {
    natsOptions *options = NULL;
    if (natsOptions_Create(&options) != NATS_OK) {
        return -ENOMEM;
    }
    int r = set_habits(options, name) == NATS_OK ? 0 : -ENOMEM;
    if (r == 0) {
        r = set_tls(options, config);
    }
    if (r == 0) {
        r = set_user(options, config);
    }
    if (r < 0) {
        natsOptions_Destroy(options);
        return r;
    }
    *ret_options = options;
    return 0;
}

/* The host of a URL: behind scheme and user, before port and path. */
static void find_host(const char *url, ms_config_text host) {
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    const char *at = strrchr(start, '@');
    start = at ? at + 1 : start;
    bool is_bracketed = *start == '[';
    start += is_bracketed;
    snprintf(host, MS_CONFIG_TEXT_MAX + 1, "%.*s",
             (int)strcspn(start, is_bracketed ? "]" : ":/"), start);
}

void ms_nats_options_next(natsOptions *options, const char *urls, size_t *server) {
    const char *start = urls;
    for (size_t i = 0; i < *server; i++) {
        start += strcspn(start, ",");
        if (*start == '\0') {
            start = urls;
            *server = 0;
            break;
        }
        start++;
    }
    ms_config_text url;
    ms_config_text host;
    snprintf(url, sizeof url, "%.*s", (int)strcspn(start, ","), start);
    find_host(url, host);
    natsOptions_SetURL(options, url);
    natsOptions_SetExpectedHostname(options, host); /* however libnats was built */
    ++*server;
}
