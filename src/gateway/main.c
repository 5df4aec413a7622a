/* SPDX-License-Identifier: MIT */
/*
 * mailslot-gateway: carries messages between the slots of this machine and those of
 * others. This file has the arguments, the signals, and the order in which things are
 * opened and closed.
 */
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/needs.h"
#include "gateway/user.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_PATH "/etc/mailslot/gateway.lua"

struct arguments {
    const char *path;
    bool is_check;
};

enum { SIGNAL_COUNT = 4 };

struct program {
    struct ms_gateway gateway;
    const char *path;
    uv_loop_t loop;
    uv_signal_t signals[SIGNAL_COUNT];
};

/* Its type is argp's. NOLINTNEXTLINE(readability-non-const-parameter) */
static error_t parse_option(int key, char *value, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'c':
        arguments->path = value;
        return 0;
    case 'k':
        arguments->is_check = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct ms_config *load(const char *path) {
    char *error = NULL;
    struct ms_config *config = ms_config_load(path, &error);
    if (!config) {
        ms_log(MS_ERROR, "%s", error ? error : "out of memory");
        free(error);
    }
    return config;
}

/* What has been opened stays as it is; the rest is as in the file. */
static void reload(struct program *program) {
    struct ms_gateway *gateway = &program->gateway;
    struct ms_config *config = load(program->path);
    if (!config) {
        ms_log(MS_ERROR, "the configuration stays as it was");
        return;
    }
    if (config->lan.is_on != gateway->config->lan.is_on ||
        config->nats.is_on != gateway->config->nats.is_on) {
        ms_log(MS_ERROR, "roads come and go only with a restart: the configuration "
                         "stays as it was");
        ms_config_free(config);
        return;
    }
    struct ms_config *old = gateway->config;
    memcpy(config->host, old->host, sizeof config->host);
    memcpy(config->domain, old->domain, sizeof config->domain);
    gateway->config = config;
    if (ms_inbox_reload(gateway->inbox) < 0) {
        ms_log(MS_ERROR, "out of memory: the configuration stays as it was");
        gateway->config = old;
        ms_config_free(config);
        return;
    }
    for (int i = 0; i < MS_ROAD_COUNT; i++) {
        if (gateway->roads[i]) {
            gateway->roads[i]->reload(gateway->roads[i]);
        }
    }
    ms_config_free(old);
    ms_log(MS_NOTICE, "the configuration was read again");
}

static void on_signal(uv_signal_t *handle, int number) {
    struct program *program = handle->data;
    switch (number) {
    case SIGHUP:
        reload(program);
        break;
    case SIGUSR1:
        ms_log_counters();
        break;
    default:
        uv_stop(&program->loop);
    }
}

static int open_signals(struct program *program) {
    static const int numbers[SIGNAL_COUNT] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        int r = uv_signal_init(&program->loop, &program->signals[i]);
        if (r == 0) {
            program->signals[i].data = program;
            r = uv_signal_start(&program->signals[i], on_signal, numbers[i]);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int open_roads(struct ms_gateway *gateway) {
    int r = 0;
    if (gateway->config->lan.is_on) {
        r = ms_lan_open(gateway, &gateway->roads[MS_ROAD_LAN]);
    }
    if (r == 0 && gateway->config->nats.is_on) {
#ifdef MAILSLOT_NATS
        r = ms_nats_open(gateway, &gateway->roads[MS_ROAD_NATS]);
#else
        ms_log(MS_ERROR, "nats: this program was built without it");
        r = -EOPNOTSUPP;
#endif
    }
    return r;
}

/* Ports need privileges; slots belong to the user that the gateway runs as. */
static int drop_privileges(const struct ms_config *config) {
    if (!config->user[0] || !ms_user_is_root()) {
        return 0;
    }
    int r = ms_user_become(config->user);
    if (r < 0) {
        ms_log(MS_ERROR, "cannot become the user '%s': %s", config->user,
               strerrordesc_np(-r));
    }
    return r;
}

static int open_gateway(struct program *program) {
    struct ms_gateway *gateway = &program->gateway;
    int r = open_signals(program);
    if (r == 0) {
        r = open_roads(gateway);
    }
    if (r == 0) {
        r = drop_privileges(gateway->config);
    }
    if (r == 0) {
        r = ms_inbox_open(gateway, &gateway->inbox);
    }
    return r == 0 ? ms_outbox_open(gateway, &gateway->outbox) : r;
}

static void close_signal(uv_handle_t *handle, void *context) {
    (void)context;
    if (handle->type == UV_SIGNAL && !uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void close_gateway(struct program *program) {
    struct ms_gateway *gateway = &program->gateway;
    ms_outbox_close(gateway->outbox);
    for (int i = 0; i < MS_ROAD_COUNT; i++) {
        if (gateway->roads[i]) {
            gateway->roads[i]->close(gateway->roads[i]);
        }
    }
    uv_walk(&program->loop, close_signal, NULL);
    uv_run(&program->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < MS_ROAD_COUNT; i++) {
        if (gateway->roads[i]) {
            gateway->roads[i]->destroy(gateway->roads[i]);
        }
    }
    ms_outbox_destroy(gateway->outbox);
    ms_inbox_close(gateway->inbox);
    uv_loop_close(&program->loop);
}

static int serve(struct program *program) {
    if (uv_loop_init(&program->loop) < 0) {
        ms_log(MS_ERROR, "no event loop is to be had");
        return EXIT_FAILURE;
    }
    program->gateway.loop = &program->loop;
    int r = open_gateway(program);
    if (r == 0) {
        ms_log(MS_NOTICE, "ready: host %s, domain %s", program->gateway.config->host,
               program->gateway.config->domain);
        uv_run(&program->loop, UV_RUN_DEFAULT);
        ms_log_counters();
    }
    close_gateway(program);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "The configuration; " CONFIG_PATH, 0},
        {"check", 'k', NULL, 0,
         "Only check it, and that the files and interfaces that it names are there: "
         "status 0 if all is good, else 1",
         0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse_option,
        NULL,
        "Carries messages between the mailslots of this machine and those of others.\v"
        "SIGHUP reads the configuration again, SIGUSR1 logs the counters, SIGTERM and "
        "SIGINT end. See mailslot-gateway(1).",
        NULL,
        NULL,
        NULL};
    argp_err_exit_status = 2; /* as the other programs */
    argp_program_version = "mailslot-gateway " MAILSLOT_VERSION;
    struct arguments arguments = {.path = CONFIG_PATH};
    /* There is one thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0) {
        return EXIT_FAILURE;
    }
    struct program program = {.path = arguments.path};
    program.gateway.config = load(arguments.path);
    if (!program.gateway.config) {
        return EXIT_FAILURE;
    }
    int status = EXIT_FAILURE;
    if (!arguments.is_check) {
        status = serve(&program);
    } else if (ms_needs_check(program.gateway.config) == 0) {
        status = EXIT_SUCCESS;
    }
    ms_config_free(program.gateway.config);
    return status;
}
