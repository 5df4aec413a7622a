/* SPDX-License-Identifier: MIT */
/* A message that is sent alone: to open a slot as a writer does would cost most of it.
 */
#include "backend.h"
#include "linux/backing.h"
#include "linux/registry.h"
#include "linux/turn.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "queue/queue.h"
#include "queue/step.h"

#include <errno.h>

/* A larger message is worth a mapping. */
#define SIZE_MAX_ONCE 4096

/* The ring is not mapped: the record is written through the file. */
static int write_record(const struct ms_queue *queue, int fd,
                        const struct ms_claim *claim, const void *data, uint32_t size) {
    _Alignas(8) char memory[MS_RECORD_SIZE + SIZE_MAX_ONCE];
    struct ms_envelope sender = {.time_ns = ms_clock_stamp_ns(),
                                 .pid = ms_process_pid()};
    uint64_t mask = queue->capacity - 1;
    uint64_t offset = MS_HEADER_SIZE + ((claim->start + claim->padding) & mask);
    int r = 0;
    if (claim->padding) {
        uint64_t padding = ms_queue_padding(claim);
        r = ms_file_write_at(fd, &padding, sizeof padding,
                             MS_HEADER_SIZE + (claim->start & mask));
    }
    if (r == 0) {
        ms_queue_compose(queue, &sender, data, size, memory);
        r = ms_file_write_at(fd, memory, MS_RECORD_SIZE + size, offset);
    }
    return r;
}

/* In a turn. */
static int put(struct ms_queue *queue, int fd, const void *data, uint32_t size) {
    struct ms_claim claim;
    uint64_t wanted;
    int r = ms_queue_claim(queue, size, &claim, &wanted);
    if (r == 0) {
        r = ms_backing_reserve(queue, fd, claim.end);
    }
    if (r == 0) {
        r = write_record(queue, fd, &claim, data, size);
    }
    if (r == 0) {
        MS_STEP("once.written");
        ms_queue_publish(queue, &claim, size, false);
    }
    return r;
}

static int send_to(struct ms_header *header, int fd, uint64_t capacity,
                   const void *data, size_t size) {
    struct ms_queue queue;
    ms_queue_attach(&queue, header, capacity);
    queue.ring = NULL;
    if (size > queue.size_limit || size > SIZE_MAX_ONCE) {
        return -EMSGSIZE;
    }
    if (!ms_queue_is_owners(header, ms_process_uid(), ms_process_gid())) {
        return -EACCES; /* it tells no origin */
    }
    int r = ms_turn_try(header);
    if (r == 0) {
        r = put(&queue, fd, data, (uint32_t)size);
        ms_turn_end(header, NULL, r == 0);
    }
    return r;
}

int ms_writer_send_once(const struct ms_name *name, const void *data, size_t size) {
    char path[MS_PATH_SIZE];
    int fd = -1;
    int r = ms_registry_path(name, path);
    if (r == 0) {
        r = ms_file_open(path, &fd);
    }
    if (r < 0) {
        return r;
    }
    struct ms_header *header = NULL;
    uint64_t capacity = 0;
    r = ms_region_map_header(fd, &header, &capacity);
    if (r == 0) {
        r = ms_file_is_locked(fd) ? send_to(header, fd, capacity, data, size) : -EPIPE;
        ms_region_unmap_header(header);
    }
    ms_file_close(fd);
    return r;
}
