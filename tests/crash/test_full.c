/* SPDX-License-Identifier: MIT */
/* Slots in a file system of 4 MiB that is full: an error, never a SIGBUS. */
#include "note.h"
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE_BYTES (4 * MIB)
#define PAGE_BYTES 4096
#define RECORD_BYTES 24

/* A file that takes memory from the slots. */
static int filler_open(char ret_path[256]) {
    snprintf(ret_path, 256, "%s/filler", registry_directory());
    int fd = open(ret_path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void filler_close(int fd, const char *path) {
    close(fd);
    ck_assert_int_eq(unlink(path), 0);
}

/* Leave exactly that much. */
static void filler_leave(int fd, uint64_t bytes) {
    struct stat status;
    ck_assert_int_eq(fstat(fd, &status), 0);
    off_t size = status.st_size + (off_t)place_free() - (off_t)bytes;
    ck_assert_int_eq(ftruncate(fd, size), 0);
    ck_assert_int_eq(fallocate(fd, 0, 0, size), 0);
    ck_assert_uint_eq(place_free(), bytes);
}

static int send_note(mailslot_writer *writer, uint32_t index, uint32_t size) {
    static uint64_t buffer[MIB / 8];
    note_write(buffer, 0, index, size);
    return mailslot_writer_send(writer, buffer, size, 0);
}

static void take_note(mailslot *slot, uint32_t index, uint32_t size) {
    mailslot_message message;
    struct note note;
    HOLDS(mailslot_peek(slot, 0, &message) == 0);
    HOLDS(message.size == size && note_read(message.data, size, &note));
    HOLDS(note.index == index);
    HOLDS(mailslot_consume(slot) == 0);
}

/* Send until the file system is full. Returns how many were accepted. */
static uint32_t send_until_full(mailslot_writer *writer, uint32_t first,
                                uint32_t size) {
    uint32_t count = 0;
    int r = send_note(writer, first, size);
    while (r == 0) {
        count++;
        r = send_note(writer, first + count, size);
    }
    ck_assert_int_eq(r, -ENOSPC);
    return count;
}

static void check_fill_and_drain(uint64_t max_bytes, uint32_t size) {
    mailslot *slot = create_at_once("slot", max_bytes);
    mailslot_writer *writer = open_writer("slot");
    uint64_t rejected = 0;
    for (int round = 0; round < 5; round++) {
        uint32_t count = send_until_full(writer, 0, size);
        ck_assert_uint_ge((uint64_t)count * (size + RECORD_BYTES),
                          PLACE_BYTES / 2 - size);
        ck_assert_uint_lt(place_free(), size + RECORD_BYTES + 2 * PAGE_BYTES);
        for (int i = 0; i < 10; i++) {
            ck_assert_int_eq(send_note(writer, count, size), -ENOSPC);
        }
        rejected += 11;
        ck_assert_uint_eq(get_info(slot).count, count);
        ck_assert_uint_eq(get_info(slot).rejected, rejected);
        for (uint32_t i = 0; i < count; i++) {
            take_note(slot, i, size);
        }
        ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    }
    ck_assert_int_eq(send_note(writer, 0, size), 0);
    mailslot_writer_close(writer);
    mailslot_close(slot);
    ck_assert_uint_eq(place_free(), PLACE_BYTES);
}

START_TEST(what_is_accepted_before_the_file_system_is_full_is_read_whole) {
    const uint32_t sizes[] = {16, 1000, PAGE_BYTES - RECORD_BYTES, 60000, 1000000};
    place_mount("size=4m");
    for (size_t i = 0; i < COUNT(sizes); i++) {
        check_fill_and_drain(0, sizes[i]);
        check_fill_and_drain(16 * MIB, sizes[i]);
    }
    place_unmount();
}
END_TEST

/* The next page is the one that is missing, whatever page of the ring it is. */
START_TEST(a_small_ring_in_a_full_file_system_takes_what_it_has_memory_for) {
    char path[256];
    const uint32_t size = 512 - RECORD_BYTES;
    place_mount("size=4m");
    int filler = filler_open(path);
    for (uint64_t pages = 0; pages < 20; pages++) {
        filler_leave(filler, 2 * MIB);
        mailslot *slot = create_at_once("slot", 64 * KIB);
        mailslot_writer *writer = open_writer("slot");
        filler_leave(filler, pages * PAGE_BYTES);
        uint32_t count = 0;
        int r = send_note(writer, 0, size);
        for (; r == 0; r = send_note(writer, count, size)) {
            count++;
        }
        ck_assert_int_eq(r, pages < 16 ? -ENOSPC : -EAGAIN);
        ck_assert_uint_eq(count, (pages < 16 ? pages : 16) * (PAGE_BYTES / 512));
        for (uint32_t i = 0; i < count; i++) {
            take_note(slot, i, size);
        }
        mailslot_writer_close(writer);
        mailslot_close(slot);
    }
    filler_close(filler, path);
    place_unmount();
}
END_TEST

START_TEST(a_full_file_system_is_an_error_at_once_however_long_the_timeout) {
    static const char data[5000];
    place_mount("size=4m");
    mailslot *slot = create_at_once("slot", 0);
    mailslot_writer *writer = open_writer("slot");
    send_until_full(writer, 0, 16);
    int64_t begin_ms = now_ms();
    ck_assert_int_eq(mailslot_writer_send(writer, data, sizeof data, MAILSLOT_FOREVER),
                     -ENOSPC);
    ck_assert_int_lt(now_ms() - begin_ms, AT_ONCE_MS);
    mailslot_writer_close(writer);
    mailslot_close(slot);
    place_unmount();
}
END_TEST

START_TEST(a_batch_that_meets_a_full_file_system_tells_what_it_sent) {
    static uint64_t data[64 * KIB / 8];
    mailslot_buffer messages[100];
    for (size_t i = 0; i < COUNT(messages); i++) {
        messages[i] = (mailslot_buffer){data, sizeof data};
    }
    place_mount("size=4m");
    mailslot *slot = create_at_once("slot", 0);
    mailslot_writer *writer = open_writer("slot");
    size_t sent = 0;
    note_write(data, 0, 7, sizeof data);
    ck_assert_int_eq(
        mailslot_writer_send_all(writer, messages, COUNT(messages), 0, &sent), -ENOSPC);
    ck_assert_uint_ge(sent, 60);
    ck_assert_uint_lt(sent, 64);
    ck_assert_uint_eq(get_info(slot).count, sent);
    ck_assert_uint_eq(get_info(slot).rejected, 1);
    for (size_t i = 0; i < sent; i++) {
        take_note(slot, 7, sizeof data);
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
    place_unmount();
}
END_TEST

START_TEST(a_create_in_a_full_file_system_leaves_nothing) {
    char path[256];
    place_mount("size=4m");
    int filler = filler_open(path);
    filler_leave(filler, 0);
    mailslot *slot = NULL;
    ck_assert_int_eq(mailslot_create("slot", NULL, &slot), -ENOSPC);
    ck_assert_ptr_null(slot);
    ck_assert_int_eq(registry_files(), 1);
    ck_assert_uint_eq(place_free(), 0);
    filler_leave(filler, PAGE_BYTES);
    slot = create_at_once("slot", 0);
    ck_assert_int_eq(mailslot_send("slot", "x", 1, 0), -ENOSPC);
    ck_assert_int_eq(mailslot_send("slot", NULL, 0, 0), -ENOSPC);
    ck_assert_uint_eq(get_info(slot).rejected, 2);
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    filler_leave(filler, PAGE_BYTES);
    ck_assert_int_eq(mailslot_send("slot", "x", 1, 0), 0);
    mailslot_close(slot);
    ck_assert_uint_eq(place_free(), 2 * PAGE_BYTES);
    filler_close(filler, path);
    place_unmount();
}
END_TEST

/* To look into a hole in a file of memory takes memory, too. */
START_TEST(a_file_without_memory_in_a_full_file_system_is_not_a_slot) {
    char path[256];
    char hole[256];
    place_mount("size=4m");
    registry_path("hole", hole);
    file_write(hole, "", (off_t)(PAGE_BYTES + MIB));
    int filler = filler_open(path);
    filler_leave(filler, 0);
    ck_assert_int_eq(mailslot_send("hole", "x", 1, 0), -EBADMSG);
    filler_leave(filler, PAGE_BYTES); /* for a create that does not come to be */
    require_refused("hole", -EBADMSG);
    ck_assert_uint_eq(place_free(), PAGE_BYTES);
    ck_assert_int_eq(unlink(hole), 0);
    filler_close(filler, path);
    place_unmount();
}
END_TEST

START_TEST(a_create_in_a_file_system_without_inodes_leaves_nothing) {
    place_mount("size=4m,nr_inodes=3");
    mailslot *first = create_at_once("first", 0);
    mailslot *second = create_at_once("second", 0);
    uint64_t before = place_free();
    mailslot *third = NULL;
    ck_assert_int_eq(mailslot_create("third", NULL, &third), -ENOSPC);
    ck_assert_int_eq(registry_files(), 2);
    ck_assert_uint_eq(place_free(), before);
    mailslot_close(first);
    third = create_at_once("third", 0);
    mailslot_close(second);
    mailslot_close(third);
    place_unmount();
}
END_TEST

START_TEST(a_message_that_does_not_fit_keeps_nothing_and_small_ones_still_go) {
    static char large[8 * MIB];
    place_mount("size=4m");
    mailslot *slot = create_at_once("slot", 0);
    mailslot_writer *writer = open_writer("slot");
    /* Beyond the window at the start of the ring, which keeps its memory. */
    for (uint32_t i = 0; i < 1000; i++) {
        ck_assert_int_eq(send_note(writer, i, 1000), 0);
    }
    uint64_t before = place_free();
    for (uint32_t i = 0; i < 20; i++) {
        ck_assert_int_eq(mailslot_writer_send(writer, large, sizeof large, 0), -ENOSPC);
        ck_assert_uint_eq(place_free(), before);
        ck_assert_int_eq(mailslot_writer_send(writer, large, PLACE_BYTES - MIB / 2, 0),
                         -ENOSPC);
        ck_assert_uint_eq(place_free(), before);
    }
    ck_assert_uint_eq(get_info(slot).rejected, 40);
    uint32_t more = send_until_full(writer, 1000, 1000);
    ck_assert_uint_ge(more, 2500);
    for (uint32_t i = 0; i < 1000 + more; i++) {
        take_note(slot, i, 1000);
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
    place_unmount();
}
END_TEST

START_TEST(a_message_that_does_not_fit_an_empty_slot_keeps_no_more_than_the_window) {
    static char large[8 * MIB];
    place_mount("size=4m");
    mailslot *slot = create_at_once("slot", 0);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(mailslot_send("slot", large, sizeof large, 0), -ENOSPC);
        ck_assert_int_le(registry_memory("slot"), DRAINED_BYTES);
    }
    ck_assert_int_eq(mailslot_send("slot", large, 3 * MIB, 0), 0);
    mailslot_close(slot);
    ck_assert_uint_eq(place_free(), PLACE_BYTES);
    place_unmount();
}
END_TEST

/* A reservation that reaches into the next lap is undone: but what it found at the
 * start of the ring had its memory before, and the owner counts on it. */
START_TEST(a_message_that_does_not_fit_takes_no_memory_from_the_next_lap) {
    static char buffer[8 * MIB];
    const size_t size = 1000000;
    char path[256];
    size_t read;
    place_mount("size=12m");
    int filler = filler_open(path);
    mailslot *slot = create_at_once("slot", 16 * MIB);
    mailslot_writer *writer = open_writer("slot");
    ck_assert_int_eq(mailslot_writer_send(writer, buffer, size, 0), 0);
    for (int i = 0; i < 14; i++) {
        ck_assert_int_eq(mailslot_writer_send(writer, buffer, size, 0), 0);
        ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &read), 0);
    }
    filler_leave(filler, 3 * MIB);
    int64_t memory = registry_memory("slot");
    ck_assert_int_eq(mailslot_writer_send(writer, buffer, 7000000, 0), -ENOSPC);
    ck_assert_int_eq(registry_memory("slot"), memory);
    ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &read), 0);
    filler_leave(filler, 0);
    ck_assert_int_eq(mailslot_writer_send(writer, buffer, 3 * size, 0), 0);
    ck_assert_int_eq(mailslot_read(slot, buffer, sizeof buffer, 0, &read), 0);
    ck_assert_uint_eq(read, 3 * size);
    mailslot_writer_close(writer);
    mailslot_close(slot);
    filler_close(filler, path);
    place_unmount();
}
END_TEST

struct filler {
    struct stream *stream;
    int fd;
};

/* Take and give memory at random for as long as the stream runs. */
static void run_filler(void *context) {
    const struct filler *filler = context;
    uint64_t random = 1;
    while (filler->stream->running) {
        off_t size = (off_t)(next_random(&random) % PLACE_BYTES) + 1;
        REQUIRE(ftruncate(filler->fd, size) == 0);
        REQUIRE(fallocate(filler->fd, 0, 0, size) == 0 || errno == ENOSPC);
        nap_us(200);
    }
    REQUIRE(ftruncate(filler->fd, 0) == 0);
}

/* Whenever a send was refused, read some: a few, many, or all that is there. */
static void read_when_refused(struct stream *stream, mailslot *slot) {
    uint64_t random = 2;
    uint64_t refusals = 0;
    while (stream_is_running(stream)) {
        if (stream->refusals == refusals) {
            sched_yield();
            continue;
        }
        refusals = stream->refusals;
        uint32_t count = 1U << next_random(&random) % 14;
        while (count-- && mailslot_wait(slot, 0) == 0) {
            stream_take(stream, slot);
        }
    }
}

static void check_brink(uint64_t max_bytes, uint32_t size_max) {
    char path[256];
    mailslot *slot = create_at_once("brink", max_bytes);
    struct stream *stream = share(sizeof *stream);
    *stream = (struct stream){.name = "brink",
                              .size_max = size_max,
                              .large_every = 32,
                              .count = few_or_many(50000, 2000000)};
    struct filler filler = {stream, filler_open(path)};
    stream_start(stream);
    pid_t pid = child_start(run_filler, &filler);
    read_when_refused(stream, slot);
    stream_finish(stream, slot);
    child_finish(pid);
    ck_assert_uint_gt(stream->refusals, 100);
    ck_assert_uint_eq(get_info(slot).rejected, stream->refusals);
    ck_assert_uint_eq(get_info(slot).received, 2 * (uint64_t)stream->count);
    ck_assert_int_le(registry_memory("brink"), DRAINED_BYTES);
    mailslot_close(slot);
    filler_close(filler.fd, path);
    ck_assert_uint_eq(place_free(), PLACE_BYTES);
}

START_TEST(a_ring_smaller_than_the_file_system_loses_nothing_at_the_brink) {
    place_mount("size=4m");
    check_brink(64 * KIB, 16000);
    check_brink(MIB, 60000);
    place_unmount();
}
END_TEST

START_TEST(a_ring_larger_than_the_file_system_loses_nothing_at_the_brink) {
    place_mount("size=4m");
    check_brink(8 * MIB, 60000);
    check_brink(0, 60000);
    place_unmount();
}
END_TEST

int main(void) {
    if (!place_is_mountable()) {
        return EXIT_SKIPPED;
    }
    TCase *cases = suite_begin("full");
    tcase_add_test(cases,
                   what_is_accepted_before_the_file_system_is_full_is_read_whole);
    tcase_add_test(cases,
                   a_small_ring_in_a_full_file_system_takes_what_it_has_memory_for);
    tcase_add_test(cases,
                   a_full_file_system_is_an_error_at_once_however_long_the_timeout);
    tcase_add_test(cases, a_batch_that_meets_a_full_file_system_tells_what_it_sent);
    tcase_add_test(cases, a_create_in_a_full_file_system_leaves_nothing);
    tcase_add_test(cases, a_file_without_memory_in_a_full_file_system_is_not_a_slot);
    tcase_add_test(cases, a_create_in_a_file_system_without_inodes_leaves_nothing);
    tcase_add_test(cases,
                   a_message_that_does_not_fit_keeps_nothing_and_small_ones_still_go);
    tcase_add_test(
        cases, a_message_that_does_not_fit_an_empty_slot_keeps_no_more_than_the_window);
    tcase_add_test(cases,
                   a_message_that_does_not_fit_takes_no_memory_from_the_next_lap);
    tcase_add_test(cases,
                   a_ring_smaller_than_the_file_system_loses_nothing_at_the_brink);
    tcase_add_test(cases,
                   a_ring_larger_than_the_file_system_loses_nothing_at_the_brink);
    return suite_run();
}
