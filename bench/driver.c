/* SPDX-License-Identifier: MIT */
/*
 * Runs the cases of the plan, round by round and in each round peer by peer, so that
 * what drifts hits all of them. Writes a CSV, one row a figure; says on standard error
 * how far it is.
 */
#include "options.h"
#include "plan.h"
#include "probe.h"
#include "role.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHANNEL "mailslot-bench"
#define PEERS_MAX 64

/* A run whose processors moved apart or together meanwhile is repeated so often. */
#define TRIES 3

static void write_row(const struct plan_case *one, const struct peer *peer, int round,
                      const double probes[2], const struct figure *figure) {
    const char *floor = one->scenario->floor;
    printf("C,%s,\"%s\",%s,%d,%d,%s,%.0f,%.0f,%s,%.9g\n", one->scenario->name,
           one->label, floor ? floor : peer->name, floor || peer->is_floor, round,
           probe_place(probes[0], probes[1]), probes[0], probes[1], figure->name,
           figure->value);
}

static const double *find_figure(const struct figures *figures, const char *name) {
    for (int i = 0; i < figures->count; i++) {
        if (strcmp(figures->all[i].name, name) == 0) {
            return &figures->all[i].value;
        }
    }
    return NULL;
}

/* The rate is the driver's to tell: the roles know one end of the time each. */
static void write_figures(const struct plan_case *one, const struct peer *peer,
                          int round, const double probes[2],
                          const struct figures *figures) {
    const double *start = find_figure(figures, "start");
    const double *end = find_figure(figures, "end");
    const double *count = find_figure(figures, "count");
    if (start && end && count) {
        struct figure rate = {"messages_per_s", *count * 1e9 / (*end - *start)};
        write_row(one, peer, round, probes, &rate);
    }
    for (int i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->all[i];
        if (&figure->value != start && &figure->value != end &&
            &figure->value != count) {
            write_row(one, peer, round, probes, figure);
        }
    }
    fflush(stdout);
}

static void run_roles(const struct plan_case *one, const struct job *job,
                      struct company *company) {
    company->deadline_ns = now_ns() + 60 * INT64_C(1000000000);
    role_start(company, job, one->scenario->read, 0, NULL);
    role_meet(company);
    for (int i = 0; i < job->writers && one->scenario->write; i++) {
        role_start(company, job, one->scenario->write, i, NULL);
    }
    role_finish(company);
    job->peer->remove(job->name);
    job->peer->remove(job->back);
}

static uint64_t *shared;

/* Returns false when it did not work. */
static bool run_once(const struct options *options, const struct plan_case *one,
                     const struct peer *peer, int round) {
    static struct company company;
    struct job job = {.peer = peer,
                      .shared = shared,
                      .name = CHANNEL,
                      .back = CHANNEL "-back",
                      .size = one->size,
                      .writers = one->writers,
                      .duration_ns = (int64_t)(options->seconds * 1e9),
                      .count = one->count};
    double probes[2];
    for (int i = 0; i < TRIES; i++) {
        company = (struct company){0};
        *shared = 0;
        probes[0] = probe_line_ns();
        run_roles(one, &job, &company);
        if (company.has_failed) {
            return false;
        }
        probes[1] = probe_line_ns();
        if (strcmp(probe_place(probes[0], probes[1]), "moved") != 0) {
            break;
        }
    }
    write_figures(one, peer, round, probes, &company.figures);
    return true;
}

static void run_case(const struct options *options, const struct plan_case *one) {
    bool is_out[PEERS_MAX] = {false};
    for (int i = 0; peers[i]; i++) {
        const char *obstacle = plan_obstacle(one, peers[i]);
        is_out[i] = obstacle || !options_want(options->only, peers[i]->name);
        if (obstacle && options_want(options->only, peers[i]->name)) {
            fprintf(stderr, "bench:   without %s: %s\n", peers[i]->name, obstacle);
        }
    }
    for (int round = 1; round <= options->rounds; round++) {
        for (int i = 0; peers[i]; i++) {
            if (!is_out[i] && !run_once(options, one, peers[i], round)) {
                fprintf(stderr, "bench:   without %s: it failed\n", peers[i]->name);
                is_out[i] = true;
            }
        }
    }
}

static bool is_wanted(const struct options *options, const struct plan_case *one) {
    return (one->is_quick || !options->is_quick) &&
           options_want(options->scenarios, one->scenario->name);
}

static void run_all(const struct options *options) {
    int total = 0;
    int done = 0;
    for (int i = 0; i < plan_count; i++) {
        total += is_wanted(options, &plan_cases[i]);
    }
    int64_t start_ns = now_ns();
    printf("language,scenario,case,peer,is_floor,round,place,before_ns,after_ns,figure,"
           "value\n");
    for (int i = 0; i < plan_count; i++) {
        const struct plan_case *one = &plan_cases[i];
        if (is_wanted(options, one)) {
            fprintf(stderr, "bench: %d of %d, %.0f s: %s, %s\n", ++done, total,
                    (double)(now_ns() - start_ns) * 1e-9, one->scenario->name,
                    one->label);
            run_case(options, one);
        }
    }
}

static void remove_all(void) {
    for (int i = 0; peers[i]; i++) {
        peers[i]->remove(CHANNEL);
        peers[i]->remove(CHANNEL "-back");
    }
}

static char folder[] = "/tmp/mailslot-bench-XXXXXX";

/* Runs in a signal handler, where not all of this is allowed in theory; the driver
 * does nothing but wait when it comes. */
static void end_early(int number) {
    role_kill_all();
    remove_all();
    rmdir(folder);
    _exit(128 + number);
}

int main(int argc, char **argv) {
    struct options options = options_parse(argc, argv);
    expect(mkdtemp(folder) != NULL, "mkdtemp");
    setenv("BENCH_FOLDER", folder, 1); // NOLINT(concurrency-mt-unsafe)
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect(shared != MAP_FAILED, "mmap");
    signal(SIGINT, end_early);
    signal(SIGTERM, end_early);
    signal(SIGHUP, end_early);
    signal(SIGPIPE, SIG_IGN);
    remove_all(); /* what a killed driver left */
    run_all(&options);
    remove_all();
    rmdir(folder);
    return EXIT_SUCCESS;
}
