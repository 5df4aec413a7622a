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
#include <sys/wait.h>
#include <unistd.h>

#define PEERS_MAX 64

/* A run that was disturbed (probe.h) is repeated so often. */
#define TRIES 3

/* The names of the channels. */
static char channel[64];
static char back_channel[80];

static void write_row(const struct plan_case *one, const struct peer *peer, int round,
                      const double probes[2], const struct figure *figure) {
    const char *floor = one->scenario->floor;
    printf("%s,%s,\"%s\",%s,%d,%d,%s,%.0f,%.0f,%s,%.9g\n",
           one->scenario->lua ? "Lua" : "C", one->scenario->name, one->label,
           floor ? floor : peer->name, floor || peer->is_floor, round,
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
        if (count && strcmp(figure->name, "sleeps") == 0) {
            struct figure sleeps = {"sleeps_per_message", figure->value / *count};
            write_row(one, peer, round, probes, &sleeps);
        } else if (&figure->value != start && &figure->value != end &&
                   &figure->value != count) {
            write_row(one, peer, round, probes, figure);
        }
    }
    fflush(stdout);
}

/* A role in Lua is told everything by its arguments. */
static void start_lua(struct company *company, const struct scenario *scenario,
                      const struct job *job, const char *role, int index) {
    char numbers[5][32];
    snprintf(numbers[0], sizeof numbers[0], "%zu", job->size);
    snprintf(numbers[1], sizeof numbers[1], "%d", job->writers);
    snprintf(numbers[2], sizeof numbers[2], "%g", (double)job->duration_ns * 1e-9);
    snprintf(numbers[3], sizeof numbers[3], "%llu", (unsigned long long)job->count);
    snprintf(numbers[4], sizeof numbers[4], "%d", index);
    char *argv[] = {"lua5.4",
                    BENCH_LUA_FOLDER "/role.lua",
                    (char *)role,
                    (char *)scenario->lua,
                    (char *)job->peer->name,
                    (char *)job->name,
                    (char *)job->back,
                    numbers[0],
                    numbers[1],
                    numbers[2],
                    numbers[3],
                    numbers[4],
                    NULL};
    role_start(company, job, NULL, index, argv);
}

static void start(struct company *company, const struct scenario *scenario,
                  const struct job *job, bool is_reader, int index) {
    if (scenario->lua) {
        start_lua(company, scenario, job, is_reader ? "read" : "write", index);
    } else {
        role_start(company, job, is_reader ? scenario->read : scenario->write, index,
                   NULL);
    }
}

static void run_roles(const struct scenario *scenario, const struct job *job,
                      struct company *company) {
    bool has_writers = scenario->lua ? !scenario->is_alone : scenario->write != NULL;
    company->deadline_ns =
        now_ns() + (scenario->is_long ? 120 : 20) * INT64_C(1000000000);
    start(company, scenario, job, true, 0);
    role_meet(company);
    for (int i = 0; i < job->writers && has_writers; i++) {
        start(company, scenario, job, false, i);
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
                      .name = channel,
                      .back = back_channel,
                      .size = one->size,
                      .writers = one->writers,
                      .duration_ns = (int64_t)(options->seconds * 1e9),
                      .count = one->count};
    double probes[2];
    for (int i = 0; i < TRIES; i++) {
        company = (struct company){0};
        *shared = 0;
        probes[0] = probe_line_ns();
        run_roles(one->scenario, &job, &company);
        if (company.has_failed) {
            return false;
        }
        probes[1] = probe_line_ns();
        if (probe_counts(probe_place(probes[0], probes[1]))) {
            break;
        }
    }
    write_figures(one, peer, round, probes, &company.figures);
    return true;
}

/* Who takes part in a case. */
static void choose(const struct options *options, const struct plan_case *one,
                   bool ret_is_out[PEERS_MAX]) {
    const struct peer *const *all = plan_peers(one);
    for (int i = 0; all[i]; i++) {
        ret_is_out[i] =
            !plan_has(one, all[i]) || !options_want(options->only, all[i]->name);
        const char *obstacle = ret_is_out[i] ? NULL : plan_obstacle(one, all[i]);
        if (obstacle) {
            fprintf(stderr, "bench: %s, %s: without %s: %s\n", one->scenario->name,
                    one->label, all[i]->name, obstacle);
            ret_is_out[i] = true;
        }
    }
}

/* One turn of each peer. */
static void run_turn(const struct options *options, const struct plan_case *one,
                     int round, bool is_out[PEERS_MAX]) {
    const struct peer *const *all = plan_peers(one);
    for (int i = 0; all[i]; i++) {
        if (!is_out[i] && !run_once(options, one, all[i], round)) {
            fprintf(stderr, "bench:   without %s: it failed\n", all[i]->name);
            is_out[i] = true;
        }
    }
}

static void run_case(const struct options *options, const struct plan_case *one,
                     int round, bool is_out[PEERS_MAX]) {
    int turns = options->is_quick ? 1 : one->turns;
    for (int i = 1; i <= turns; i++) {
        run_turn(options, one, (round - 1) * turns + i, is_out);
    }
}

static bool is_wanted(const struct options *options, const struct plan_case *one) {
    return (one->is_quick || !options->is_quick) &&
           options_want(options->scenarios, one->scenario->name);
}

static int choose_all(const struct options *options, bool is_out[][PEERS_MAX]) {
    int total = 0;
    for (int i = 0; i < plan_count; i++) {
        if (is_wanted(options, &plan_cases[i])) {
            choose(options, &plan_cases[i], is_out[i]);
            total++;
        }
    }
    return total;
}

/* Round by round, so that whatever else the machine does for a while meets a round of
 * everything, and not all rounds of one case. */
static void run_all(const struct options *options) {
    bool(*is_out)[PEERS_MAX] = allocate((size_t)plan_count * sizeof *is_out);
    int total = choose_all(options, is_out);
    int64_t start_ns = now_ns();
    printf("language,scenario,case,peer,is_floor,round,place,before_ns,after_ns,figure,"
           "value\n");
    for (int round = 1; round <= options->rounds; round++) {
        int done = 0;
        for (int i = 0; i < plan_count; i++) {
            const struct plan_case *one = &plan_cases[i];
            if (is_wanted(options, one)) {
                fprintf(stderr,
                        "bench: round %d of %d, %d of %d, after %.0f s: %s, %s\n",
                        round, options->rounds, ++done, total,
                        (double)(now_ns() - start_ns) * 1e-9, one->scenario->name,
                        one->label);
                run_case(options, one, round, is_out[i]);
            }
        }
    }
    free(is_out);
}

static void remove_all(const struct peer *const *all) {
    for (int i = 0; all[i]; i++) {
        all[i]->remove(channel);
        all[i]->remove(back_channel);
    }
}

/* Waits until nobody of the benchmark lives, and removes what they have left: no end of
 * the driver leaves anything behind. */
static int start_janitor(const char *folder, pid_t *ret_pid) {
    int ends[2];
    expect(pipe(ends) == 0, "pipe");
    *ret_pid = fork();
    expect(*ret_pid >= 0, "fork");
    if (*ret_pid > 0) {
        close(ends[0]);
        return ends[1];
    }
    char byte;
    setsid(); /* Ctrl-C is not for it */
    close(ends[1]);
    expect(read(ends[0], &byte, 1) == 0, "read");
    remove_all(peers);
    remove_all(lua_peers);
    rmdir(folder);
    _exit(EXIT_SUCCESS);
}

static void end_early(int number) {
    role_kill_all();
    _exit(128 + number);
}

int main(int argc, char **argv) {
    struct options options = options_parse(argc, argv);
    char folder[] = "/tmp/mailslot-bench-XXXXXX";
    pid_t janitor;
    expect(mkdtemp(folder) != NULL, "mkdtemp");
    setenv("BENCH_FOLDER", folder, 1); // NOLINT(concurrency-mt-unsafe)
    setenv("LUA_CPATH_5_4",
           BENCH_BUILD_FOLDER "/lua/?.so;" BENCH_BUILD_FOLDER "/bench/lua/?.so;;",
           1); // NOLINT(concurrency-mt-unsafe)
    snprintf(channel, sizeof channel, "mailslot-bench-%d", getpid());
    snprintf(back_channel, sizeof back_channel, "%s-back", channel);
    int leash = start_janitor(folder, &janitor);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect(shared != MAP_FAILED, "mmap");
    signal(SIGINT, end_early);
    signal(SIGTERM, end_early);
    signal(SIGHUP, end_early);
    signal(SIGPIPE, SIG_IGN);
    run_all(&options);
    close(leash);
    waitpid(janitor, NULL, 0);
    return EXIT_SUCCESS;
}
