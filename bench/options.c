/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "plan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_DEFAULT 9
#define ROUNDS_QUICK 5
#define SECONDS_DEFAULT 0.3
#define SECONDS_QUICK 0.08

static void print_help(void) {
    printf("Usage: bench [OPTION...] >FILE.csv\n\n"
           "  --quick           fewer cases, shorter runs: two minutes\n"
           "  --only PEERS      only these peers, with commas\n"
           "  --scenario NAMES  only these scenarios, with commas\n"
           "  --rounds N        rounds of each case; default %d, with --quick %d\n"
           "  --seconds S       length of a run; default %g, with --quick %g\n"
           "  --list            the peers and scenarios there are\n"
           "  --help            this text\n",
           ROUNDS_DEFAULT, ROUNDS_QUICK, SECONDS_DEFAULT, SECONDS_QUICK);
}

static void print_list(void) {
    printf("Peers:");
    for (int i = 0; peers[i]; i++) {
        printf(" %s", peers[i]->name);
    }
    printf("\nPeers in Lua:");
    for (int i = 0; lua_peers[i]; i++) {
        printf(" %s", lua_peers[i]->name);
    }
    printf("\nScenarios:\n");
    const struct scenario *last = NULL;
    for (int i = 0; i < plan_count; i++) {
        if (plan_cases[i].scenario != last) {
            last = plan_cases[i].scenario;
            printf("  %-16s %s\n", last->name, last->about);
        }
    }
}

static void refuse(const char *what, const char *value) {
    fprintf(stderr, "bench: %s: %s (try --list or --help)\n", what, value);
    exit(2); // NOLINT(concurrency-mt-unsafe)
}

bool options_want(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (!at[length] || at[length] == ',')) {
            return true;
        }
    }
    return list == NULL;
}

static bool has_name(const struct peer *const *all, const char *name) {
    int i = 0;
    while (all[i] && strcmp(all[i]->name, name) != 0) {
        i++;
    }
    return all[i] != NULL;
}

static bool is_peer(const char *name) {
    return has_name(peers, name) || has_name(lua_peers, name);
}

static bool is_scenario(const char *name) {
    int i = 0;
    while (i < plan_count && strcmp(plan_cases[i].scenario->name, name) != 0) {
        i++;
    }
    return i < plan_count;
}

static void check_list(const char *list, bool (*knows)(const char *),
                       const char *what) {
    char name[64];
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
        if (!knows(name)) {
            refuse(what, name);
        }
    }
}

static double parse_number(const char *text, double least, double most) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most)) {
        refuse("not a number that makes sense here", text);
    }
    return value;
}

struct options options_parse(int argc, char **argv) {
    static const struct option known[] = {
        {"quick", no_argument, NULL, 'q'},
        {"only", required_argument, NULL, 'o'},
        {"scenario", required_argument, NULL, 's'},
        {"rounds", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 't'},
        {"list", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {0};
    int option;
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        switch (option) {
        case 'q':
            options.is_quick = true;
            break;
        case 'o':
            options.only = optarg;
            break;
        case 's':
            options.scenarios = optarg;
            break;
        case 'r':
            options.rounds = (int)parse_number(optarg, 1, 1000);
            break;
        case 't':
            options.seconds = parse_number(optarg, 0.001, 20);
            break;
        case 'l':
            print_list();
            exit(EXIT_SUCCESS); // NOLINT(concurrency-mt-unsafe)
        case 'h':
            print_help();
            exit(EXIT_SUCCESS); // NOLINT(concurrency-mt-unsafe)
        default:
            exit(2); // NOLINT(concurrency-mt-unsafe)
        }
    }
    if (optind < argc) {
        refuse("not an option", argv[optind]);
    }
    if (options.rounds == 0) {
        options.rounds = options.is_quick ? ROUNDS_QUICK : ROUNDS_DEFAULT;
    }
    if (options.seconds == 0) {
        options.seconds = options.is_quick ? SECONDS_QUICK : SECONDS_DEFAULT;
    }
    check_list(options.only, is_peer, "no such peer");
    check_list(options.scenarios, is_scenario, "no such scenario");
    return options;
}
