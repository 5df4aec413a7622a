/* SPDX-License-Identifier: MIT */
/*
 * A living slot, into whose file another process of the same user writes anything
 * anywhere at any time. Owner and writer get what mailslot.h says, and every message
 * that the owner is shown can be read to its end.
 *
 * Input: two bytes for the slot's shape, then actions, each a byte and what it needs.
 * Cutting the file is out of scope: that is a signal to everybody who maps it.
 */
#include "mailslot.h"
#include "queue/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "fuzzed"
#define STEPS_MAX 200
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SIZE_MAX_SENT 70000

struct input {
    const uint8_t *data;
    size_t size;
};

static char folder[] = "/dev/shm/mailslot-fuzz-XXXXXX";
static unsigned char payload[SIZE_MAX_SENT];

static struct {
    mailslot *slot;
    mailslot_writer *writer;
    unsigned char *file; /* as the hostile process maps it */
    size_t size;
    bool is_locked; /* a lock's word was written: what needs it may have to wait */
} it;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition) {
        abort();
    }
}

static uint32_t take(struct input *input, size_t size) {
    uint32_t value = 0;
    size_t n = size < input->size ? size : input->size;
    if (n) {
        memcpy(&value, input->data, n);
    }
    input->data += n;
    input->size -= n;
    return value;
}

static void remove_folder(void) {
    rmdir(folder);
}

static void begin(struct input *input) {
    static bool is_ready;
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    char path[64];
    struct stat status;
    if (!is_ready) {
        is_ready = mkdtemp(folder) && setenv("MAILSLOT_DIR", folder, 1) == 0 &&
                   atexit(remove_folder) == 0;
        must(is_ready);
    }
    options.max_bytes = UINT64_C(4096) << take(input, 1) % 9;
    options.max_message_size = take(input, 1) % 4 ? 0 : 100;
    must(mailslot_create(NAME, &options, &it.slot) == 0);
    must(mailslot_open(NAME, &it.writer) == 0);
    must(mailslot_writer_set_origin(it.writer, "beta", 0) == 0);
    snprintf(path, sizeof path, "%s/mailslot.%s", folder, NAME);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    must(fd >= 0 && fstat(fd, &status) == 0);
    it.size = (size_t)status.st_size;
    it.file = mmap(NULL, it.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(it.file != MAP_FAILED);
    it.is_locked = false;
    close(fd);
}

/* With a damaged lock the name may stay: whoever damaged it removes it by hand. */
static void end(void) {
    char path[64];
    mailslot_writer_close(it.writer);
    mailslot_close(it.slot);
    munmap(it.file, it.size);
    snprintf(path, sizeof path, "%s/mailslot.%s", folder, NAME);
    must(unlink(path) < 0 || it.is_locked);
}

static void must_be_for_reader(int r) {
    must(r == 0 || r == -EAGAIN || r == -EBADMSG || r == -EPIPE || r == -ECANCELED);
}

static void show(void) {
    mailslot_message message;
    int r = mailslot_peek(it.slot, 0, &message);
    must_be_for_reader(r);
    volatile unsigned char sum = 0;
    for (size_t i = 0; r == 0 && i < message.size; i++) {
        sum = (unsigned char)(sum + ((const unsigned char *)message.data)[i]);
    }
    must(r < 0 || message.size < it.size);
    must(r < 0 || !message.host || strlen(message.host) < MS_HOST_SIZE_MAX);
}

static void read_one(void) {
    size_t size = 0;
    int r = mailslot_read(it.slot, payload, sizeof payload, 0, &size);
    must(r == -EMSGSIZE || r == 0 || r == -EAGAIN || r == -EBADMSG || r == -EPIPE);
    must(r != 0 || size <= sizeof payload);
}

/* There is an end to what can be read, whatever the bytes are. */
static void read_all(void) {
    size_t count = 0;
    int r = 0;
    while (r == 0) {
        mailslot_message message;
        r = mailslot_peek(it.slot, 0, &message);
        must(++count <= it.size / MS_RECORD_SIZE + 1);
    }
    must_be_for_reader(r);
    must(mailslot_consume(it.slot) == 0);
}

static void send(struct input *input) {
    uint32_t size = take(input, 1);
    size = size < 250 ? size : take(input, 2);
    int r = mailslot_writer_send(it.writer, payload, size, 0);
    must(r == 0 || r == -EAGAIN || r == -EMSGSIZE || r == -EBADMSG || r == -EPIPE ||
         r == -ETIMEDOUT || r == -EINTR || r == -ENOSPC);
}

static void send_all(struct input *input) {
    mailslot_buffer messages[8];
    size_t count = take(input, 1) % 8 + 1;
    size_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        messages[i] = (mailslot_buffer){payload, take(input, 1)};
    }
    int r = mailslot_writer_send_all(it.writer, messages, count, 0, &sent);
    must(sent <= count && (r < 0) == (sent < count));
}

static void look(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    int r = mailslot_get_info(it.slot, &info);
    must(r == 0 || r == -EBADMSG);
    must(r < 0 || memchr(info.name, 0, sizeof info.name));
    r = mailslot_writer_get_info(it.writer, &info);
    must(r == 0 || r == -EBADMSG || r == -EPIPE);
    r = mailslot_writer_get_accepted(it.writer, &info.created_ns, &info.received);
    must(r == 0 || r == -EBADMSG || r == -EPIPE);
}

/* What matters most lies in the first page: its words get values that nearly fit. */
static void damage_header(struct input *input) {
    static const uint16_t words[] = {offsetof(struct ms_header, tail),
                                     offsetof(struct ms_header, sent),
                                     offsetof(struct ms_header, sent) + 16,
                                     offsetof(struct ms_header, head),
                                     offsetof(struct ms_header, taken),
                                     offsetof(struct ms_header, reserved),
                                     offsetof(struct ms_header, space_wanted),
                                     offsetof(struct ms_header, capacity),
                                     offsetof(struct ms_header, magic),
                                     offsetof(struct ms_header, version),
                                     offsetof(struct ms_header, closed),
                                     offsetof(struct ms_header, name),
                                     offsetof(struct ms_header, bell),
                                     offsetof(struct ms_header, space_bell),
                                     offsetof(struct ms_header, taken) + 16,
                                     offsetof(struct ms_header, created_ns),
                                     offsetof(struct ms_header, uid),
                                     offsetof(struct ms_header, gid)};
    uint64_t value;
    unsigned char *at = it.file + words[take(input, 1) % COUNT(words)];
    memcpy(&value, at, sizeof value);
    value += (uint64_t)(int64_t)(int16_t)take(input, 2);
    memcpy(at, &value, sizeof value);
}

static bool is_lock(size_t offset, size_t size) {
    return offset + size > offsetof(struct ms_header, owner_lock) ||
           (offset + size > offsetof(struct ms_header, write_lock) &&
            offset < offsetof(struct ms_header, write_lock) + 4);
}

/* Not the locks each time: what waits for one waits for a second. */
static void damage_bytes(struct input *input, size_t from, size_t range) {
    size_t offset = from + take(input, 3) % range;
    uint32_t bytes = take(input, 4);
    size_t size = range - (offset - from) < 4 ? range - (offset - from) : 4;
    if (from == 0 && is_lock(offset, size)) {
        if (it.is_locked || take(input, 1) != 0xa5) {
            return;
        }
        it.is_locked = true;
    }
    memcpy(it.file + offset, &bytes, size);
}

/* A millisecond of sleep, for what is asleep reads and writes the region, too. The
 * fuzzer's own alarm may end it. */
static void wait_for_message(void) {
    mailslot_message message;
    int r = mailslot_peek(it.slot, 1, &message);
    must(r == 0 || r == -ETIMEDOUT || r == -EINTR || r == -EBADMSG || r == -EPIPE);
}

static void wait_for_space(struct input *input) {
    int r = mailslot_writer_send(it.writer, payload, take(input, 2), 1);
    must(r == 0 || r == -EMSGSIZE || r == -EBADMSG || r == -EPIPE || r == -ETIMEDOUT ||
         r == -EINTR || r == -ENOSPC);
}

/* What others find who come later, and what they take for dead. */
static void come_later(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    mailslot_writer *writer = NULL;
    mailslot *slot = NULL;
    int r = mailslot_get_info_by_name(NAME, &info);
    must(r == 0 || r == -ENOENT || r == -EBADMSG);
    r = mailslot_open(NAME, &writer);
    must(r == 0 || r == -ENOENT || r == -EBADMSG);
    r = mailslot_create(NAME, NULL, &slot);
    must(r == 0 || r == -EEXIST || r == -EBADMSG || r == -ETIMEDOUT);
    mailslot_writer_close(writer);
    mailslot_close(slot);
}

static void act(struct input *input) {
    switch (take(input, 1) % 32) {
    case 0:
    case 1:
        damage_header(input);
        break;
    case 2:
        damage_bytes(input, 0, MS_HEADER_SIZE);
        break;
    case 3:
        damage_bytes(input, MS_HEADER_SIZE, 256);
        break;
    case 4:
        damage_bytes(input, MS_HEADER_SIZE, it.size - MS_HEADER_SIZE);
        break;
    case 5:
        must(mailslot_consume(it.slot) == 0);
        break;
    case 6:
        must(mailslot_unpeek(it.slot) == 0);
        break;
    case 7:
        must_be_for_reader(mailslot_wait(it.slot, 0));
        break;
    case 8:
        read_one();
        break;
    case 9:
        read_all();
        break;
    case 10:
        look();
        break;
    case 11:
        send_all(input);
        break;
    case 12:
        wait_for_message();
        break;
    case 13:
        wait_for_space(input);
        break;
    case 14:
        come_later();
        break;
    case 15:
    case 16:
    case 17:
        show();
        break;
    case 18:
    case 19:
    case 20:
        damage_header(input);
        break;
    default:
        send(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {.data = data, .size = size};
    begin(&input);
    for (int i = 0; i < STEPS_MAX && input.size; i++) {
        act(&input);
    }
    end();
    return 0;
}
