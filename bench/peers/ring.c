/* SPDX-License-Identifier: MIT */
#include "peers/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RING_BYTES ((size_t)1 << 18)

/* Looks before sleeping, some 0.5 us apart. To look at once and again would take the
 * line of the position away from its writer for each message. */
#define SPINS_MIN 4
#define SPINS_MAX 100
#define PAUSES 24

/* A reader waits for so many pauses at most before its first look, and no longer than
 * for so many bytes. */
#define LAG_MAX 16
#define LAG_BYTES 65536

static const char *memory_name(const char *name) {
    static char text[100];
    snprintf(text, sizeof text, "/%s.ring", name);
    return text;
}

/* Makes all processors that run one of the rings' processes execute a fence. */
static void fence_all(void) {
    expect(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0,
           "membarrier");
}

static struct ring_end *map(int fd, size_t size) {
    struct ring_end *end = allocate(sizeof *end);
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    expect(memory != MAP_FAILED, "mmap");
    close(fd);
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
    struct ring *ring = memory;
    *end = (struct ring_end){
        .ring = ring, .bytes = ring->bytes, .spins = SPINS_MAX, .lag = 1};
    return end;
}

static void init_lock(pthread_mutex_t *lock) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

struct ring_end *ring_create(const char *name, size_t size) {
    size_t capacity = RING_BYTES;
    while (capacity < 16 * size) {
        capacity *= 2;
    }
    size_t mapped = sizeof(struct ring) + capacity;
    ring_remove(name);
    int fd = shm_open(memory_name(name), O_RDWR | O_CREAT | O_EXCL, 0600);
    expect(fd >= 0 && ftruncate(fd, (off_t)mapped) == 0, "shm_open");
    struct ring_end *end = map(fd, mapped);
    init_lock(&end->ring->lock);
    end->ring->capacity = capacity;
    end->mask = capacity - 1;
    return end;
}

struct ring_end *ring_open(const char *name) {
    struct stat status;
    int fd = shm_open(memory_name(name), O_RDWR, 0);
    expect(fd >= 0 && fstat(fd, &status) == 0, "shm_open");
    struct ring_end *end = map(fd, (size_t)status.st_size);
    end->mask = end->ring->capacity - 1;
    return end;
}

void ring_close(void *memory) {
    struct ring_end *end = memory;
    munmap(end->ring, sizeof *end->ring + end->mask + 1);
    free(end);
}

void ring_remove(const char *name) {
    shm_unlink(memory_name(name));
}

static void sleep_while_set(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int count) {
    atomic_store(word, 0);
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

static void pause_processor(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static void pause_for(unsigned int times) {
    for (unsigned int i = 0; i < times * PAUSES; i++) {
        pause_processor();
    }
}

/* The other side moves this position when there is something to do. */
static bool spin(struct ring_end *end, const _Atomic uint64_t *position, uint64_t old) {
    for (unsigned int i = 0; i < end->spins; i++) {
        pause_for(i == 0 ? end->lag : 1);
        if (atomic_load_explicit(position, memory_order_relaxed) != old) {
            end->spins = end->spins < SPINS_MAX / 2 ? 2 * end->spins : SPINS_MAX;
            return true;
        }
    }
    end->spins = end->spins / 2 > SPINS_MIN ? end->spins / 2 : SPINS_MIN;
    return false;
}

static uint64_t extent_of(uint64_t size) {
    return sizeof(uint64_t) + ((size + 7) & ~(uint64_t)7);
}

bool ring_put(struct ring_end *end, uint64_t *head_seen, const void *data,
              size_t size) {
    struct ring *ring = end->ring;
    uint64_t capacity = end->mask + 1;
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t extent = extent_of(size);
    uint64_t to_end = capacity - (tail & end->mask);
    uint64_t padding = extent > to_end ? to_end : 0;
    if (tail + padding + extent - *head_seen > capacity) {
        *head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail + padding + extent - *head_seen > capacity) {
            return false;
        }
    }
    if (padding) {
        *(uint64_t *)(end->bytes + (tail & end->mask)) = RING_PADDING;
        tail += padding;
    }
    unsigned char *record = end->bytes + (tail & end->mask);
    *(uint64_t *)record = size;
    memcpy(record + sizeof(uint64_t), data, size);
    atomic_store_explicit(&ring->tail, tail + extent, memory_order_release);
    return true;
}

void ring_wake_reader(struct ring *ring) {
    atomic_signal_fence(memory_order_seq_cst); /* fence_all does the rest */
    if (atomic_load_explicit(&ring->reader_sleeps, memory_order_relaxed)) {
        wake(&ring->reader_sleeps, 1);
    }
}

bool ring_put_or_ask(struct ring_end *end, uint64_t *head_seen, const void *data,
                     size_t size) {
    atomic_store(&end->ring->writers_sleep, 1);
    fence_all();
    return ring_put(end, head_seen, data, size);
}

void ring_await_space(struct ring_end *end) {
    sleep_while_set(&end->ring->writers_sleep);
}

static void publish_head(struct ring_end *end) {
    struct ring *ring = end->ring;
    end->published = end->position;
    atomic_store_explicit(&ring->head, end->position, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst); /* fence_all does the rest */
    if (!atomic_load_explicit(&ring->writers_sleep, memory_order_relaxed)) {
        return;
    }
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail - end->position <= (end->mask + 1) / 4 * 3) {
        wake(&ring->writers_sleep, INT_MAX);
    }
}

/* After a wait. */
static void choose_lag(struct ring_end *end) {
    uint64_t first = *(const uint64_t *)(end->bytes + (end->position & end->mask));
    uint64_t found = end->seen - end->position;
    bool is_several = first == RING_PADDING || found > extent_of(first);
    if (!is_several || found >= 2 * LAG_BYTES) {
        end->lag = end->lag > 1 ? end->lag / 2 : 1;
    } else if (found < LAG_BYTES && end->lag < LAG_MAX) {
        end->lag *= 2;
    }
}

static void await_message(struct ring_end *end) {
    struct ring *ring = end->ring;
    if (end->published != end->position) {
        publish_head(end);
    }
    while ((end->seen = atomic_load_explicit(&ring->tail, memory_order_acquire)) ==
           end->position) {
        if (spin(end, &ring->tail, end->position)) {
            continue;
        }
        atomic_store(&ring->reader_sleeps, 1);
        fence_all();
        if (atomic_load(&ring->tail) == end->position) {
            sleep_while_set(&ring->reader_sleeps);
        }
    }
    atomic_store_explicit(&ring->reader_sleeps, 0, memory_order_relaxed);
    choose_lag(end);
}

size_t ring_receive(void *memory, void *buffer, size_t capacity) {
    struct ring_end *end = memory;
    if (end->position == end->seen) {
        await_message(end);
    }
    const unsigned char *record = end->bytes + (end->position & end->mask);
    uint64_t size = *(const uint64_t *)record;
    if (size == RING_PADDING) {
        end->position += end->mask + 1 - (end->position & end->mask);
        record = end->bytes;
        size = *(const uint64_t *)record;
    }
    if (size > capacity) {
        fail("a message of %llu bytes", (unsigned long long)size);
    }
    memcpy(buffer, record + sizeof(uint64_t), size);
    end->position += extent_of(size);
    if (end->position - end->published > (end->mask + 1) / 8) {
        publish_head(end);
    }
    return size;
}
