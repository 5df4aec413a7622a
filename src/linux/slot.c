/* SPDX-License-Identifier: MIT */
/* The owner's end of a slot. */
#include "backend.h"
#include "linux/backing.h"
#include "linux/distance.h"
#include "linux/info.h"
#include "linux/letterbox.h"
#include "linux/nap.h"
#include "linux/readiness.h"
#include "linux/registry.h"
#include "linux/spin.h"
#include "os/barrier.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/futex.h"
#include "os/lock.h"
#include "os/memory.h"
#include "os/process.h"
#include "queue/bell.h"
#include "queue/copy.h"
#include "queue/step.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* How long a thread may take to be gone after its locks are free, and how often to look
 * for that. */
#define ENDING_NS INT64_C(10000000)
#define ENDING_NAP_NS INT64_C(50000)

struct mailslot {
    enum ms_handle handle;
    struct ms_region region;
    struct ms_reader reader;
    struct ms_backing backing;
    struct ms_spin spin;
    struct ms_distance distance;
    struct ms_letterbox *letterbox; /* NULL: other users cannot send */
    struct ms_readiness *readiness; /* NULL: nobody has asked for a descriptor */
    _Atomic bool is_cancelled;
    uint32_t bell;   /* with what it was armed last, for the owner's sleep */
    uint32_t thread; /* that created it */
    char path[MS_PATH_SIZE];
};

/* What others learn about the slot. They see it only after it is published. */
static void describe(struct ms_header *header, const struct ms_name *name,
                     const mailslot_options *options) {
    header->created_ns = ms_clock_stamp_ns();
    header->pid = ms_process_pid();
    header->uid = ms_process_uid();
    header->gid = ms_process_gid();
    header->mode = options->mode;
    atomic_store_explicit(&header->timeout_ms, options->timeout_ms,
                          memory_order_relaxed);
    memcpy(header->name, name->bare, sizeof name->bare);
}

/* The owner holds both for as long as it lives; the kernel lets go of them (layout I8).
 */
static int take_ownership(mailslot *slot) {
    int r = ms_file_lock(slot->region.fd);
    if (r == 0) {
        r = ms_lock_try(&slot->region.header->owner_lock);
    }
    if (r == 0) {
        ms_lock_keep(&slot->region.header->owner_lock);
        slot->thread = ms_process_thread();
    }
    return r;
}

static int build_region(mailslot *slot, const struct ms_name *name,
                        const mailslot_options *options) {
    uint64_t capacity =
        ms_queue_capacity(options->max_bytes, options->max_message_size);
    int r = ms_region_create(ms_registry_directory(), capacity,
                             options->max_message_size, &slot->region);
    if (r < 0) {
        return r;
    }
    MS_STEP("create.built");
    describe(slot->region.header, name, options);
    ms_reader_init(&slot->reader, slot->region.header, capacity);
    r = take_ownership(slot);
    MS_STEP("create.owned");
    if (r == 0) {
        r = ms_registry_publish(&slot->region, slot->path);
        MS_STEP("create.published");
    }
    if (r < 0) {
        ms_lock_drop(&slot->region.header->owner_lock);
        ms_region_close(&slot->region);
    }
    return r;
}

int ms_slot_create(const struct ms_name *name, const mailslot_options *options,
                   mailslot **ret_slot) {
    void *memory;
    int r = ms_memory_allocate(sizeof(mailslot), &memory);
    if (r < 0) {
        return r;
    }
    mailslot *slot = memory;
    r = ms_registry_path(name, slot->path);
    if (r == 0) {
        ms_registry_sweep();
        r = build_region(slot, name, options);
    }
    if (r < 0) {
        ms_memory_unmap(slot, sizeof *slot);
        return r;
    }
    slot->handle = MS_HANDLE_SLOT;
    slot->bell = MS_BELL_ARMED;
    ms_spin_init(&slot->spin);
    ms_distance_init(&slot->distance, slot->reader.queue.capacity);
    slot->reader.is_unfenced = ms_barrier_leave_to_others();
    if (options->mode != MAILSLOT_MODE_PRIVATE) {
        r = ms_letterbox_open(&slot->region, slot->path, options, &slot->letterbox);
        MS_STEP("create.letterbox");
    }
    if (r < 0) {
        ms_slot_close(slot);
        return r;
    }
    *ret_slot = slot;
    return 0;
}

static void wake_writers(struct ms_header *header) {
    atomic_fetch_add(&header->space_bell, 1);
    ms_futex_wake(&header->space_bell, INT_MAX);
}

/* A thread that ends is there for a moment more when the kernel has freed its locks,
 * and whoever waited for its end goes on. A main thread stays until the process ends,
 * and another thread may have got its number: those are waited for in vain. */
static bool has_creator_ended(mailslot *slot) {
    ms_lock *lock = &slot->region.header->owner_lock;
    int64_t end_ns = ms_clock_now_ns() + ENDING_NS;
    while (ms_process_has_thread(slot->thread)) {
        uint32_t word = *lock;
        if (ms_lock_is_held(lock) ||
            ms_nap(lock, word, end_ns, ENDING_NAP_NS) == -ETIMEDOUT) {
            return false;
        }
    }
    return true;
}

/* Another thread than the creator cannot release the owner's lock. While the creator
 * lives, its list of locks leads through the lock's node, which must stay mapped. */
static void let_go(mailslot *slot) {
    if (ms_lock_drop(&slot->region.header->owner_lock) || has_creator_ended(slot)) {
        ms_region_close(&slot->region);
    } else {
        ms_region_abandon(&slot->region);
    }
}

void ms_slot_close(mailslot *slot) {
    if (slot->handle == MS_HANDLE_SLOT) {
        struct ms_header *header = slot->region.header;
        if (slot->readiness) {
            ms_readiness_close(slot->readiness);
        }
        ms_registry_remove(header, slot->region.fd, slot->path, MS_PATIENCE_NS);
        if (slot->letterbox) {
            ms_letterbox_close(slot->letterbox);
        }
        wake_writers(header);
        let_go(slot);
    }
    ms_memory_unmap(slot, sizeof *slot);
}

/* A few looks: what comes that soon needs no clock. Returns with which it was seen; 0:
 * with none. */
static uint32_t glance(mailslot *slot) {
    for (uint32_t look = 1; look <= MS_SPIN_LOOKS; look++) {
        ms_spin_pause();
        if (ms_reader_has_message(&slot->reader)) {
            return look;
        }
    }
    return 0;
}

/* Something was seen with that look: in a stream of messages, let more of them come. */
static void keep_distance(mailslot *slot, uint32_t look) {
    struct ms_reader *reader = &slot->reader;
    uint64_t bytes = reader->tail - reader->cursor;
    uint32_t pauses = ms_distance_hold(&slot->distance, look, bytes);
    if (pauses == 0) {
        return;
    }
    for (uint32_t i = 0; i < pauses; i++) {
        ms_spin_pause();
    }
    uint64_t more = ms_reader_look_again(reader);
    ms_distance_learn(&slot->distance, look, bytes, more);
}

static bool spin(mailslot *slot, int64_t end_ns) {
    while (ms_clock_now_ns() < end_ns) {
        if (glance(slot)) {
            return true;
        }
        /* A writer's turn may have been in the way before. */
        ms_backing_tidy(&slot->backing, &slot->reader, slot->region.fd);
    }
    return false;
}

/* Sleep until a writer rings, or there is something else to do. */
static int sleep_once(mailslot *slot, int64_t deadline_ns) {
    struct ms_header *header = slot->region.header;
    slot->bell += MS_BELL_KIND + 1;
    ms_bell_arm_sleeper(header, slot->bell);
    uint32_t word;
    bool is_free = ms_lock_watch(&header->write_lock, &word);
    if (!is_free) {
        ms_bell_arm(header, slot->bell | MS_BELL_BESIDE);
    }
    bool has_message = ms_reader_has_message(&slot->reader);
    int r = 0;
    if (!has_message && atomic_exchange(&slot->is_cancelled, false)) {
        MS_STEP("wait.cancelled");
        r = -ECANCELED;
    } else if (!has_message) {
        MS_STEP("wait.armed");
        bool is_warm = ms_backing_is_warm(&slot->backing, &slot->reader);
        /* One that begins in a writer's turn has to end by itself, too (os/lock.h). */
        r = ms_nap(&header->write_lock, word, deadline_ns,
                   is_warm || !is_free ? MS_BUSY_NS : MS_NEVER);
    }
    ms_lock_unwatch(&header->write_lock);
    return r;
}

/* Nothing is queued. */
static int wait_for_bell(mailslot *slot, int64_t deadline_ns) {
    for (;;) {
        int r = sleep_once(slot, deadline_ns);
        if (r != -ECANCELED && ms_reader_has_message(&slot->reader)) {
            return 0;
        }
        if (r < 0) {
            return r;
        }
        ms_backing_cool(&slot->backing, &slot->reader, slot->region.fd);
    }
}

/* Nothing is queued, but what other users have sent may still be on its way. */
static bool fetch_letter(mailslot *slot) {
    if (!slot->letterbox) {
        return false;
    }
    ms_letterbox_fetch(slot->letterbox);
    return ms_reader_has_message(&slot->reader);
}

/* At the end of each call that reads; r: what it found. */
static inline void settle_readiness(mailslot *slot, int r) {
    if (slot->readiness) {
        ms_readiness_settle(slot->readiness, &slot->reader, r < 0);
    }
}

static int wait_until(mailslot *slot, int64_t deadline_ns) {
    int64_t start_ns = ms_clock_now_ns();
    int64_t end_ns = start_ns + ms_spin_begin(&slot->spin);
    int r = 0;
    if (!spin(slot, end_ns < deadline_ns ? end_ns : deadline_ns)) {
        if (slot->readiness) {
            ms_readiness_pause(slot->readiness);
        }
        r = wait_for_bell(slot, deadline_ns);
        ms_bell_disarm(slot->region.header);
    }
    ms_spin_learn(&slot->spin, ms_clock_now_ns() - start_ns);
    return r;
}

static int await_next(mailslot *slot, int64_t timeout_ms) {
    if (fetch_letter(slot)) {
        return 0;
    }
    ms_backing_tidy(&slot->backing, &slot->reader, slot->region.fd);
    ms_backing_cool(&slot->backing, &slot->reader, slot->region.fd);
    if (timeout_ms == 0) {
        return -EAGAIN;
    }
    uint32_t look = slot->spin.budget_ns ? glance(slot) : 0;
    if (look) {
        keep_distance(slot, look);
        return 0;
    }
    ms_distance_lose(&slot->distance);
    return wait_until(slot, ms_nap_deadline_ns(timeout_ms));
}

static inline int await_message(mailslot *slot, int64_t timeout_ms) {
    return ms_reader_has_message(&slot->reader) ? 0 : await_next(slot, timeout_ms);
}

int ms_slot_wait(mailslot *slot, int64_t timeout_ms) {
    int r = await_message(slot, timeout_ms);
    settle_readiness(slot, r);
    return r;
}

inline int ms_slot_show(mailslot *slot, int64_t timeout_ms,
                        mailslot_message *ret_message) {
    int r = await_message(slot, timeout_ms);
    if (r == 0) {
        r = ms_reader_show(&slot->reader, ret_message);
    }
    if (r == 0 && slot->letterbox) {
        ms_letterbox_show(slot->letterbox, ret_message);
    }
    settle_readiness(slot, r);
    return r;
}

inline void ms_slot_copy(void *buffer, const mailslot_message *message) {
    ms_copy(buffer, message->data, message->size);
}

inline void ms_slot_release(mailslot *slot) {
    struct ms_header *header = slot->region.header;
    if (slot->reader.shown == 0) {
        return;
    }
    ms_reader_release(&slot->reader);
    if (slot->letterbox) {
        ms_letterbox_release(slot->letterbox);
    }
    if (ms_space_is_wanted(header) &&
        ms_space_ring(header, ms_reader_free(&slot->reader))) {
        ms_futex_wake(&header->space_bell, INT_MAX);
    }
    ms_backing_settle(&slot->backing, &slot->reader, slot->region.fd);
    settle_readiness(slot, 0);
}

inline void ms_slot_forget(mailslot *slot) {
    if (slot->reader.shown == 0) {
        return;
    }
    ms_reader_forget(&slot->reader);
    if (slot->letterbox) {
        ms_letterbox_forget(slot->letterbox);
    }
    settle_readiness(slot, 0);
}

void ms_slot_cancel(mailslot *slot) {
    struct ms_header *header = slot->region.header;
    /* seq_cst: the sleeper watches the lock and then looks at the flag. */
    atomic_store(&slot->is_cancelled, true);
    ms_lock_unwatch(&header->write_lock);
    ms_futex_wake(&header->write_lock, 1);
}

int ms_slot_get_fd(mailslot *slot, int *ret_fd) {
    int r = 0;
    if (!slot->readiness) {
        r = ms_readiness_open(&slot->reader, &slot->readiness);
    }
    if (r == 0) {
        *ret_fd = ms_readiness_descriptor(slot->readiness);
    }
    return r;
}

uint32_t ms_slot_timeout_ms(const mailslot *slot) {
    /* Relaxed, here and below: one value by itself. */
    return atomic_load_explicit(&slot->region.header->timeout_ms, memory_order_relaxed);
}

void ms_slot_set_timeout_ms(mailslot *slot, uint32_t timeout_ms) {
    atomic_store_explicit(&slot->region.header->timeout_ms, timeout_ms,
                          memory_order_relaxed);
}

int ms_slot_info(mailslot *slot, mailslot_info *info) {
    if (slot->letterbox) {
        ms_letterbox_collect(slot->letterbox);
    }
    struct ms_status status;
    int r = ms_info_look(&slot->reader.queue, NULL, &status);
    if (r == 0 && status.count == 0) {
        ms_backing_tidy(&slot->backing, &slot->reader, slot->region.fd);
    }
    if (r == 0) {
        ms_info_fill(&slot->reader.queue, &status, info);
    }
    return r;
}
