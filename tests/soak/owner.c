/* SPDX-License-Identifier: MIT */
#include "owner.h"

#include "chance.h"
#include "fault.h"
#include "mailslot.h"
#include "process.h"
#include "reading.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define LONGEST_LIFE_MS 1500
#define SHOWN 50
#define LONGEST_SLEEP_MS 2000

struct owner {
    mailslot *slot;
    struct reading reading;
    bool is_polling; /* in this life: the slot's descriptor */
};

static unsigned char buffer[LARGEST_MESSAGE];

static bool is_nothing(int r) {
    return r == -EAGAIN || r == -ETIMEDOUT || r == -EINTR;
}

static void check_owner(const struct owner *owner, const char *call, int r) {
    if (r < 0 && !is_nothing(r)) {
        report(OTHERWISE, call, owner->reading.life, (uint32_t)-r, 0);
    }
}

static int64_t some_time_ms(void) {
    static const int64_t times_ms[] = {0, 0, 1, 20, MAILSLOT_DEFAULT};
    return times_ms[next_random(5)];
}

static void take(struct owner *owner, const void *bytes, size_t size) {
    owner->reading.count++;
    take_with_fault(&owner->reading, bytes, size);
}

static void take_shown(struct owner *owner, const mailslot_message *message) {
    reading_check_sequence(&owner->reading, message->sequence);
    take(owner, message->data, message->size);
}

static int peek_and_consume(struct owner *owner, uint32_t count, int64_t timeout_ms) {
    mailslot_message message;
    int r = 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = mailslot_peek(owner->slot, i ? 0 : timeout_ms, &message);
        if (r == 0) {
            take_shown(owner, &message);
        }
    }
    mailslot_consume(owner->slot);
    return r;
}

/* With a buffer of that size, or after the refusal with one that is large enough. */
static int read_one(struct owner *owner, size_t capacity, int64_t timeout_ms) {
    size_t size = 0;
    size_t told = 0;
    int r = mailslot_read(owner->slot, buffer, capacity, timeout_ms, &size);
    if (r == -EMSGSIZE) {
        told = size;
        if (told <= capacity || told > sizeof buffer) {
            report(OTHERWISE, "refused for its size", owner->reading.life,
                   (uint32_t)told, (uint32_t)capacity);
            return r;
        }
        r = mailslot_read(owner->slot, buffer, told, 0, &size);
    }
    if (r == 0 && told && told != size) {
        report(DAMAGED, "not of the size that was told", owner->reading.life,
               (uint32_t)size, (uint32_t)told);
    }
    if (r == 0) {
        take(owner, buffer, size);
    }
    return r;
}

static int read_small(struct owner *owner, int64_t timeout_ms) {
    return read_one(owner, next_random(SMALL_MESSAGE), timeout_ms);
}

static int read_large(struct owner *owner, int64_t timeout_ms) {
    return read_one(owner, sizeof buffer, timeout_ms);
}

static int read_batch(struct owner *owner, int64_t timeout_ms) {
    return peek_and_consume(owner, 1 + next_random(SHOWN), timeout_ms);
}

/* What was put back is shown again, in whichever way it is read. */
static int read_twice(struct owner *owner, int64_t timeout_ms) {
    mailslot_message message;
    uint32_t count = 1 + next_random(SHOWN);
    uint64_t sequence = owner->reading.count;
    int r = 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = mailslot_peek(owner->slot, i ? 0 : timeout_ms, &message);
        if (r == 0 && message.sequence != ++sequence) {
            report(LOST, "while looking", owner->reading.life,
                   (uint32_t)message.sequence, (uint32_t)sequence);
        }
    }
    mailslot_unpeek(owner->slot);
    return next_random(2) ? peek_and_consume(owner, count, 0) : read_small(owner, 0);
}

static int wait_and_look(struct owner *owner, int64_t timeout_ms) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = mailslot_wait(owner->slot, timeout_ms);
    if (r < 0) {
        return r;
    }
    r = mailslot_get_info(owner->slot, &info);
    if (r == 0 && (info.count == 0 || info.next_size == MAILSLOT_NO_MESSAGE)) {
        report(LOST, "after a wait", owner->reading.life, 0, 1);
    }
    return r < 0 ? r : read_batch(owner, 0);
}

static int64_t age_ms(const mailslot_message *message) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + (now.tv_nsec - message->time_ns) / 1000000;
}

/* A writer that was killed or stopped before it could wake the owner leaves the
 * descriptor asleep for a second. */
static void check_sleep(const struct owner *owner) {
    mailslot_message message;
    if (mailslot_peek(owner->slot, 0, &message) == 0 &&
        age_ms(&message) > LONGEST_SLEEP_MS) {
        report(OTHERWISE, "asleep beside a message", owner->reading.life,
               (uint32_t)age_ms(&message), LONGEST_SLEEP_MS);
    }
    mailslot_unpeek(owner->slot);
}

/* As an event loop does; sometimes until the descriptor must have become readable. */
static int poll_and_read(struct owner *owner, int64_t timeout_ms) {
    struct pollfd pollfd = {.events = POLLIN};
    int r = mailslot_get_fd(owner->slot, &pollfd.fd);
    if (r < 0) {
        return r;
    }
    if (next_random(50) == 0) {
        int64_t end_ms = now_ms() + LONGEST_SLEEP_MS + 500;
        while (now_ms() < end_ms && poll(&pollfd, 1, 100) <= 0) {
        }
        if (poll(&pollfd, 1, 0) == 0) { /* this process may have been stopped */
            check_sleep(owner);
        }
    } else {
        poll(&pollfd, 1, (int)timeout_ms);
    }
    return read_batch(owner, 0);
}

static int read_somehow(struct owner *owner) {
    static int (*const ways[])(struct owner *, int64_t) = {
        read_batch, read_batch, read_small, read_large, read_twice, wait_and_look};
    if (owner->is_polling && next_random(8)) {
        return poll_and_read(owner, next_random(20));
    }
    return ways[next_random(6)](owner, some_time_ms());
}

/* Until the first look finds nothing: later looks also find nothing when what was shown
 * leaves no room for what other users have sent. */
static void read_rest(struct owner *owner) {
    uint64_t count;
    int r;
    do {
        count = owner->reading.count;
        r = peek_and_consume(owner, 1000, 0);
        check_owner(owner, "read at the end", r);
    } while (owner->reading.count > count || r == -EINTR);
}

static void leave_in_order(struct owner *owner) {
    reading_prepare_end(&owner->reading);
    while (is_sent_to(owner->reading.slot)) {
        peek_and_consume(owner, 100, 1);
    }
    read_rest(owner);
    reading_end(&owner->reading, ENDED_IN_ORDER);
    mailslot_close(owner->slot);
}

static void leave_early(struct owner *owner) {
    reading_end(&owner->reading, DIED);
    mailslot_close(owner->slot);
}

/* Others hold up create if they are stopped while they remove what a killed owner left.
 */
static bool begin_life(struct owner *owner, uint32_t index) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    reading_begin(&owner->reading, index);
    const struct slot_state *state = &ledger->slots[index];
    options.max_bytes = state->max_bytes;
    options.mode = state->mode;
    options.gid = can_be_stranger() ? STRANGER : MAILSLOT_NO_GID;
    options.timeout_ms = next_random(20);
    owner->is_polling = next_random(3) == 0;
    int r = mailslot_create(slot_name(index), &options, &owner->slot);
    if (r < 0) {
        note_refusal(r);
        reading_end(&owner->reading, DIED);
        if (r != -ETIMEDOUT) {
            report(OTHERWISE, strerrorname_np(-r), owner->reading.life, 0, 0);
        }
    }
    return r == 0;
}

static void live(struct owner *owner) {
    int64_t end_ms = now_ms() + 50 + next_random(LONGEST_LIFE_MS);
    while (now_ms() < end_ms && !ledger->is_over) {
        check_owner(owner, "read", read_somehow(owner));
        if (next_random(100) == 0) {
            nap_ms(next_random(50));
        }
    }
}

void own(uint32_t slot, const char *fault) {
    struct owner owner;
    plant_fault(fault);
    while (!ledger->is_over) {
        if (!begin_life(&owner, slot)) {
            continue;
        }
        live(&owner);
        if (next_random(4) == 0) {
            leave_early(&owner);
        } else {
            leave_in_order(&owner);
        }
    }
}
