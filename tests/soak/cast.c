/* SPDX-License-Identifier: MIT */
#include "cast.h"

#include "chance.h"
#include "owner.h"
#include "process.h"
#include "writer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST_STOP_MS 1500
#define LONGEST_END_MS 60000
#define LUA_PREFIX "lua-"

struct player {
    pid_t pid;
    int64_t stopped_until_ms; /* 0: it runs */
};

struct deeds deeds;
static struct player players[PROCESSES];
static int ledger_fd;
static const char *fault;

static bool is_owner(uint32_t index) {
    return index < SLOTS;
}

static enum role role_of(uint32_t index) {
    static const enum role roles[PROCESSES] = {
        OWNER,           OWNER,      OWNER,       LUA_OWNER, LUA_OWNER,
        WRITER,          WRITER,     WRITER,      WRITER,    STRANGER_WRITER,
        STRANGER_WRITER, LUA_WRITER, LUA_STRANGER};
    return roles[index];
}

static bool is_lua(uint32_t index) {
    enum role role = role_of(index);
    return role == LUA_OWNER || role == LUA_WRITER || role == LUA_STRANGER;
}

static bool is_stranger(uint32_t index) {
    enum role role = role_of(index);
    return can_be_stranger() && (role == STRANGER_WRITER || role == LUA_STRANGER);
}

static const char *fault_of(uint32_t index) {
    size_t size = strlen(LUA_PREFIX);
    bool is_luas = fault && strncmp(fault, LUA_PREFIX, size) == 0;
    if (!fault || is_luas != is_lua(index)) {
        return NULL;
    }
    return is_luas ? fault + size : fault;
}

static void play(uint32_t index) {
    if (is_owner(index)) {
        own(index, fault_of(index));
    } else {
        write_to_slots(index - SLOTS, is_stranger(index));
    }
    _exit(0);
}

#ifdef SOAK_LUA
/* The account is a module of the interpreter, and the ledger an open descriptor. */
static void play_in_lua(uint32_t index) {
    char descriptor[16];
    char seed[32];
    char number[16];
    snprintf(descriptor, sizeof descriptor, "%d", ledger_fd);
    snprintf(seed, sizeof seed, "%u", next_random(UINT32_MAX));
    snprintf(number, sizeof number, "%u", is_owner(index) ? index : index - SLOTS);
    const char *file = SOAK_LUA_FILES "/writer.lua";
    const char *last = is_stranger(index) ? "stranger" : "user";
    if (is_owner(index)) {
        file = SOAK_LUA_FILES "/owner.lua";
        last = fault_of(index);
    }
    signal(SIGUSR1, SIG_IGN); /* again until then */
    setenv("LUA_CPATH_5_4", SOAK_LUA_MODULES, 1);
    if (*SOAK_LUA_PRELOAD) { /* the sanitizer, which the interpreter does not have */
        setenv("LD_PRELOAD", SOAK_LUA_PRELOAD, 1);
    }
    execl(SOAK_LUA, "lua", file, descriptor, seed, number, last, (char *)NULL);
    report(OTHERWISE, "cannot execute lua", index, 0, 0);
    _exit(1);
}
#endif

static void start(uint32_t index) {
    random_state = random_state * 3 + index + 1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0) {
        players[index] = (struct player){.pid = pid};
        return;
    }
    prepare_process();
    if (getppid() != parent) {
        _exit(0);
    }
#ifdef SOAK_LUA
    if (is_lua(index)) {
        play_in_lua(index);
    }
#endif
    play(index);
}

/* What others wait for is over with the process. Its life of a slot ends; its streams
 * do by its own life. */
static void bury(uint32_t index) {
    if (!is_owner(index)) {
        struct writer_state *writer = &ledger->writers[index - SLOTS];
        writer->life++;
        writer->sending_to = NOBODY;
        return;
    }
    struct slot_state *slot = &ledger->slots[index];
    _Atomic uint8_t *ending = &ledger->endings[slot->life % LIVES];
    if (*ending == ALIVE) {
        *ending = DIED;
    }
    slot->is_closing = false;
}

static void let_go_on(uint32_t index) {
    if (players[index].stopped_until_ms) {
        kill(players[index].pid, SIGCONT);
        players[index].stopped_until_ms = 0;
    }
}

static void kill_one(uint32_t index) {
    int status = 0;
    kill(players[index].pid, SIGKILL);
    waitpid(players[index].pid, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        report(OTHERWISE, "ended by itself", index, (uint32_t)status, SIGKILL);
    }
    deeds.kills[role_of(index)]++;
    bury(index);
    start(index);
}

static void stop_one(uint32_t index) {
    if (!players[index].stopped_until_ms) {
        players[index].stopped_until_ms = now_ms() + 1 + next_random(LONGEST_STOP_MS);
        kill(players[index].pid, SIGSTOP);
        deeds.stops[role_of(index)]++;
    }
}

void cast_start(int fd, const char *planted_fault) {
    ledger_fd = fd;
    fault = planted_fault;
    signal(SIGUSR1, SIG_IGN); /* in each process, until it has a handler */
    for (uint32_t i = 0; i < PROCESSES; i++) {
        start(i);
    }
}

void cast_disturb(void) {
    for (uint32_t i = 0; i < PROCESSES; i++) {
        if (players[i].stopped_until_ms <= now_ms()) {
            let_go_on(i);
        }
    }
    uint32_t index = next_random(PROCESSES);
    switch (next_random(8)) {
    case 0:
        stop_one(index);
        break;
    case 1:
    case 2:
    case 3:
        kill(players[index].pid, SIGUSR1);
        deeds.signals++;
        break;
    default:
        kill_one(index);
    }
}

static void await_end(uint32_t index, int64_t deadline_ms) {
    int status = 0;
    pid_t pid = players[index].pid;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ms() > deadline_ms) {
            report(OTHERWISE, "does not end", index, 0, 0);
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        nap_ms(1);
    }
    if (status != 0) {
        report(OTHERWISE, "ended badly", index, (uint32_t)status, 0);
    }
    bury(index);
}

/* Writers first: owners that leave in order wait for them. */
void cast_end(void) {
    ledger->is_over = true;
    for (uint32_t i = 0; i < PROCESSES; i++) {
        let_go_on(i);
    }
    int64_t deadline_ms = now_ms() + LONGEST_END_MS;
    for (uint32_t i = PROCESSES; i-- > 0;) {
        await_end(i, deadline_ms);
    }
}
