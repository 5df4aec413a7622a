/* SPDX-License-Identifier: MIT */
#include "role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* For the signal handler. */
static volatile pid_t running[ROLES_MAX];

void role_kill_all(void) {
    for (int i = 0; i < ROLES_MAX; i++) {
        if (running[i] > 0) {
            kill(running[i], SIGKILL);
        }
    }
}

/* A role does not outlive the driver, which may have gone before prctl. */
static void follow(pid_t driver) {
    signal(SIGINT, SIG_IGN); /* Ctrl-C: the driver ends it */
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != driver) {
        fail("the driver has gone");
    }
}

static void become_role(const struct job *job, void (*run)(const struct job *, int),
                        int index, char *const argv[], const int ends[2]) {
    if (argv) {
        dup2(ends[0], STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        execvp(argv[0], argv);
        fail("cannot run %s", argv[0]);
    }
    role_attach(ends[0], ends[1]);
    run(job, index);
    _exit(EXIT_SUCCESS);
}

void role_start(struct company *company, const struct job *job,
                void (*run)(const struct job *job, int index), int index,
                char *const argv[]) {
    int in[2];
    int out[2];
    expect(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
    struct role *role = &company->roles[company->count];
    *role = (struct role){.in = in[1], .out = out[0]};
    fflush(NULL);
    pid_t driver = getpid();
    role->pid = fork();
    expect(role->pid >= 0, "fork");
    if (role->pid == 0) {
        follow(driver);
        become_role(job, run, index, argv, (int[2]){in[0], out[1]});
    }
    running[company->count++] = role->pid;
    close(in[0]);
    close(out[1]);
}

static double join(const char *name, double a, double b) {
    if (strcmp(name, "start") == 0) {
        return a < b ? a : b;
    }
    if (strcmp(name, "end") == 0) {
        return a > b ? a : b;
    }
    return a + b;
}

static void add_figure(struct figures *figures, const char *name, double value) {
    for (int i = 0; i < figures->count; i++) {
        struct figure *figure = &figures->all[i];
        if (strcmp(figure->name, name) == 0) {
            figure->value = join(name, figure->value, value);
            return;
        }
    }
    struct figure *figure = &figures->all[figures->count];
    if (figures->count < (int)(sizeof figures->all / sizeof figures->all[0])) {
        snprintf(figure->name, sizeof figure->name, "%s", name);
        figure->value = value;
        figures->count++;
    }
}

static void take_line(struct company *company, struct role *role, char *line) {
    char *space = strchr(line, ' ');
    if (strcmp(line, "ready") == 0) {
        role->is_ready = true;
    } else if (space) {
        *space = '\0';
        add_figure(&company->figures, line, strtod(space + 1, NULL));
    }
}

static void take_lines(struct company *company, struct role *role) {
    char *end;
    while ((end = memchr(role->text, '\n', role->length))) {
        *end = '\0';
        take_line(company, role, role->text);
        role->length -= (size_t)(end + 1 - role->text);
        memmove(role->text, end + 1, role->length);
    }
}

static void end_role(struct company *company, struct role *role) {
    int status = 0;
    waitpid(role->pid, &status, 0);
    running[role - company->roles] = 0;
    company->has_failed |= status != 0;
    close(role->in);
    close(role->out);
    role->out = -1;
}

/* One wait for whatever the roles say. */
static void listen_once(struct company *company) {
    struct pollfd fds[ROLES_MAX];
    for (int i = 0; i < company->count; i++) {
        fds[i] = (struct pollfd){.fd = company->roles[i].out, .events = POLLIN};
    }
    int64_t left_ns = company->deadline_ns - now_ns();
    int n = poll(fds, (nfds_t)company->count,
                 left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0);
    if (n == 0) {
        fprintf(stderr, "bench: a run has taken too long\n");
        company->has_failed = true;
    }
    for (int i = 0; n > 0 && i < company->count; i++) {
        struct role *role = &company->roles[i];
        if (fds[i].fd < 0 || !fds[i].revents) {
            continue;
        }
        ssize_t size = read(role->out, role->text + role->length,
                            sizeof role->text - role->length);
        if (size <= 0) {
            end_role(company, role);
            continue;
        }
        role->length += (size_t)size;
        take_lines(company, role);
    }
}

/* How many still run; *ret_ready of them are at a barrier. */
static int count_roles(const struct company *company, int *ret_ready) {
    int alive = 0;
    *ret_ready = 0;
    for (int i = 0; i < company->count; i++) {
        alive += company->roles[i].out >= 0;
        *ret_ready += company->roles[i].out >= 0 && company->roles[i].is_ready;
    }
    return alive;
}

void role_meet(struct company *company) {
    int ready;
    while (count_roles(company, &ready) > ready && !company->has_failed) {
        listen_once(company);
    }
}

static void say_go(struct company *company) {
    for (int i = 0; i < company->count; i++) {
        struct role *role = &company->roles[i];
        if (role->out >= 0 && role->is_ready) {
            role->is_ready = false;
            company->has_failed |= write(role->in, "go\n", 3) != 3;
        }
    }
}

static void kill_roles(struct company *company) {
    for (int i = 0; i < company->count; i++) {
        struct role *role = &company->roles[i];
        if (role->out >= 0) {
            kill(role->pid, SIGKILL);
            end_role(company, role);
        }
    }
}

void role_finish(struct company *company) {
    int ready;
    role_meet(company);
    while (!company->has_failed && count_roles(company, &ready) > 0) {
        say_go(company);
        role_meet(company);
    }
    kill_roles(company);
}
