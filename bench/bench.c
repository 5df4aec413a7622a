/* SPDX-License-Identifier: MIT */
/*
 * What a send and a read cost in C. Prints, for each size and number of writers, the
 * medians of several rounds:
 *
 *   through   writers send while the owner reads: messages a second, end to end
 *   send      nanoseconds a call, nobody reading
 *   read      nanoseconds a call, messages queued beforehand
 *
 * Usage: bench [ROUNDS]
 */
#include <mailslot.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOT "mailslot-bench"
#define QUEUED_BYTES ((size_t)32 << 20)
#define ROUNDS_MAX 99

struct figures {
    double through; /* messages a second */
    double send_ns;
    double read_ns;
};

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check(int r, const char *what) {
    if (r < 0) {
        fprintf(stderr, "bench: %s: %s\n", what, mailslot_error_text(r));
        exit(EXIT_FAILURE);
    }
}

static void send_numbered(mailslot_writer *writer, char *buffer, size_t size,
                          uint32_t first, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = first + i;
        memcpy(buffer, &number, sizeof number);
        check(mailslot_writer_send(writer, buffer, size, MAILSLOT_FOREVER), "send");
    }
}

static pid_t start_writer(size_t size, uint32_t id, uint32_t count) {
    pid_t pid = fork();
    if (pid == 0) {
        char *buffer = calloc(1, size);
        mailslot_writer *writer;
        check(mailslot_open(SLOT, &writer), "open");
        send_numbered(writer, buffer, size, id << 24, count);
        _exit(EXIT_SUCCESS);
    }
    return pid;
}

/* Every message is there, each writer's in order: a lossy queue gets no figures. */
static void read_numbered(mailslot *slot, char *buffer, size_t size, uint32_t count) {
    uint32_t next[256] = {0};
    for (uint32_t i = 0; i < count; i++) {
        size_t got;
        uint32_t number;
        check(mailslot_read(slot, buffer, size, MAILSLOT_FOREVER, &got), "read");
        memcpy(&number, buffer, sizeof number);
        if (got != size || (number & 0xffffff) != next[number >> 24]++) {
            fprintf(stderr, "bench: message %u is wrong\n", i);
            exit(EXIT_FAILURE);
        }
    }
}

static double measure_through(mailslot *slot, char *buffer, size_t size,
                              uint32_t writers, uint32_t count) {
    double start = now_s();
    for (uint32_t id = 0; id < writers; id++) {
        start_writer(size, id, count / writers);
    }
    read_numbered(slot, buffer, size, count / writers * writers);
    double seconds = now_s() - start;
    while (wait(NULL) > 0) {
    }
    return count / seconds;
}

static struct figures measure(size_t size, uint32_t writers) {
    mailslot *slot;
    mailslot_writer *writer;
    char *buffer = calloc(1, size);
    uint32_t count = (uint32_t)(QUEUED_BYTES / (size + 32));
    check(mailslot_create(SLOT, NULL, &slot), "create " SLOT);
    check(mailslot_open(SLOT, &writer), "open");
    struct figures figures;
    double start = now_s();
    send_numbered(writer, buffer, size, 0, count);
    figures.send_ns = (now_s() - start) * 1e9 / count;
    start = now_s();
    read_numbered(slot, buffer, size, count);
    figures.read_ns = (now_s() - start) * 1e9 / count;
    figures.through = measure_through(slot, buffer, size, writers, 4 * count);
    mailslot_writer_close(writer);
    mailslot_close(slot);
    free(buffer);
    return figures;
}

static int compare(const void *a, const void *b) {
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static void report(size_t size, uint32_t writers, int rounds) {
    double through[ROUNDS_MAX], send_ns[ROUNDS_MAX], read_ns[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        struct figures figures = measure(size, writers);
        through[i] = figures.through;
        send_ns[i] = figures.send_ns;
        read_ns[i] = figures.read_ns;
    }
    printf(
        "C    %6zu B  %u writer%s  %7.2f M/s through  %6.0f ns/send  %6.0f ns/read\n",
        size, writers, writers == 1 ? " " : "s", median(through, rounds) / 1e6,
        median(send_ns, rounds), median(read_ns, rounds));
    fflush(stdout);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench [ROUNDS]   1 to %d, default 5\n", ROUNDS_MAX);
        return 2;
    }
    static const size_t sizes[] = {64, 4096};
    static const uint32_t writers[] = {1, 4};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) {
            report(sizes[i], writers[j], rounds);
        }
    }
    return 0;
}
