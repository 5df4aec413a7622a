/* SPDX-License-Identifier: MIT */
/* The invariants of queue/layout.h, seen from outside. */
#include "invariants.h"

#include "../unit/ring.h"
#include "os/lock.h"
#include "os/memory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)

/* I6: what is reserved, and the header, have memory. That it lies in the right place is
 * not seen here, but nothing else may have any. */
static void check_memory(const struct ms_header *header, const struct stat *status) {
    uint64_t head = ms_position(atomic_load(&header->head));
    uint64_t reserved = header->reserved;
    uint64_t first = head / PAGE * PAGE;
    uint64_t bytes = (uint64_t)status->st_blocks * 512;
    if (reserved == UINT64_MAX) {
        HOLDS(bytes == MS_HEADER_SIZE + header->capacity);
    } else {
        HOLDS(reserved % PAGE == 0 && reserved >= first);
        HOLDS(ms_position(atomic_load(&header->tail)) <= reserved);
        HOLDS(reserved <= header->reserving);
        HOLDS(bytes >= MS_HEADER_SIZE + (reserved - first));
        HOLDS(bytes <= MS_HEADER_SIZE + header->capacity);
    }
}

/* I8, and that nobody has died or waits in a lock. */
static void check_locks(const struct ms_header *header, int fd) {
    HOLDS(header->closed == 0);
    HOLDS(ms_lock_holder(&header->owner_lock) != 0);
    HOLDS(ms_lock_holder(&header->write_lock) == 0);
    HOLDS(ms_lock_holder(&header->removal_lock) == 0);
    HOLDS(flock(fd, LOCK_SH | LOCK_NB) < 0);
}

void invariants_check(const char *path, uint64_t count) {
    struct stat status;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    HOLDS(fd >= 0 && fstat(fd, &status) == 0);
    size_t size = (size_t)status.st_size;
    void *memory;
    HOLDS(size >= MS_HEADER_SIZE + MS_CAPACITY_MIN);
    HOLDS(ms_memory_map(fd, MS_HEADER_SIZE, MS_PRIVATE_SIZE, size - MS_HEADER_SIZE,
                        &memory) == 0);
    struct ring ring = {.header = memory};
    HOLDS(ms_queue_check(ring.header, size) == 0); /* I1 */
    ms_queue_attach(&ring.queue, ring.header, ring.header->capacity);
    ring_check(&ring);
    struct ms_status found;
    HOLDS(ms_queue_status(&ring.queue, NULL, NULL, &found) == 0);
    HOLDS(found.count == count);
    check_memory(ring.header, &status);
    check_locks(ring.header, fd);
    ms_memory_unmap(memory, size + MS_PRIVATE_SIZE);
    close(fd);
}
