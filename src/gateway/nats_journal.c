/* SPDX-License-Identifier: MIT */
#include "gateway/nats_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x32304c4e4a534d) /* "MSJNL02" */
#define WRITERS_COUNT 128

/* Gateways that have sent to the consumer; the one silent for longest is forgotten. */
struct entry {
    atomic_uint_least64_t number; /* of its last message; stored while words[0] is 0 */
    atomic_int_least64_t time_ns;
    atomic_uint_least64_t words[3];
};

enum verdict { OPEN, ARRIVED, LOST };

/* The file. Another life of the same machine reads it, so no byte order matters. */
struct page {
    uint64_t magic;
    atomic_int_least64_t time_ns; /* of the message `done`; stored before it */
    atomic_uint_least64_t done;
    atomic_int_least64_t doing_time_ns; /* stored before `doing`, as is the slot */
    atomic_uint_least64_t doing;
    int64_t slot_created_ns; /* what the slot was like before `doing` */
    uint64_t slot_received;
    atomic_uint_least64_t
        verdict; /* what became of `doing`; OPEN before it is stored */
    struct entry writers[WRITERS_COUNT];
};

struct ms_journal {
    struct page *page;
};

/* 0, or an errno. Its memory is there: a full disk must not be a signal later. */
static int map(const char *path, struct page **ret_page) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return errno;
    }
    int error = posix_fallocate(fd, 0, sizeof(struct page));
    if (error == 0) {
        void *memory =
            mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        error = memory == MAP_FAILED ? errno : 0;
        *ret_page = memory == MAP_FAILED ? NULL : memory;
    }
    close(fd);
    return error;
}

int ms_journal_open(const char *path, struct ms_journal **ret_journal) {
    struct ms_journal *journal = calloc(1, sizeof *journal);
    if (!journal) {
        return -ENOMEM;
    }
    int error = map(path, &journal->page);
    if (!journal->page) {
        free(journal);
        return -error;
    }
    struct page *page = journal->page;
    if (page->magic != MAGIC) {
        memset(page, 0, sizeof *page);
        page->magic = MAGIC;
    }
    *ret_journal = journal;
    return 0;
}

struct ms_journal *ms_journal_close(struct ms_journal *journal) {
    if (journal) {
        munmap(journal->page, sizeof *journal->page);
        free(journal);
    }
    return NULL;
}

bool ms_journal_is_done(const struct ms_journal *journal,
                        const struct ms_journal_place *place) {
    const struct page *page = journal->page;
    return place->sequence <= atomic_load(&page->done) &&
           place->time_ns <= atomic_load(&page->time_ns);
}

bool ms_journal_is_doing(const struct ms_journal *journal,
                         const struct ms_journal_place *place) {
    const struct page *page = journal->page;
    return place->sequence == atomic_load(&page->doing) &&
           place->time_ns == atomic_load(&page->doing_time_ns);
}

bool ms_journal_is_open_question(const struct ms_journal *journal) {
    const struct page *page = journal->page;
    return atomic_load(&page->doing) && atomic_load(&page->verdict) == OPEN;
}

/* Another count is a higher one, unless the slot has forgotten this user meanwhile. */
void ms_journal_settle(struct ms_journal *journal, const mailslot_info *info) {
    struct page *page = journal->page;
    bool has_arrived = info && info->created_ns == page->slot_created_ns &&
                       info->received != page->slot_received;
    atomic_store(&page->verdict, has_arrived ? ARRIVED : LOST);
}

bool ms_journal_has_arrived(const struct ms_journal *journal) {
    return atomic_load(&journal->page->verdict) == ARRIVED;
}

void ms_journal_begin(struct ms_journal *journal, const struct ms_journal_place *place,
                      const mailslot_info *info) {
    struct page *page = journal->page;
    page->slot_created_ns = info->created_ns;
    page->slot_received = info->received;
    atomic_store(&page->verdict, OPEN);
    atomic_store(&page->doing_time_ns, place->time_ns);
    atomic_store(&page->doing, place->sequence);
}

void ms_journal_cancel(struct ms_journal *journal) {
    atomic_store(&journal->page->doing, 0);
}

static bool is_of(const struct entry *entry, const struct ms_journal_writer *writer) {
    for (size_t i = 0; i < 3; i++) {
        if (atomic_load(&entry->words[i]) != writer->words[i]) {
            return false;
        }
    }
    return true;
}

/* The writer's entry, or the one to be forgotten. */
static struct entry *find(struct page *page, const struct ms_journal_writer *writer) {
    struct entry *oldest = &page->writers[0];
    for (size_t i = 0; i < WRITERS_COUNT; i++) {
        struct entry *entry = &page->writers[i];
        if (is_of(entry, writer)) {
            return entry;
        }
        if (atomic_load(&entry->time_ns) < atomic_load(&oldest->time_ns)) {
            oldest = entry;
        }
    }
    return oldest;
}

/* Killed in here, an entry is valid or unused. */
static void note(struct page *page, const struct ms_journal_place *place,
                 const struct ms_journal_writer *writer, uint64_t number) {
    struct entry *entry = find(page, writer);
    bool is_new = !is_of(entry, writer);
    if (is_new) {
        atomic_store(&entry->words[0], 0);
        atomic_store(&entry->words[1], writer->words[1]);
        atomic_store(&entry->words[2], writer->words[2]);
    }
    atomic_store(&entry->number, number);
    atomic_store(&entry->time_ns, place->time_ns);
    if (is_new) {
        atomic_store(&entry->words[0], writer->words[0]);
    }
}

void ms_journal_end(struct ms_journal *journal, const struct ms_journal_place *place,
                    const struct ms_journal_writer *writer, uint64_t number) {
    struct page *page = journal->page;
    atomic_store(&page->time_ns, place->time_ns);
    atomic_store(&page->done, place->sequence);
    if (writer->words[0]) {
        note(page, place, writer, number);
    }
    atomic_store(&page->doing, 0);
}

bool ms_journal_knows(const struct ms_journal *journal,
                      const struct ms_journal_writer *writer, uint64_t number) {
    const struct entry *entry = find(journal->page, writer);
    return writer->words[0] && is_of(entry, writer) &&
           number <= atomic_load(&entry->number);
}
