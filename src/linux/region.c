/* SPDX-License-Identifier: MIT */
/* A region's file, and its mapping into this process. */
#include "linux/region.h"

#include "linux/backing.h"
#include "os/file.h"
#include "os/lock.h"
#include "os/memory.h"
#include "os/process.h"
#include "queue/queue.h"

#include <errno.h>
#include <stddef.h>

_Static_assert(offsetof(struct ms_header, owner_lock) + MS_LOCK_NODE_OFFSET >=
                   MS_HEADER_SIZE,
               "the nodes of the locks that are kept are private");
_Static_assert(offsetof(struct ms_header, removal_lock) + MS_LOCK_NODE_OFFSET >=
                   offsetof(struct ms_header, owner_lock) + MS_LOCK_NODE_OFFSET +
                       MS_LOCK_NODE_SIZE,
               "and do not overlap");

static int map(int fd, size_t size, struct ms_header **ret_header) {
    void *memory;
    int r = ms_memory_map(fd, MS_HEADER_SIZE, MS_PRIVATE_SIZE, size - MS_HEADER_SIZE,
                          &memory);
    if (r < 0) {
        return r;
    }
    uint64_t once = MS_HEADER_SIZE + MS_BUSY_WINDOW;
    if (size > once) {
        ms_memory_use_once((char *)memory + MS_PRIVATE_SIZE + once, size - once);
    }
    *ret_header = memory;
    return 0;
}

/* The header gets its memory before it is touched: no SIGBUS on a full file system. */
static int map_new(int fd, size_t size, uint32_t max_message_size,
                   struct ms_header **ret_header) {
    int r = ms_file_reserve(fd, 0, MS_HEADER_SIZE);
    if (r < 0) {
        return r;
    }
    r = map(fd, size, ret_header);
    if (r == 0) {
        ms_queue_init(*ret_header, size - MS_HEADER_SIZE, max_message_size);
    }
    return r;
}

int ms_region_create(const char *directory, uint64_t capacity,
                     uint32_t max_message_size, struct ms_region *ret_region) {
    size_t size = MS_HEADER_SIZE + capacity;
    int fd;
    int r = ms_file_create(directory, size, &fd);
    if (r < 0) {
        return r;
    }
    struct ms_header *header = NULL;
    r = map_new(fd, size, max_message_size, &header);
    if (r < 0) {
        ms_file_close(fd);
        return r;
    }
    *ret_region = (struct ms_region){.fd = fd, .size = size, .header = header};
    return 0;
}

/* Whether a file is the region of a slot of this user, and its size. */
static int check_file(int fd, uint64_t *ret_size) {
    struct ms_file_status status;
    int r = ms_file_status(fd, &status);
    if (r < 0) {
        return r;
    }
    if (status.uid != ms_process_uid()) {
        return -EACCES;
    }
    if (!status.is_regular || status.size < MS_HEADER_SIZE + MS_CAPACITY_MIN ||
        status.size > MS_HEADER_SIZE + MS_CAPACITY_MAX) {
        return -EBADMSG;
    }
    /* Not by its mapping: a file that is not a slot may have no memory there, and to
     * touch it would be a SIGBUS on a full file system. */
    struct ms_header header;
    r = ms_file_read_at(fd, &header, sizeof header, 0);
    *ret_size = status.size;
    return r < 0 ? r : ms_queue_check(&header, status.size);
}

int ms_region_map(int fd, struct ms_region *ret_region) {
    uint64_t size;
    struct ms_header *mapped = NULL;
    int r = check_file(fd, &size);
    if (r == 0) {
        r = map(fd, size, &mapped);
    }
    if (r < 0) {
        return r;
    }
    *ret_region = (struct ms_region){.fd = fd, .size = size, .header = mapped};
    return 0;
}

int ms_region_map_header(int fd, struct ms_header **ret_header,
                         uint64_t *ret_capacity) {
    uint64_t size;
    void *memory = NULL;
    int r = check_file(fd, &size);
    if (r == 0) {
        r = ms_memory_map_start(fd, MS_HEADER_SIZE, &memory);
    }
    if (r < 0) {
        return r;
    }
    *ret_header = memory;
    *ret_capacity = size - MS_HEADER_SIZE;
    return 0;
}

void ms_region_unmap_header(struct ms_header *header) {
    ms_memory_unmap(header, MS_HEADER_SIZE);
}

inline bool ms_region_is_alive(const struct ms_header *header) {
    /* Acquire: with the release in ms_registry_remove. */
    return !atomic_load_explicit(&header->closed, memory_order_acquire) &&
           ms_lock_is_held(&header->owner_lock);
}

void ms_region_close(struct ms_region *region) {
    ms_memory_unmap(region->header, region->size + MS_PRIVATE_SIZE);
    region->fd = ms_file_close(region->fd);
}

void ms_region_abandon(struct ms_region *region) {
    unsigned char *ring = (unsigned char *)region->header + MS_RING_OFFSET;
    ms_memory_unmap(ring, region->size - MS_HEADER_SIZE);
    region->fd = ms_file_close(region->fd);
}
