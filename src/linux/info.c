/* SPDX-License-Identifier: MIT */
/* What a slot looks like. */
#include "linux/info.h"

#include <string.h>

int ms_info_fill(const struct ms_queue *queue, mailslot_info *info) {
    const struct ms_header *header = queue->header;
    struct ms_status status;
    int r = ms_queue_status(queue, &status);
    if (r < 0) {
        return r;
    }
    *info = (mailslot_info){
        .size = sizeof *info,
        .max_message_size = header->max_message_size,
        .timeout_ms = atomic_load_explicit(&header->timeout_ms, memory_order_relaxed),
        .next_size = status.next_size,
        .mode = header->mode,
        .pid = header->pid,
        .uid = header->uid,
        .count = status.count,
        .bytes = status.bytes,
        .max_bytes = queue->capacity,
        .received = status.received,
        .rejected = atomic_load_explicit(&header->rejected, memory_order_relaxed),
        .created_ns = header->created_ns,
    };
    memcpy(info->name, header->name, sizeof info->name - 1);
    return 0;
}
