/* SPDX-License-Identifier: MIT */
#include "bench.h"
#include "peer.h"
#include "role.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int role_in = -1;
static int role_out = -1;

int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void fail(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "bench: %s\n", text);
    _exit(EXIT_FAILURE);
}

void expect(bool is_ok, const char *what) {
    if (!is_ok) {
        fail("%s: %s", what, strerror(errno)); // NOLINT(concurrency-mt-unsafe)
    }
}

void *allocate(size_t size) {
    void *memory = malloc(size ? size : 1);
    expect(memory != NULL, "malloc");
    return memset(memory, 0x2e, size);
}

long count_sleeps(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

const char *peer_path(const char *name, const char *suffix) {
    static char paths[4][200];
    static unsigned int turn;
    char *path = paths[turn++ % 4];
    const char *folder = getenv("BENCH_FOLDER"); // NOLINT(concurrency-mt-unsafe)
    snprintf(path, sizeof paths[0], "%s/%s%s", folder ? folder : "/tmp", name, suffix);
    return path;
}

void role_attach(int in, int out) {
    role_in = in;
    role_out = out;
}

static void say(const char *line) {
    expect(write(role_out, line, strlen(line)) == (ssize_t)strlen(line), "the driver");
}

void barrier(void) {
    char go[8];
    say("ready\n");
    if (read(role_in, go, sizeof go) <= 0) {
        fail("the driver has gone");
    }
}

void report(const char *figure, double value) {
    char line[128];
    snprintf(line, sizeof line, "%s %.9g\n", figure, value);
    say(line);
}
