/* SPDX-License-Identifier: MIT */
/*
 * Soak: owners and writers of all kinds come, send, read, are killed and come back at
 * random, and every message is accounted for.
 *
 * What each of them does is written into a ledger that they share. A writer opens a
 * slot with a new handle, notes how far it is about to send before each call, and how
 * far it has been told to have sent after it. An owner notes what it has read of each
 * handle, and takes only the next message of it: anything else is a loss, a double or a
 * wrong order. An owner that leaves in order waits until nobody sends to it, reads what
 * is left, and then must have read all that its writers were told is sent. What a
 * killed owner had not read has died with the slot.
 */
#include "mailslot.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 3
#define WRITERS 6
#define PROCESSES (SLOTS + WRITERS)
#define HANDLES (1u << 20)
#define BATCH 20
#define SIZE_MAX_SENT (128u << 10)
#define NOBODY (-1)
#define STRANGER 65534

struct handle {
    _Atomic uint64_t number; /* which handle has this place of the table now */
    _Atomic uint32_t slot;
    _Atomic uint32_t incarnation;
    _Atomic uint32_t about;
    _Atomic uint32_t accepted;
    _Atomic uint32_t read;
};

static struct ledger {
    _Atomic uint64_t next_handle;
    _Atomic uint64_t accepted, read, died, errors, kills, lives, wrong;
    _Atomic bool is_over;
    struct {
        _Atomic uint32_t incarnation; /* 0: none that is known */
        _Atomic uint32_t last;
        _Atomic bool is_closing;
    } slots[SLOTS];
    _Atomic int sending_to[WRITERS];
    struct handle handles[HANDLES];
} * ledger;

struct head {
    uint64_t number;
    uint32_t index;
    uint32_t size;
};

static volatile sig_atomic_t is_interrupted;
static uint64_t random_state;
static const char *plant; /* a fault of the reader, to see that it is found */
static unsigned char message[SIZE_MAX_SENT * 2];

static uint32_t next_random(uint32_t limit) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static int64_t now_ms(void) {
    return mailslot_now_ms();
}

static void nap_ms(uint32_t time_ms) {
    struct timespec time = {.tv_sec = time_ms / 1000,
                            .tv_nsec = (long)(time_ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static const char *slot_name(uint32_t slot) {
    static const char *const names[SLOTS] = {"soak\\large", "soak\\small",
                                             "soak\\others"};
    return names[slot];
}

static void report(const char *what, uint64_t number, uint32_t index, uint32_t next) {
    ledger->wrong++;
    fprintf(stderr, "\nsoak: %s: handle %llu, message %u, expected %u\n", what,
            (unsigned long long)number, index, next);
}

static unsigned char byte_at(const struct head *head, uint32_t i) {
    return (unsigned char)(head->number * 31 + head->index * 7 + i);
}

/* Returns the size of message number index of a handle, at `bytes`. */
static uint32_t compose(unsigned char *bytes, uint64_t number, uint32_t index,
                        uint32_t size_limit) {
    uint32_t size = next_random(20) ? next_random(200) : next_random(size_limit);
    struct head head = {number, index, (uint32_t)sizeof head + size};
    memcpy(bytes, &head, sizeof head);
    for (uint32_t i = 0; i < size; i++) {
        bytes[sizeof head + i] = byte_at(&head, i);
    }
    return head.size;
}

static struct handle *handle_of(uint64_t number) {
    return &ledger->handles[number % HANDLES];
}

static struct handle *new_handle(uint32_t slot, uint64_t *ret_number) {
    uint64_t number = atomic_fetch_add(&ledger->next_handle, 1) + 1;
    struct handle *handle = handle_of(number);
    handle->number = 0;
    handle->slot = slot;
    handle->incarnation = 0;
    handle->about = handle->accepted = handle->read = 0;
    handle->number = number;
    *ret_number = number;
    return handle;
}

/* Owners */

static void check_message(const mailslot_message *found) {
    struct head head;
    memcpy(&head, found->data, sizeof head);
    if (found->size < sizeof head || head.size != found->size) {
        report("damaged", 0, 0, 0);
        return;
    }
    const unsigned char *bytes = found->data;
    for (uint32_t i = 0; i < head.size - sizeof head; i += 1 + i / 64) {
        if (bytes[sizeof head + i] != byte_at(&head, i)) {
            report("damaged", head.number, head.index, i);
            return;
        }
    }
    struct handle *handle = handle_of(head.number);
    if (handle->number != head.number || head.index != handle->read) {
        report("lost, doubled or out of order", head.number, head.index, handle->read);
    }
    handle->read = head.index + 1;
    ledger->read++;
}

static bool is_planted(const char *fault) {
    return plant && strcmp(plant, fault) == 0 && next_random(1000) == 0;
}

/* Read up to so many, as one of the ways to read has it. */
static int read_some(mailslot *slot, uint32_t count, int64_t timeout_ms) {
    mailslot_message shown;
    int r = 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = mailslot_peek(slot, i ? 0 : timeout_ms, &shown);
        if (r == 0 && !is_planted("lose")) {
            check_message(&shown);
        }
        if (r == 0 && is_planted("double")) {
            check_message(&shown);
        }
    }
    mailslot_consume(slot);
    return r;
}

/* All that was accepted has been read; a writer that was killed may have sent more. */
static void check_all_read(uint32_t slot, uint32_t incarnation) {
    for (uint32_t i = 0; i < HANDLES; i++) {
        struct handle *handle = &ledger->handles[i];
        if (handle->number && handle->slot == slot &&
            handle->incarnation == incarnation &&
            (handle->read < handle->accepted || handle->read > handle->about)) {
            report("lost at the end", handle->number, handle->read, handle->accepted);
        }
    }
}

static bool is_sent_to(uint32_t slot) {
    for (uint32_t i = 0; i < WRITERS; i++) {
        if (ledger->sending_to[i] == (int)slot) {
            return true;
        }
    }
    return false;
}

static void leave_in_order(mailslot *slot, uint32_t index, uint32_t incarnation) {
    ledger->slots[index].is_closing = true;
    while (is_sent_to(index)) {
        read_some(slot, 100, 1);
    }
    while (read_some(slot, 1000, 0) == 0) {
    }
    check_all_read(index, incarnation);
    ledger->slots[index].incarnation = 0;
    mailslot_close(slot);
    ledger->slots[index].is_closing = false;
}

static mailslot *create(uint32_t index) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *slot = NULL;
    options.max_bytes = index == 1 ? SIZE_MAX_SENT * 4 : 64u << 20;
    options.mode = index == 2 ? 0622 : 0600;
    int r = mailslot_create(slot_name(index), &options, &slot);
    if (r < 0) {
        report(mailslot_error_name(r), 0, index, 0);
    }
    return slot;
}

static void own(uint32_t index) {
    while (!ledger->is_over) {
        ledger->slots[index].is_closing = false; /* who died may have left it so */
        mailslot *slot = create(index);
        if (!slot) {
            return;
        }
        uint32_t incarnation = ++ledger->slots[index].last;
        ledger->slots[index].incarnation = incarnation;
        ledger->lives++;
        int64_t end_ms = now_ms() + 50 + next_random(1500);
        while (now_ms() < end_ms && !ledger->is_over) {
            int64_t timeout_ms = next_random(3) ? next_random(20) : 0;
            int r = read_some(slot, 1 + next_random(50), timeout_ms);
            if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT) {
                report(mailslot_error_name(r), 0, index, 0);
                return;
            }
            if (next_random(50) == 0) {
                nap_ms(next_random(50));
            }
        }
        leave_in_order(slot, index, incarnation);
    }
}

/* Writers */

static void note_sent(struct handle *handle, uint32_t sent, int r) {
    handle->accepted += sent;
    handle->about = handle->accepted;
    ledger->accepted += sent;
    ledger->errors += r < 0;
}

static int send_batch(mailslot_writer *writer, struct handle *handle, uint64_t number) {
    mailslot_buffer messages[BATCH];
    uint32_t count = 1 + next_random(BATCH);
    uint32_t used = 0;
    size_t sent = 0;
    for (uint32_t i = 0; i < count; i++) {
        unsigned char *bytes = message + used;
        uint32_t size = compose(bytes, number, handle->accepted + i,
                                used < SIZE_MAX_SENT / 2 ? SIZE_MAX_SENT / 2 : 200);
        messages[i] = (mailslot_buffer){bytes, size};
        used += size;
    }
    handle->about = handle->accepted + count;
    int r =
        mailslot_writer_send_all(writer, messages, count, next_random(3) * 10, &sent);
    note_sent(handle, (uint32_t)sent, r);
    return r;
}

static int send_one(mailslot_writer *writer, struct handle *handle, uint64_t number) {
    uint32_t size = compose(message, number, handle->accepted, SIZE_MAX_SENT);
    handle->about = handle->accepted + 1;
    int r = mailslot_writer_send(writer, message, size, next_random(3) * 10);
    note_sent(handle, r == 0, r);
    return r;
}

static void send_many(uint32_t slot) {
    uint64_t number;
    mailslot_writer *writer;
    uint32_t incarnation = ledger->slots[slot].incarnation;
    int r = mailslot_open(slot_name(slot), &writer);
    if (r < 0) {
        ledger->errors++;
        nap_ms(1);
        return;
    }
    struct handle *handle = new_handle(slot, &number);
    if (incarnation == ledger->slots[slot].incarnation) {
        handle->incarnation = incarnation;
    }
    for (uint32_t i = next_random(100); i && r != -EPIPE; i--) {
        r = next_random(2) ? send_one(writer, handle, number)
                           : send_batch(writer, handle, number);
        if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT && r != -EPIPE) {
            report(mailslot_error_name(r), number, 0, 0);
        }
        if (ledger->slots[slot].is_closing) {
            break;
        }
    }
    mailslot_writer_close(writer);
}

static void send_once(uint32_t slot) {
    uint64_t number;
    struct handle *handle = new_handle(slot, &number);
    uint32_t incarnation = ledger->slots[slot].incarnation;
    uint32_t size = compose(message, number, 0, SIZE_MAX_SENT);
    handle->about = 1;
    int r = mailslot_send(slot_name(slot), message, size, 0);
    note_sent(handle, r == 0, r);
    if (incarnation == ledger->slots[slot].incarnation) {
        handle->incarnation = incarnation;
    }
}

static void become_stranger(void) {
    if (setgroups(0, NULL) < 0 || setresgid(STRANGER, STRANGER, STRANGER) < 0 ||
        setresuid(STRANGER, STRANGER, STRANGER) < 0) {
        report("cannot become another user", 0, 0, 0);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it is forgotten with the user */
}

/* Half of the writers are another user, if that is possible, with one slot to send to.
 */
static void write_to_slots(uint32_t me) {
    bool is_stranger = geteuid() == 0 && me % 2 == 1;
    if (is_stranger) {
        become_stranger();
    }
    while (!ledger->is_over) {
        uint32_t slot = is_stranger ? 2 : next_random(SLOTS);
        ledger->sending_to[me] = (int)slot;
        if (!ledger->slots[slot].is_closing) {
            if (next_random(4)) {
                send_many(slot);
            } else {
                send_once(slot);
            }
        }
        ledger->sending_to[me] = NOBODY;
        nap_ms(next_random(3));
    }
}

/* The conductor */

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

/* What a killed owner had not read has died with it. */
static void count_dead(uint32_t slot) {
    uint32_t incarnation = ledger->slots[slot].last;
    for (uint32_t i = 0; i < HANDLES; i++) {
        struct handle *handle = &ledger->handles[i];
        if (handle->number && handle->slot == slot && handle->accepted > handle->read &&
            handle->incarnation == incarnation) {
            ledger->died += handle->accepted - handle->read;
        }
    }
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
