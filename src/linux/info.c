/* SPDX-License-Identifier: MIT */
/* What a slot looks like. */
#include "linux/info.h"

#include "os/clock.h"
#include "os/file.h"
#include "os/lock.h"

#include <errno.h>
#include <string.h>

/* How long to hold up the writers at most, if nothing else helps to get a clear view.
 */
#define PATIENCE_NS INT64_C(1000000000)

/* Where the owner has given memory back, this finds zeros. To touch it would take
 * memory, or be a SIGBUS when there is none. */
static int fetch_from_file(const void *context, uint64_t offset,
                           uint64_t *ret_control) {
    const struct ms_region *region = context;
    return ms_file_read_at(region->fd, ret_control, sizeof *ret_control,
                           MS_HEADER_SIZE + offset);
}

int ms_info_look(const struct ms_queue *queue, const struct ms_region *from_outside,
                 struct ms_status *ret_status) {
    ms_queue_fetch *fetch = from_outside ? fetch_from_file : NULL;
    ms_lock *lock = &queue->header->write_lock;
    int r = ms_queue_status(queue, fetch, from_outside, ret_status);
    int64_t deadline_ns = r == -EAGAIN ? ms_clock_now_ns() + PATIENCE_NS : 0;
    while (r == -EAGAIN && ms_clock_now_ns() < deadline_ns) {
        bool is_held = ms_lock_wait(lock, deadline_ns) == 0;
        r = ms_queue_status(queue, fetch, from_outside, ret_status);
        if (is_held) {
            ms_lock_release(lock);
        }
    }
    return r == -EAGAIN ? -ETIMEDOUT : r;
}

void ms_info_fill(const struct ms_queue *queue, const struct ms_status *status,
                  mailslot_info *info) {
    const struct ms_header *header = queue->header;
    *info = (mailslot_info){
        .size = sizeof *info,
        .max_message_size = header->max_message_size,
        .timeout_ms = atomic_load_explicit(&header->timeout_ms, memory_order_relaxed),
        .next_size = status->next_size,
        .mode = header->mode,
        .pid = header->pid,
        .uid = header->uid,
        .count = status->count,
        .bytes = status->bytes,
        .max_bytes = queue->capacity,
        .received = status->received,
        .rejected = atomic_load_explicit(&header->rejected, memory_order_relaxed),
        .created_ns = header->created_ns,
    };
    memcpy(info->name, header->name, sizeof info->name - 1);
}
