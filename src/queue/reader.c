/* SPDX-License-Identifier: MIT */
/* The queue seen by its owner. */
#include "queue/queue.h"

#include "queue/record.h"
#include "queue/step.h"

#include <errno.h>
#include <string.h>

void ms_reader_init(struct ms_reader *reader, struct ms_header *header,
                    uint64_t capacity) {
    *reader = (struct ms_reader){0};
    ms_queue_attach(&reader->queue, header, capacity);
    reader->uid = header->uid;
    reader->gid = header->gid;
}

inline bool ms_reader_has_message(struct ms_reader *reader) {
    if (reader->cursor == reader->tail) {
        /* seq_cst: acquire, with ms_queue_publish's store; and after ms_bell_arm's
         * store. */
        reader->tail = ms_position(atomic_load(&reader->queue.header->tail));
    }
    return reader->cursor != reader->tail;
}

uint64_t ms_reader_look_again(struct ms_reader *reader) {
    /* Acquire, with ms_queue_publish's store. */
    uint64_t tail = ms_position(
        atomic_load_explicit(&reader->queue.header->tail, memory_order_acquire));
    uint64_t more = tail - reader->tail;
    if (more > reader->queue.capacity) {
        return 0; /* it was overwritten, and what was seen before is as good */
    }
    reader->tail = tail;
    return more;
}

bool ms_reader_is_empty(struct ms_reader *reader) {
    return reader->shown == 0 && !ms_reader_has_message(reader);
}

/* A copy: whoever uses it looks for its end, which must not move meanwhile. */
static void show_origin(struct ms_reader *reader, const struct ms_record_view *view,
                        mailslot_message *message) {
    struct ms_origin *origin = &reader->origin;
    memcpy(origin, ms_record_origin(view->record, view->size), view->origin_size);
    origin->size = view->origin_size;
    message->uid = origin->uid;
    message->gid = origin->gid;
    if (ms_origin_host_size(origin)) {
        origin->host[ms_origin_host_size(origin) - 1] = '\0';
        message->host = origin->host + 1;
        message->is_host_verified = (origin->host[0] & MS_ORIGIN_VERIFIED) != 0;
    }
}

inline int ms_reader_show(struct ms_reader *reader, mailslot_message *ret_message) {
    if (!ms_reader_has_message(reader)) {
        return -EAGAIN;
    }
    struct ms_record_view view;
    int r = ms_record_load(&reader->queue, reader->cursor, reader->tail, &view);
    if (r < 0) {
        return r;
    }
    uint64_t sequence = reader->count + reader->shown + 1;
    if (view.record->sequence != (uint32_t)sequence || /* layout I5 */
        view.end - reader->head > reader->queue.capacity /* I2 */) {
        return -EBADMSG;
    }
    reader->cursor = view.end;
    reader->shown++;
    reader->shown_bytes += view.size;
    *ret_message = (mailslot_message){.data = view.record + 1,
                                      .size = view.size,
                                      .sequence = sequence,
                                      .time_ns = view.record->time_ns,
                                      .pid = view.record->pid};
    if (view.origin_size) {
        show_origin(reader, &view, ret_message);
    } else {
        ret_message->uid = reader->uid;
        ret_message->gid = reader->gid;
    }
    return 0;
}

/* Totals and position become true together, as in ms_queue_publish. */
static inline void store_head(struct ms_reader *reader) {
    struct ms_header *header = reader->queue.header;
    uint64_t index = reader->head_index ^ 1;
    /* Release: as in ms_queue_publish. */
    atomic_store_explicit(&header->taken[index].count, reader->count,
                          memory_order_release);
    MS_STEP("release.counted");
    atomic_store_explicit(&header->taken[index].bytes, reader->bytes,
                          memory_order_release);
    MS_STEP("release.totalled");
    /* Release, so that writers may overwrite what was read. It has to come before
     * ms_space_is_wanted's load, too: by a barrier here or in the writer (bell.h). */
    if (reader->is_unfenced) {
        atomic_store_explicit(&header->head, reader->head | index,
                              memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    } else {
        atomic_store(&header->head, reader->head | index);
    }
    reader->head_index = index;
    MS_STEP("release.published");
}

inline void ms_reader_release(struct ms_reader *reader) {
    if (reader->shown == 0) {
        return;
    }
    reader->head = reader->cursor;
    reader->count += reader->shown;
    reader->bytes += reader->shown_bytes;
    reader->shown = 0;
    reader->shown_bytes = 0;
    store_head(reader);
}

inline void ms_reader_forget(struct ms_reader *reader) {
    reader->cursor = reader->head;
    reader->shown = 0;
    reader->shown_bytes = 0;
}

uint64_t ms_reader_free(struct ms_reader *reader) {
    uint64_t tail = ms_position(atomic_load(&reader->queue.header->tail));
    return reader->queue.capacity - (tail - reader->head);
}

void ms_reader_rewind(struct ms_reader *reader) {
    struct ms_header *header = reader->queue.header;
    uint64_t index = atomic_load_explicit(&header->tail, memory_order_relaxed) & 1;
    /* Both ends jump to where the next lap begins. Writers wait for the lock; who only
     * looks sees count 0 all the time, from the totals. */
    uint64_t capacity = reader->queue.capacity;
    uint64_t start = (reader->head + capacity - 1) & ~(capacity - 1);
    atomic_store(&header->tail, start | index);
    MS_STEP("rewind.tail");
    reader->head = reader->cursor = reader->tail = start;
    store_head(reader);
}
