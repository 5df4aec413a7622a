/* SPDX-License-Identifier: MIT */
/* Memory mappings. */
#include "os/memory.h"

#include <errno.h>
#include <sys/mman.h>

/* A mapping without its advice would break a promise, so it is not made. */
static int map(int fd, int flags, size_t size, int advice, void **ret_memory) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED) {
        return errno == EAGAIN ? -ENOMEM : -errno; /* EAGAIN: above RLIMIT_MEMLOCK */
    }
    if (madvise(memory, size, advice) < 0) {
        int r = -errno;
        munmap(memory, size);
        return r;
    }
    *ret_memory = memory;
    return 0;
}

int ms_memory_map(int fd, size_t size, void **ret_memory) {
    int r = map(fd, MAP_SHARED, size, MADV_DONTFORK, ret_memory);
    if (r == 0) {
        madvise(*ret_memory, size, MADV_DONTDUMP); /* a convenience: may fail */
    }
    return r;
}

int ms_memory_allocate(size_t size, void **ret_memory) {
    return map(-1, MAP_PRIVATE | MAP_ANONYMOUS, size, MADV_WIPEONFORK, ret_memory);
}

void ms_memory_unmap(void *memory, size_t size) {
    munmap(memory, size);
}
