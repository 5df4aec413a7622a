/* SPDX-License-Identifier: MIT */
/* Memory mappings. */
#include "os/memory.h"

#include "os/error.h"

#include <errno.h>
#include <sys/mman.h>

/* EAGAIN: of mmap, above RLIMIT_MEMLOCK; of madvise, no memory of the system's own. */
static int map_error(void) {
    return errno == EAGAIN ? -ENOMEM : ms_error(errno);
}

/* A mapping without its advice would break a promise, so it is not made. */
static int advise(void *memory, size_t size, int advice) {
    if (madvise(memory, size, advice) < 0) {
        int r = map_error();
        munmap(memory, size);
        return r;
    }
    return 0;
}

/* Private memory, anywhere. */
static int reserve(int protection, size_t size, void **ret_memory) {
    void *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return map_error();
    }
    *ret_memory = memory;
    return 0;
}

/* Bytes of a file at a place that is reserved. */
static int place(void *at, size_t size, int fd, size_t offset) {
    void *memory = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                        (off_t)offset);
    return memory == MAP_FAILED ? map_error() : 0;
}

int ms_memory_map(int fd, size_t head, size_t gap, size_t tail, void **ret_memory) {
    size_t size = head + gap + tail;
    void *memory = NULL;
    int r = reserve(PROT_NONE, size, &memory);
    if (r < 0) {
        return r;
    }
    char *at = memory;
    r = place(at, head, fd, 0);
    if (r == 0 && mprotect(at + head, gap, PROT_READ | PROT_WRITE) < 0) {
        r = map_error();
    }
    if (r == 0) {
        r = place(at + head + gap, tail, fd, head);
    }
    if (r < 0) {
        munmap(memory, size);
        return r;
    }
    r = advise(memory, size, MADV_DONTFORK);
    if (r == 0) {
        madvise(memory, size, MADV_DONTDUMP); /* a convenience: may fail */
        *ret_memory = memory;
    }
    return r;
}

int ms_memory_map_start(int fd, size_t size, void **ret_memory) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return map_error();
    }
    *ret_memory = memory;
    return 0;
}

int ms_memory_allocate(size_t size, void **ret_memory) {
    int r = reserve(PROT_READ | PROT_WRITE, size, ret_memory);
    return r < 0 ? r : advise(*ret_memory, size, MADV_WIPEONFORK);
}

void ms_memory_populate(void *memory, size_t size) {
    madvise(memory, size, MADV_POPULATE_WRITE); /* unknown before Linux 5.14 */
}

void ms_memory_use_once(void *memory, size_t size) {
    madvise(memory, size, MADV_SEQUENTIAL);
}

void ms_memory_unmap(void *memory, size_t size) {
    munmap(memory, size);
}
