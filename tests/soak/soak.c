/* SPDX-License-Identifier: MIT */
/*
 * Soak: owners and writers of all kinds come, send, read, are killed and come back at
 * random, and every message is accounted for. What a killed owner had not read has died
 * with the slot.
 */
#include "account.h"
#include "chance.h"
#include "owner.h"
#include "writer.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES (SLOTS + WRITERS)

static volatile sig_atomic_t is_interrupted;

static pid_t start(uint32_t index) {
    random_state = random_state * 3 + index + 1;
    uint64_t seed = random_state;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGINT, SIG_IGN);
        random_state = seed;
        if (getppid() == parent) {
            if (index < SLOTS) {
                own(index);
            } else {
                write_to_slots(index - SLOTS);
            }
        }
        _exit(0);
    }
    return pid;
}

static void bury(uint32_t index) {
    if (index < SLOTS) {
        count_dead(index);
        ledger->slots[index].incarnation = 0;
        ledger->slots[index].is_closing = false;
    } else {
        ledger->sending_to[index - SLOTS] = NOBODY;
    }
}

static void reap(pid_t pid, uint32_t index, bool is_killed) {
    int status = 0;
    waitpid(pid, &status, 0);
    if (!is_killed && status != 0) {
        fprintf(stderr, "\nsoak: process %u ended with status %#x\n", index, status);
        ledger->wrong++;
    }
    bury(index);
}

static void show(int64_t begin_ms, bool is_last) {
    bool is_terminal = isatty(STDOUT_FILENO);
    printf(
        "%s%llu s: %llu accepted, %llu read, %llu died with their slot, %llu owners, "
        "%llu kills, %llu refusals, %llu wrong%s",
        is_terminal ? "\r" : "", (unsigned long long)((now_ms() - begin_ms) / 1000),
        (unsigned long long)ledger->accepted, (unsigned long long)ledger->read,
        (unsigned long long)ledger->died, (unsigned long long)ledger->lives,
        (unsigned long long)ledger->kills, (unsigned long long)ledger->errors,
        (unsigned long long)ledger->wrong, is_terminal && !is_last ? "" : "\n");
    fflush(stdout);
}

static void conduct(pid_t pids[PROCESSES], int64_t begin_ms, int64_t end_ms) {
    int64_t show_ms = begin_ms;
    while (now_ms() < end_ms && !is_interrupted && !ledger->wrong) {
        nap_ms(1 + next_random(100));
        uint32_t victim = next_random(PROCESSES);
        kill(pids[victim], SIGKILL);
        reap(pids[victim], victim, true);
        ledger->kills++;
        pids[victim] = start(victim);
        if (now_ms() >= show_ms) {
            show(begin_ms, false);
            show_ms = now_ms() + (isatty(STDOUT_FILENO) ? 500 : 10000);
        }
    }
    ledger->is_over = true;
    for (uint32_t i = PROCESSES; i-- > 0;) {
        reap(pids[i], i, false);
    }
}

static int count_files(const char *folder) {
    DIR *stream = opendir(folder);
    int count = -2; /* itself and its parent */
    while (stream && readdir(stream)) {
        count++;
    }
    if (stream) {
        closedir(stream);
    }
    return count;
}

static void interrupt(int signal_number) {
    (void)signal_number;
    is_interrupted = 1;
}

static int usage(void) {
    fprintf(stderr, "usage: soak SECONDS SEED [lose|double]\n");
    return 2;
}

static bool prepare(char *folder) {
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED || !mkdtemp(folder) || chmod(folder, 01777) < 0) {
        perror("soak");
        return false;
    }
    setenv("MAILSLOT_DIR", folder, 1);
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    for (uint32_t i = 0; i < WRITERS; i++) {
        ledger->sending_to[i] = NOBODY;
    }
    return true;
}

int main(int argc, char **argv) {
    char folder[] = "/dev/shm/mailslot-soak-XXXXXX";
    pid_t pids[PROCESSES];
    char *end;
    if (argc < 3 || argc > 4) {
        return usage();
    }
    double seconds = strtod(argv[1], &end);
    random_state = strtoull(argv[2], NULL, 0);
    plant = argv[3];
    if (*end || seconds <= 0 || !prepare(folder)) {
        return usage();
    }
    if (geteuid() != 0) {
        printf("soak: only root can become other users: they are left out\n");
    }
    int64_t begin_ms = now_ms();
    for (uint32_t i = 0; i < PROCESSES; i++) {
        pids[i] = start(i);
    }
    conduct(pids, begin_ms, begin_ms + (int64_t)(seconds * 1000));
    show(begin_ms, true);
    int files = count_files(folder);
    if (files != 0 || rmdir(folder) < 0) {
        fprintf(stderr, "soak: %d files are left in %s\n", files, folder);
        ledger->wrong++;
    }
    printf("soak: %s\n", ledger->wrong ? "FAILED" : "no message was lost");
    return ledger->wrong || ledger->read == 0 ? 1 : 0;
}
