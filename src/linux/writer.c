/* SPDX-License-Identifier: MIT */
/* A sender's end of a slot. */
#include "backend.h"
#include "linux/backing.h"
#include "linux/client.h"
#include "linux/info.h"
#include "linux/nap.h"
#include "linux/pace.h"
#include "linux/registry.h"
#include "linux/spin.h"
#include "linux/turn.h"
#include "os/barrier.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/process.h"
#include "queue/bell.h"
#include "queue/step.h"

#include <errno.h>

/* A turn ends after this much, for the sake of the other writers. */
#define TURN_BYTES ((size_t)1 << 20)

/* The owner's death rings no bell: who waits for space looks for it at intervals. */
#define LOOK_AGAIN_NS INT64_C(100000000)

struct mailslot_writer {
    enum ms_handle handle;
    bool is_dead;
    bool is_client; /* of a slot of another user: then nothing is mapped */
    struct ms_client client;
    struct ms_region region;
    struct ms_queue queue;
    struct ms_envelope sender;
    struct ms_origin origin;
    bool is_owners; /* its user and group are the owner's */
    struct ms_pace pace;
    struct ms_spin spin;
    struct ms_cord cord;
    char path[MS_PATH_SIZE];
};

/* What a call still has to send. */
struct batch {
    const mailslot_buffer *messages;
    size_t count;
    size_t sent;
};

static void attach(mailslot_writer *writer) {
    ms_queue_attach(&writer->queue, writer->region.header,
                    writer->region.size - MS_HEADER_SIZE);
    ms_spin_init(&writer->spin);
    writer->pace.is_alone = writer->spin.max_ns == 0;
    writer->sender.pid = ms_process_pid();
    writer->origin.uid = ms_process_uid();
    writer->origin.gid = ms_process_gid();
    writer->is_owners = ms_queue_is_owners(writer->region.header, writer->origin.uid,
                                           writer->origin.gid);
}

static void tell_host(mailslot_writer *writer, const char *host, bool is_verified) {
    ms_origin_set_host(&writer->origin, host, is_verified);
    writer->sender.origin = host || !writer->is_owners ? &writer->origin : NULL;
}

/* Memory is shared with processes of the same user only. */
static int open_slot(mailslot_writer *writer) {
    int r = ms_registry_find(writer->path, &writer->region);
    if (r == 0) {
        attach(writer);
    } else if (r == -EACCES) {
        writer->is_client = true;
        r = ms_client_open(writer->path, &writer->client);
    }
    return r;
}

int ms_writer_open(const struct ms_name *name, mailslot_writer **ret_writer) {
    void *memory;
    int r = ms_memory_allocate(sizeof(mailslot_writer), &memory);
    if (r < 0) {
        return r;
    }
    mailslot_writer *writer = memory;
    r = ms_registry_path(name, writer->path);
    if (r == 0) {
        r = open_slot(writer);
    }
    if (r < 0) {
        ms_memory_unmap(writer, sizeof *writer);
        return r;
    }
    tell_host(writer, NULL, false);
    writer->handle = MS_HANDLE_WRITER;
    *ret_writer = writer;
    return 0;
}

void ms_writer_close(mailslot_writer *writer) {
    if (writer->handle == MS_HANDLE_WRITER && writer->is_client) {
        ms_client_close(&writer->client);
    } else if (writer->handle == MS_HANDLE_WRITER) {
        ms_cord_close(&writer->cord);
        ms_region_close(&writer->region);
    }
    ms_memory_unmap(writer, sizeof *writer);
}

/* The slot has died. Whoever meets it removes what is left; it stays dead for this
 * writer even if the name lives again. */
static int bury(mailslot_writer *writer) {
    if (!writer->is_dead && !writer->is_client) {
        ms_registry_remove(writer->region.header, writer->region.fd, writer->path, 0);
    }
    writer->is_dead = true;
    return -EPIPE;
}

/* In a turn: queue one message. -EAGAIN: *ret_wanted bytes must be free for it. */
static inline int put(mailslot_writer *writer, const mailslot_buffer *message,
                      uint64_t *ret_wanted) {
    const struct ms_origin *origin = writer->sender.origin;
    uint64_t size = message->size;
    if (size > writer->queue.size_limit) {
        return -EMSGSIZE;
    }
    if (origin) {
        if (size + ms_origin_host_size(origin) >
            ms_queue_room(writer->queue.capacity)) {
            return -EMSGSIZE;
        }
        size += origin->size;
    }
    struct ms_claim claim;
    int r = ms_queue_claim(&writer->queue, size, &claim, ret_wanted);
    if (r < 0) {
        return r;
    }
    MS_STEP("turn.claimed");
    r = ms_backing_reserve(&writer->queue, writer->region.fd, claim.end);
    if (r < 0) {
        return r;
    }
    ms_queue_push(&writer->queue, &claim, &writer->sender, message->data,
                  (uint32_t)message->size);
    return 0;
}

/* In a turn: queue what fits of the batch. */
static int put_batch(mailslot_writer *writer, struct batch *batch,
                     uint64_t *ret_wanted) {
    size_t bytes = 0;
    while (batch->sent < batch->count && bytes <= TURN_BYTES) {
        int r = put(writer, &batch->messages[batch->sent], ret_wanted);
        if (r < 0) {
            return r;
        }
        bytes += MS_RECORD_SIZE + batch->messages[batch->sent].size;
        batch->sent++;
    }
    return 0;
}

static int begin_turn(mailslot_writer *writer, uint64_t size, int64_t deadline_ns) {
    struct ms_header *header = writer->region.header;
    int r = ms_turn_begin(header, deadline_ns);
    if (r == 0 && ms_pace_is_due(&writer->pace, &writer->queue, size)) {
        ms_lock_release(&header->write_lock);
        ms_pace_give_way(&writer->pace, &writer->queue);
        r = ms_turn_begin(header, deadline_ns);
    }
    return r;
}

/* One turn. -EAGAIN: the slot is full, and *ret_bell is what to sleep on. */
static int take_turn(mailslot_writer *writer, struct batch *batch, int64_t deadline_ns,
                     uint32_t *ret_bell) {
    writer->sender.time_ns = ms_clock_stamp_ns();
    int r = begin_turn(writer, batch->messages[batch->sent].size, deadline_ns);
    if (r < 0) {
        return r;
    }
    size_t sent = batch->sent;
    uint64_t wanted = 0;
    r = put_batch(writer, batch, &wanted);
    if (r == -EAGAIN && deadline_ns) {
        /* To be woken for each message would cost more than the message: a quarter of
         * the ring is worth waking up for. Then look again (bell.h). */
        uint64_t quarter = writer->queue.capacity / 4;
        *ret_bell =
            ms_space_arm(writer->region.header, wanted > quarter ? wanted : quarter);
        ms_barrier_for_all();
        r = put_batch(writer, batch, &wanted);
    }
    ms_turn_end(writer->region.header, &writer->cord, batch->sent > sent);
    return r;
}

static bool spin_for_space(const mailslot_writer *writer, uint32_t bell,
                           int64_t end_ns) {
    const _Atomic uint32_t *word = &writer->region.header->space_bell;
    while (atomic_load_explicit(word, memory_order_relaxed) == bell) {
        if (ms_clock_now_ns() >= end_ns) {
            return false;
        }
        ms_spin_pause();
    }
    return true;
}

static int await_space(mailslot_writer *writer, uint32_t bell, int64_t deadline_ns) {
    int64_t start_ns = ms_clock_now_ns();
    if (start_ns >= deadline_ns) {
        return -ETIMEDOUT; /* others may have taken all the space that came until now */
    }
    int r = 0;
    MS_STEP("space.waiting");
    if (!spin_for_space(writer, bell, start_ns + ms_spin_begin(&writer->spin))) {
        r = ms_nap(&writer->region.header->space_bell, bell, deadline_ns,
                   LOOK_AGAIN_NS);
    }
    ms_spin_learn(&writer->spin, ms_clock_now_ns() - start_ns);
    return r;
}

static int send_batch(mailslot_writer *writer, struct batch *batch,
                      int64_t deadline_ns) {
    int r = 0;
    while (r == 0 && batch->sent < batch->count) {
        uint32_t bell = 0;
        r = take_turn(writer, batch, deadline_ns, &bell);
        if (r == -EAGAIN && deadline_ns) {
            r = await_space(writer, bell, deadline_ns);
        }
    }
    return r;
}

static void count_refusal(struct ms_header *header, int r) {
    switch (r) {
    case -EMSGSIZE:
    case -EAGAIN:
    case -ETIMEDOUT:
    case -ENOSPC:
    case -ENOMEM:
        /* Relaxed: a figure for info, nothing depends on it. */
        atomic_fetch_add_explicit(&header->rejected, 1, memory_order_relaxed);
        break;
    default:
        break;
    }
}

/* Most messages find a free turn, room and memory. Any error: it was not sent, and the
 * long way will do it, or tell why not. */
static int send_at_once(mailslot_writer *writer, const mailslot_buffer *message) {
    struct ms_header *header = writer->region.header;
    writer->sender.time_ns = ms_clock_stamp_ns();
    int r = ms_turn_try(header);
    if (r < 0) {
        return r;
    }
    uint64_t wanted;
    bool is_due = ms_pace_is_due(&writer->pace, &writer->queue, message->size);
    r = is_due ? -EAGAIN : put(writer, message, &wanted);
    ms_turn_end(header, &writer->cord, r == 0);
    if (is_due) {
        ms_pace_give_way(&writer->pace, &writer->queue);
    }
    return r;
}

int ms_writer_send(mailslot_writer *writer, const mailslot_buffer *message,
                   int64_t timeout_ms) {
    if (!writer->is_client && !writer->is_dead && send_at_once(writer, message) == 0) {
        return 0;
    }
    size_t sent;
    return ms_writer_send_all(writer, message, 1, timeout_ms, &sent);
}

static int send_letters(mailslot_writer *writer, struct batch *batch,
                        int64_t deadline_ns) {
    int r = 0;
    while (r == 0 && batch->sent < batch->count) {
        r = ms_client_send(&writer->client, writer->path, &batch->messages[batch->sent],
                           deadline_ns);
        batch->sent += r == 0;
    }
    return r;
}

int ms_writer_send_all(mailslot_writer *writer, const mailslot_buffer *messages,
                       size_t count, int64_t timeout_ms, size_t *ret_sent) {
    if (writer->is_dead) {
        return -EPIPE;
    }
    struct batch batch = {.messages = messages, .count = count};
    int64_t deadline_ns = ms_nap_deadline_ns(timeout_ms);
    int r = writer->is_client ? send_letters(writer, &batch, deadline_ns)
                              : send_batch(writer, &batch, deadline_ns);
    *ret_sent = batch.sent;
    if (r == -EPIPE) {
        return bury(writer);
    }
    if (!writer->is_client) {
        count_refusal(writer->region.header, r);
    }
    return r;
}

int ms_writer_set_origin(mailslot_writer *writer, const char *host, bool is_verified) {
    tell_host(writer, host, is_verified);
    if (writer->is_client) {
        ms_client_set_origin(&writer->client, &writer->origin);
    }
    return 0;
}

static int look(mailslot_writer *writer, struct ms_status *ret_status) {
    const struct ms_region *region = &writer->region;
    if (writer->is_dead || !ms_region_is_alive(region->header)) {
        return bury(writer);
    }
    int r = ms_info_look(&writer->queue, region, ret_status);
    /* Whoever removes a slot takes its messages away while others look. */
    return r < 0 && !ms_region_is_alive(region->header) ? bury(writer) : r;
}

static int accepted_letters(mailslot_writer *writer, int64_t *ret_created_ns,
                            uint64_t *ret_accepted) {
    int r = writer->is_dead ? -EPIPE : ms_client_look(&writer->client, writer->path);
    if (r == 0) {
        *ret_created_ns = writer->client.created_ns;
        *ret_accepted = writer->client.accepted;
    }
    return r == -EPIPE ? bury(writer) : r;
}

int ms_writer_accepted(mailslot_writer *writer, int64_t *ret_created_ns,
                       uint64_t *ret_accepted) {
    if (writer->is_client) {
        return accepted_letters(writer, ret_created_ns, ret_accepted);
    }
    struct ms_status status;
    int r = look(writer, &status);
    if (r == 0) {
        *ret_created_ns = writer->region.header->created_ns;
        *ret_accepted =
            ms_origin_host_size(&writer->origin) ? status.brought : status.received;
    }
    return r;
}

int ms_writer_info(mailslot_writer *writer, mailslot_info *info) {
    if (writer->is_client) {
        return -EACCES;
    }
    struct ms_status status;
    int r = look(writer, &status);
    if (r == 0) {
        ms_info_fill(&writer->queue, &status, info);
    }
    return r;
}
