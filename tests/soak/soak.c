/* SPDX-License-Identifier: MIT */
/*
 * Soak: owners and writers of all kinds come, send, read, are stopped, interrupted and
 * killed, and come back, at random, and every message is accounted for.
 */
#include "cast.h"
#include "chance.h"
#include "mailslot.h"
#include "process.h"
#include "summary.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_EVERY_MS 500
#define LOG_EVERY_MS 10000
#define LONGEST_PAUSE_MS 60

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number) {
    (void)number;
    is_interrupted = 1;
}

static void conduct(int64_t begin_ms, int64_t end_ms) {
    int64_t settle_ms = begin_ms;
    int64_t show_ms = begin_ms;
    bool is_terminal = isatty(STDOUT_FILENO);
    while (now_ms() < end_ms && !is_interrupted && !is_anything_wrong()) {
        nap_ms(1 + next_random(LONGEST_PAUSE_MS));
        cast_disturb();
        if (now_ms() >= settle_ms) {
            summary_settle(false);
            settle_ms = now_ms() + SETTLE_EVERY_MS;
        }
        if (now_ms() >= show_ms) {
            summary_show_progress(now_ms() - begin_ms);
            show_ms = now_ms() + (is_terminal ? SETTLE_EVERY_MS : LOG_EVERY_MS);
        }
    }
}

/* Who was killed last has left its slot; any create sweeps. */
static void sweep(void) {
    mailslot *slot = NULL;
    int r = mailslot_create("soak\\broom", NULL, &slot);
    if (r < 0) {
        report(OTHERWISE, "cannot sweep", 0, (uint32_t)-r, 0);
    }
    mailslot_close(slot);
}

static int count_files(const char *folder) {
    DIR *stream = opendir(folder);
    int count = 0;
    for (const struct dirent *entry; stream && (entry = readdir(stream));) {
        if (entry->d_name[0] != '.') {
            fprintf(stderr, "soak: left: %s/%s\n", folder, entry->d_name);
            count++;
        }
    }
    if (stream) {
        closedir(stream);
    }
    return count;
}

static int prepare(char *folder) {
    int fd = ledger_create();
    if (fd < 0 || !mkdtemp(folder) || chmod(folder, 01777) < 0) {
        perror("soak");
        return -1;
    }
    setenv("MAILSLOT_DIR", folder, 1);
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    return fd;
}

int main(int argc, char **argv) {
    char folder[] = "/dev/shm/mailslot-soak-XXXXXX";
    char *end = NULL;
    double seconds = argc < 3 ? 0 : strtod(argv[1], &end);
    if (argc > 4 || seconds <= 0 || *end) {
        fprintf(stderr,
                "usage: soak SECONDS SEED [[lua-]lose|double|reorder|damage]\n");
        return 2;
    }
    int ledger_fd = prepare(folder);
    if (ledger_fd < 0) {
        return 1;
    }
    if (!can_be_stranger()) {
        printf("soak: only root can become other users: they are left out\n");
    }
    random_state = strtoull(argv[2], NULL, 0);
    int64_t begin_ms = now_ms();
    cast_start(ledger_fd, argv[3]);
    conduct(begin_ms, begin_ms + (int64_t)(seconds * 1000));
    cast_end();
    summary_settle(true);
    sweep();
    int files = count_files(folder);
    rmdir(folder);
    return summary_print(now_ms() - begin_ms, argv[2], files) ? 0 : 1;
}
