/* SPDX-License-Identifier: MIT */
/* Other users send: what gets through the letterbox, and what does not. */
#include "note.h"
#include "raw.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOT "jobs"
#define SIZE 1000
#define MIB (1u << 20)
#define LARGE (3 * MIB + 1)

/* What children and the test tell each other. */
struct board {
    _Atomic uint32_t ready;
    _Atomic uint32_t go;
    _Atomic uint32_t sent;
    _Atomic int64_t created_ns;
    _Atomic int32_t result;
};

static struct board *board;
static mailslot *slot;
static unsigned char *buffer;

static mailslot *create_box(uint32_t mode, uint64_t max_bytes) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot *created = NULL;
    options.mode = mode;
    options.max_bytes = max_bytes;
    HOLDS(mailslot_create(SLOT, &options, &created) == 0);
    return created;
}

/* Returns whether there are other users to test with. */
static bool begin(uint32_t mode, uint64_t max_bytes) {
    if (!can_become_others()) {
        return false;
    }
    board = share(sizeof *board);
    buffer = malloc(LARGE + 8);
    slot = create_box(mode, max_bytes);
    return true;
}

static void end(void) {
    slot = mailslot_close(slot);
    free(buffer);
}

static int send_note(mailslot_writer *writer, uint32_t who, uint32_t index,
                     uint32_t size, int64_t timeout_ms) {
    note_write(buffer, who, index, size);
    return mailslot_writer_send(writer, buffer, size, timeout_ms);
}

static mailslot_message expect_note(uint32_t who, uint32_t index, uint32_t size) {
    mailslot_message message;
    struct note note;
    ck_assert_int_eq(mailslot_peek(slot, DEADLINE_MS, &message), 0);
    ck_assert_uint_eq(message.size, size);
    ck_assert(note_read(message.data, message.size, &note));
    ck_assert_uint_eq(note.writer, who);
    ck_assert_uint_eq(note.index, index);
    ck_assert_int_eq(mailslot_consume(slot), 0);
    return message;
}

/* Sizes around what fits into a packet; notes have a least size of their own. */
static const uint32_t sizes[] = {NOTE_SIZE_MIN, SIZE,        32768 - 1, 32768,
                                 32768 + 1,     MIB / 8 * 5, LARGE};

static void send_sizes(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < COUNT(sizes); i++) {
        REQUIRE(send_note(writer, 7, i, sizes[i], 0) == 0);
    }
    REQUIRE(mailslot_writer_send(writer, NULL, 0, 0) == 0);
    REQUIRE(mailslot_writer_send(writer, buffer, LARGE + 4, 0) == -EMSGSIZE);
    mailslot_writer_close(writer);
    REQUIRE(mailslot_send(SLOT, "bye", 3, 0) == 0);
}

START_TEST(a_message_of_any_size_arrives_whole_with_the_senders_name) {
    if (!can_become_others()) {
        return;
    }
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.mode = 0622;
    options.max_message_size = LARGE;
    options.max_bytes = 64 * MIB;
    ck_assert_int_eq(mailslot_create(SLOT, &options, &slot), 0);
    buffer = malloc(LARGE + 8);
    pid_t pid = child_start(send_sizes, NULL);
    for (uint32_t i = 0; i < COUNT(sizes); i++) {
        mailslot_message message = expect_note(7, i, sizes[i]);
        ck_assert_uint_eq(message.pid, (uint32_t)pid);
        ck_assert_uint_eq(message.uid, USER_A);
        ck_assert_uint_eq(message.gid, USER_A);
        ck_assert_uint_eq(message.sequence, i + 1);
    }
    size_t size = 1;
    ck_assert_int_eq(mailslot_read(slot, buffer, 8, DEADLINE_MS, &size), 0);
    ck_assert_uint_eq(size, 0);
    ck_assert_int_eq(mailslot_read(slot, buffer, 8, DEADLINE_MS, &size), 0);
    ck_assert_uint_eq(size, 3);
    ck_assert(memcmp(buffer, "bye", 3) == 0);
    child_finish(pid);
    end();
}
END_TEST

#define SEEN 100

static void send_and_tell(void *context) {
    mailslot_writer *writer;
    become(*(const uid_t *)context);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < SEEN; i++) {
        REQUIRE(send_note(writer, 1, i, SIZE, 0) == 0);
        board->sent++;
        REQUIRE(await_value(&board->go, i + 1));
    }
    mailslot_writer_close(writer);
}

static void send_one_by_one(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < 100; i++) {
        REQUIRE(await_value(&board->go, i));
        REQUIRE(send_note(writer, 7, i, SIZE, 0) == 0);
    }
    mailslot_writer_close(writer);
}

/* Through a slot that would be full many times over: what is told of a message counts
 * as it comes and goes. */
#define TOLD 3000

static void send_from_elsewhere(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < TOLD; i++) {
        const char *host = i % 3 ? "gamma.example" : NULL;
        REQUIRE(mailslot_writer_set_origin(writer, host, i % 2) == 0);
        REQUIRE(send_note(writer, 7, i, i % 500 ? SIZE : MIB / 8, DEADLINE_MS) == 0);
    }
    REQUIRE(mailslot_writer_set_origin(writer, "beta", 1) == 0);
    REQUIRE(mailslot_writer_send(writer, buffer, MIB / 2 - 32, 0) == -EMSGSIZE);
    mailslot_writer_close(writer);
}

START_TEST(other_users_tell_from_where_their_messages_come) {
    if (!begin(0622, MIB)) {
        return;
    }
    pid_t pid = child_start(send_from_elsewhere, NULL);
    for (uint32_t i = 0; i < TOLD; i++) {
        mailslot_message message = expect_note(7, i, i % 500 ? SIZE : MIB / 8);
        ck_assert_int_eq(message.is_host_verified, i % 3 ? i % 2 : 0);
        ck_assert_pstr_eq(message.host, i % 3 ? "gamma.example" : NULL);
    }
    child_finish(pid);
    end();
}
END_TEST

START_TEST(the_descriptor_tells_of_what_other_users_send) {
    if (!begin(0622, 0)) {
        return;
    }
    struct pollfd entry = {.events = POLLIN};
    ck_assert_int_eq(mailslot_get_fd(slot, &entry.fd), 0);
    pid_t pid = child_start(send_one_by_one, NULL);
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_int_eq(poll(&entry, 1, DEADLINE_MS), 1);
        mailslot_message message;
        ck_assert_int_eq(mailslot_peek(slot, 0, &message), 0);
        ck_assert_uint_eq(message.uid, USER_A);
        ck_assert_int_eq(mailslot_consume(slot), 0);
        ck_assert_int_eq(poll(&entry, 1, 0), 0);
        board->go = i + 1;
    }
    child_finish(pid);
    end();
}
END_TEST

/* Each message is seen by a call, after this one. */
static void expect_seen_after(void (*call)(uint32_t index)) {
    uid_t user = USER_A;
    if (!begin(0622, 0)) {
        return;
    }
    pid_t pid = child_start(send_and_tell, &user);
    for (uint32_t i = 0; i < SEEN; i++) {
        mailslot_message message;
        ck_assert(await_value(&board->sent, i + 1));
        call(i);
        ck_assert_int_eq(mailslot_peek(slot, 0, &message), 0);
        ck_assert_int_eq(mailslot_consume(slot), 0);
        board->go = i + 1;
    }
    child_finish(pid);
    end();
}

static void look_or_wait(uint32_t index) {
    if (index % 3 == 0) {
        ck_assert_uint_eq(get_info(slot).count, 1);
    } else if (index % 3 == 1) {
        ck_assert_int_eq(mailslot_wait(slot, 0), 0);
    }
}

START_TEST(what_was_sent_before_a_call_is_seen_by_it) {
    expect_seen_after(look_or_wait);
}
END_TEST

static void *look_and_be_cancelled(void *context) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    (void)context;
    pthread_cancel(pthread_self());
    mailslot_get_info(slot, &info);
    pthread_testcancel();
    return NULL;
}

static void look_elsewhere(uint32_t index) {
    pthread_t thread;
    void *result;
    (void)index;
    ck_assert_int_eq(pthread_create(&thread, NULL, look_and_be_cancelled, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
}

/* Neither the owner's other threads nor other users. */
START_TEST(a_thread_cancelled_while_it_takes_letters_in_holds_up_nobody) {
    expect_seen_after(look_elsewhere);
}
END_TEST

static void send_large(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    board->ready = 1;
    REQUIRE(await_value(&board->go, 1));
    REQUIRE(send_note(writer, 1, 0, LARGE, 0) == 0);
    board->sent = 1;
    mailslot_writer_close(writer);
}

/* New descriptors are refused, those that are open work on. */
static void limit_descriptors(rlim_t limit) {
    struct rlimit limits;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limits), 0);
    limits.rlim_cur = limit;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limits), 0);
}

/* The file of a large letter takes a descriptor of the owner. */
START_TEST(a_letter_that_could_not_be_taken_is_seen_by_the_next_call) {
    if (!begin(0622, 0)) {
        return;
    }
    struct rlimit limits;
    mailslot_message message;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limits), 0);
    pid_t pid = child_start(send_large, NULL);
    ck_assert(await_value(&board->ready, 1));
    limit_descriptors(0);
    board->go = 1;
    ck_assert(await_value(&board->sent, 1));
    ck_assert_int_eq(mailslot_peek(slot, 0, &message), -EAGAIN);
    limit_descriptors(limits.rlim_cur);
    ck_assert_int_eq(mailslot_peek(slot, 0, &message), 0);
    ck_assert_uint_eq(message.size, LARGE);
    child_finish(pid);
    end();
}
END_TEST

static void be_kept_out(void *context) {
    const int *error = context;
    char path[256];
    mailslot_writer *writer = NULL;
    mailslot_info info = MAILSLOT_INFO_INIT;
    uint32_t uid = 1;
    become(USER_A);
    registry_path(SLOT, path);
    REQUIRE(open(path, O_RDONLY) < 0 && errno == EACCES);
    REQUIRE(open(path, O_WRONLY) < 0 && errno == EACCES);
    REQUIRE(truncate(path, 0) < 0 && errno == EACCES);
    REQUIRE(mailslot_get_info_by_name(SLOT, &info) == -EACCES);
    REQUIRE(mailslot_get_owner(SLOT, &uid) == 0 && uid == 0);
    REQUIRE(mailslot_open(SLOT, &writer) == *error);
    REQUIRE(mailslot_send(SLOT, "x", 1, 0) == *error);
    REQUIRE(*error < 0 || mailslot_writer_get_info(writer, &info) == -EACCES);
    mailslot_writer_close(writer);
}

static int count_threads(void) {
    char line[256];
    int threads = 0;
    FILE *file = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "Threads: %d", &threads);
    }
    fclose(file);
    return threads;
}

static void *tell_id(void *context) {
    *(pid_t *)context = gettid();
    return NULL;
}

/* A sanitizer starts a thread of its own with the first thread; and a thread that was
 * joined is there for a moment more. */
static void warm_up(void) {
    pthread_t thread;
    pid_t id = 0;
    char path[64];
    ck_assert_int_eq(pthread_create(&thread, NULL, tell_id, &id), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)id);
    while (access(path, F_OK) == 0) {
        nap_us(100);
    }
}

/* As above: a moment is allowed. */
static bool await_threads(int threads) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    while (count_threads() != threads && now_ms() < deadline_ms) {
        nap_us(100);
    }
    return count_threads() == threads;
}

START_TEST(others_can_do_what_the_mode_says_and_nothing_else) {
    static const struct {
        uint32_t mode;
        uint32_t gid;
        int error;
    } rows[] = {{0600, MAILSLOT_NO_GID, -EACCES},
                {0622, MAILSLOT_NO_GID, 0},
                {0602, MAILSLOT_NO_GID, 0},
                {0620, MAILSLOT_NO_GID, -EACCES},
                {0620, USER_A, 0},
                {0620, USER_B, -EACCES},
                {0602, USER_A, -EACCES}};
    if (!can_become_others()) {
        return;
    }
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    warm_up();
    int threads = count_threads();
    int error = rows[_i].error;
    options.mode = rows[_i].mode;
    options.gid = rows[_i].gid;
    ck_assert_int_eq(mailslot_create(SLOT, &options, &slot), 0);
    ck_assert_uint_eq(get_info(slot).mode, rows[_i].mode);
    ck_assert_int_eq(registry_files(), rows[_i].mode == 0600 ? 1 : 2);
    ck_assert_int_eq(count_threads(), threads + (rows[_i].mode != 0600));
    child_finish(child_start(be_kept_out, &error));
    ck_assert_uint_eq(get_info(slot).count, error == 0);
    slot = mailslot_close(slot);
    ck_assert(await_threads(threads));
}
END_TEST

static void flood(void *context) {
    (void)context;
    mailslot_writer *writer;
    uint32_t sent = 0;
    int r;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    while ((r = send_note(writer, 1, sent, SIZE, 0)) == 0) {
        sent++;
    }
    REQUIRE(r == -EAGAIN);
    int64_t begin_ms = now_ms();
    REQUIRE(send_note(writer, 1, sent, SIZE, 100) == -ETIMEDOUT);
    REQUIRE(now_ms() - begin_ms >= 99);
    board->sent = sent;
    board->ready = 1;
    REQUIRE(send_note(writer, 1, sent, SIZE, DEADLINE_MS) == 0);
    mailslot_writer_close(writer);
}

static void send_ten(void *context) {
    mailslot_writer *writer;
    become(*(const uid_t *)context);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    for (uint32_t i = 0; i < 10; i++) {
        REQUIRE(send_note(writer, 2, i, SIZE, 0) == 0);
    }
    mailslot_writer_close(writer);
}

/* Reads all: so many of the first writer, in order, between ten of the second. */
static void expect_flood(uint32_t first, uint32_t second) {
    uint32_t next[2] = {0, 0};
    while (next[0] < first || next[1] < second) {
        mailslot_message message;
        struct note note;
        ck_assert_int_eq(mailslot_peek(slot, DEADLINE_MS, &message), 0);
        HOLDS(note_read(message.data, message.size, &note));
        HOLDS(note.writer == 1 || note.writer == 2);
        HOLDS(note.index == next[note.writer - 1]++);
        HOLDS(message.uid == (note.writer == 1 ? USER_A : USER_B));
        ck_assert_int_eq(mailslot_consume(slot), 0);
    }
}

/* To the last message, and as many again when all was read. */
START_TEST(a_user_fills_its_share_and_nobody_elses) {
    uid_t other = USER_B;
    if (!begin(0622, MIB)) {
        return;
    }
    for (int round = 0; round < 2; round++) {
        board->ready = 0;
        pid_t pid = child_start(flood, NULL);
        ck_assert(await_value(&board->ready, 1));
        ck_assert_uint_eq(get_info(slot).count, MIB / 4 / (SIZE + 24 + 8));
        child_finish(child_start(send_ten, &other));
        expect_flood(board->sent + 1, 10);
        child_finish(pid);
        ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    }
    end();
}
END_TEST

#define CROWD 1000

static void open_many(void *context) {
    (void)context;
    static mailslot_writer *writers[CROWD];
    become(USER_A);
    for (uint32_t i = 0; i < CROWD; i++) {
        REQUIRE(mailslot_open(SLOT, &writers[i]) == 0);
    }
    board->ready = 1;
    REQUIRE(await_value(&board->go, 1));
    for (uint32_t i = 0; i < CROWD; i++) {
        REQUIRE(send_note(writers[i], 1, i, NOTE_SIZE_MIN, DEADLINE_MS) == 0);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        mailslot_writer_close(writers[i]);
    }
}

/* Of different writers: in any order. */
static void expect_each_once(uint32_t count) {
    static bool is_seen[CROWD];
    for (uint32_t i = 0; i < count; i++) {
        mailslot_message message;
        struct note note;
        ck_assert_int_eq(mailslot_peek(slot, DEADLINE_MS, &message), 0);
        HOLDS(note_read(message.data, message.size, &note) && note.index < count);
        HOLDS(!is_seen[note.index]);
        is_seen[note.index] = true;
        ck_assert_int_eq(mailslot_consume(slot), 0);
    }
}

START_TEST(a_thousand_clients_are_served_with_few_descriptors) {
    uid_t other = USER_B;
    if (!begin(0622, 0)) {
        return;
    }
    int descriptors = count_descriptors();
    pid_t pid = child_start(open_many, NULL);
    ck_assert(await_value(&board->ready, 1));
    ck_assert_int_le(count_descriptors(), descriptors + 64);
    child_finish(child_start(send_ten, &other));
    expect_flood(0, 10);
    board->go = 1;
    expect_each_once(CROWD);
    child_finish(pid);
    end();
}
END_TEST

static void send_file(size_t said, size_t size, int seals, int times) {
    uint32_t letter[2] = {KIND_SEALED, (uint32_t)said};
    int fds[64];
    int fd = raw_connect(SLOT);
    for (int i = 0; i < times; i++) {
        fds[i] = raw_file(size, seals);
    }
    raw_send(fd, letter, sizeof letter, fds, times);
    raw_require_shown_out(fd);
    for (int i = 0; i < times; i++) {
        close(fds[i]);
    }
}

static void send_bytes(uint32_t kind, uint32_t said, size_t size) {
    unsigned char packet[256] = {0};
    uint32_t letter[2] = {kind, said};
    memcpy(packet, letter, sizeof letter);
    int fd = raw_connect(SLOT);
    raw_send(fd, packet, size, NULL, 0);
    raw_require_shown_out(fd);
}

/* Where the next letters come from, as it lies behind the head of a packet. */
static void send_origin(const char *host, size_t size, const int *files, int count) {
    unsigned char packet[8 + 272] = {0};
    uint32_t letter[2] = {KIND_ORIGIN, (uint32_t)size};
    int fd = raw_connect(SLOT);
    memcpy(packet, letter, sizeof letter);
    memcpy(packet + sizeof letter + 1, host, strlen(host));
    raw_send(fd, packet, sizeof letter + size, files, count);
    raw_require_shown_out(fd);
}

#define WRONG_ORIGINS 6

static void send_wrong_origins(void) {
    char host[MAILSLOT_HOST_MAX + 2] = {0};
    int file = raw_file(8, 0);
    send_origin("gamma\n", 8, NULL, 0);
    send_origin("\037", 8, NULL, 0);
    send_origin("a\177b", 8, NULL, 0);
    send_origin("gamma", 272, NULL, 0);
    send_origin("gamma", 8, &file, 1);
    memset(host, 'a', MAILSLOT_HOST_MAX + 1);
    send_origin(host, 264, NULL, 0);
    close(file);
}

static void send_garbage(void *context) {
    (void)context;
    int all = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    become(USER_A);
    send_bytes(0, 0, 0);
    send_bytes(KIND_PLAIN, 0, 4);
    send_bytes(KIND_PLAIN, 10, 8 + 9);
    send_bytes(KIND_PLAIN, 10, 8 + 11);
    send_bytes(KIND_PLAIN, UINT32_MAX, 8);
    send_bytes(KIND_SEALED, 10, 8);
    send_bytes(~0u, 10, 8 + 10);
    send_file(100, 100, 0, 1);
    send_file(100, 100, F_SEAL_SHRINK | F_SEAL_GROW, 1);
    send_file(100, 100, F_SEAL_WRITE | F_SEAL_GROW, 1);
    send_file(100, 99, all, 1);
    send_file(100, 101, all, 1);
    send_file(UINT32_MAX, 10, all, 1);
    send_file(100, 100, 0, 64);
    send_wrong_origins();
    close(raw_connect(SLOT));
    board->ready = 1;
    int silent = raw_connect(SLOT);
    REQUIRE(await_value(&board->go, 1));
    close(silent);
}

START_TEST(who_sends_garbage_is_shown_out) {
    uid_t other = USER_B;
    if (!begin(0622, MIB)) {
        return;
    }
    int descriptors = count_descriptors();
    pid_t pid = child_start(send_garbage, NULL);
    ck_assert(await_value(&board->ready, 1));
    child_finish(child_start(send_ten, &other));
    expect_flood(0, 10);
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    ck_assert_uint_eq(get_info(slot).rejected, 14 + WRONG_ORIGINS);
    board->go = 1;
    child_finish(pid);
    ck_assert_int_eq(mailslot_wait(slot, 0), -EAGAIN);
    ck_assert_int_eq(count_descriptors(), descriptors);
    end();
}
END_TEST

/* Connections of one user, and of all: as linux/connections.h has them. */
#define OF_USER 64
#define OF_ALL 256

/* One of them has to leave. */
static void require_one_shown_out(const int *fds) {
    struct pollfd polled[OF_USER];
    int count = 0;
    for (int i = 0; i < OF_USER; i++) {
        polled[i] = (struct pollfd){.fd = fds[i], .events = 0};
    }
    REQUIRE(poll(polled, OF_USER, DEADLINE_MS) == 1);
    for (int i = 0; i < OF_USER; i++) {
        count += polled[i].revents & POLLHUP ? 1 : 0;
    }
    REQUIRE(count == 1);
}

/* All that this user may have, and a letter through each. It is the first user that
 * makes place for somebody else. */
static void connect_all(void *context) {
    static const uint32_t letter[4] = {KIND_PLAIN, 8, 1, 2};
    uid_t user = *(const uid_t *)context;
    int fds[OF_USER];
    become(user);
    for (int i = 0; i < OF_USER; i++) {
        fds[i] = raw_connect(SLOT);
        REQUIRE(raw_hear(fds[i]).result == 0);
    }
    for (int i = 0; i < OF_USER; i++) {
        REQUIRE(send(fds[i], letter, sizeof letter, MSG_NOSIGNAL) == sizeof letter);
    }
    board->ready++;
    REQUIRE(await_value(&board->go, 1));
    if (user == USER_A) {
        require_one_shown_out(fds);
    }
    for (int i = 0; i < OF_USER; i++) {
        close(fds[i]);
    }
}

static void connect_once_more(void *context) {
    become(*(const uid_t *)context);
    int fd = raw_connect(SLOT);
    board->result = raw_hear(fd).result;
    close(fd);
}

/* One place more than the user has, or than there are: whose connection was silent
 * longest makes place, at once, and what it has sent is in the slot. */
START_TEST(a_new_client_gets_the_place_of_a_silent_one_at_once) {
    uid_t users[OF_ALL / OF_USER + 1];
    pid_t pids[OF_ALL / OF_USER];
    uint32_t count = _i ? OF_ALL / OF_USER : 1;
    if (!begin(0622, MIB)) {
        return;
    }
    for (uint32_t i = 0; i < COUNT(users); i++) {
        users[i] = USER_A - i;
    }
    for (uint32_t i = 0; i < count; i++) {
        pids[i] = child_start(connect_all, &users[i]);
        ck_assert(await_value(&board->ready, i + 1));
    }
    board->result = 1;
    child_finish(child_start(connect_once_more, &users[_i ? count : 0]));
    ck_assert_int_eq(board->result, 0);
    board->go = 1;
    for (uint32_t i = 0; i < count; i++) {
        child_finish(pids[i]);
    }
    ck_assert_uint_eq(get_info(slot).count, count * OF_USER);
    ck_assert_uint_eq(get_info(slot).rejected, 0);
    end();
}
END_TEST

static void send_until_dead(void *context) {
    (void)context;
    mailslot_writer *writer;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    REQUIRE(send_note(writer, 1, 0, SIZE, 0) == 0);
    board->ready = 1;
    REQUIRE(await_value(&board->go, 1));
    REQUIRE(send_note(writer, 1, 1, SIZE, 0) == -EPIPE);
    REQUIRE(send_note(writer, 1, 1, SIZE, DEADLINE_MS) == -EPIPE);
    mailslot_writer_close(writer);
    REQUIRE(mailslot_open(SLOT, &writer) == -ENOENT);
    REQUIRE(mailslot_send(SLOT, "x", 1, 0) == -ENOENT);
}

/* A child of the owner holds its descriptors and lives on, as after a careless fork. */
static void own_with_child(void *context) {
    (void)context;
    slot = create_box(0622, 0);
    if (fork() == 0) {
        await_value(&board->go, 2);
        _exit(EXIT_SUCCESS);
    }
    board->ready = 1;
    for (;;) {
        pause();
    }
}

START_TEST(a_killed_owner_is_dead_for_other_users_too) {
    if (!can_become_others()) {
        return;
    }
    board = share(sizeof *board);
    buffer = malloc(SIZE + 8);
    pid_t owner = child_start(own_with_child, NULL);
    ck_assert(await_value(&board->ready, 1));
    board->ready = 0;
    pid_t writer = child_start(send_until_dead, NULL);
    ck_assert(await_value(&board->ready, 1));
    child_kill(owner);
    board->go = 1;
    child_finish(writer);
    board->go = 2;
    slot = create_box(0622, 0);
    ck_assert_int_eq(registry_files(), 2);
    end();
}
END_TEST

static void own(void *context) {
    (void)context;
    slot = create_box(0622, MIB);
    board->ready = 1;
    REQUIRE(await_value(&board->go, 1));
    for (uint32_t i = 0; i < board->sent; i++) {
        mailslot_message message;
        struct note note;
        REQUIRE(mailslot_peek(slot, DEADLINE_MS, &message) == 0);
        REQUIRE(note_read(message.data, message.size, &note) && note.index == i);
        REQUIRE(mailslot_consume(slot) == 0);
    }
    REQUIRE(mailslot_wait(slot, 0) == -EAGAIN);
    mailslot_close(slot);
}

static void send_to_stopped(void *context) {
    (void)context;
    mailslot_writer *writer;
    mailslot_writer *late = NULL;
    uint32_t sent = 0;
    become(USER_A);
    REQUIRE(mailslot_open(SLOT, &writer) == 0);
    board->result = 1;
    while (board->result != 2) {
        nap_us(100);
    }
    int64_t begin_ms = now_ms();
    int r;
    while ((r = send_note(writer, 1, sent, SIZE, 0)) == 0) {
        sent++;
    }
    REQUIRE(r == -EAGAIN && sent > 10);
    for (int i = 0; i < 100; i++) { /* only the first time takes a second */
        REQUIRE(send_note(writer, 1, sent, SIZE, 0) == -EAGAIN);
    }
    REQUIRE(mailslot_open(SLOT, &late) == -ETIMEDOUT && late == NULL);
    REQUIRE(now_ms() - begin_ms < DEADLINE_MS);
    board->sent = sent;
    board->result = 3;
    mailslot_writer_close(writer);
}

static void await_result(int32_t result) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    while (board->result != result) {
        ck_assert_int_lt(now_ms(), deadline_ms);
        nap_us(100);
    }
}

/* Finds board->sent messages of its user, and sends two more. */
static void count_and_send(void *context) {
    mailslot_writer *writer;
    int64_t created_ns = 0;
    uint64_t accepted = 0;
    become(*(const uint32_t *)context);
    for (uint32_t i = board->sent; i < board->sent + 2; i++) {
        REQUIRE(mailslot_open(SLOT, &writer) == 0);
        REQUIRE(mailslot_writer_get_accepted(writer, &created_ns, &accepted) == 0);
        REQUIRE(accepted == i && created_ns == board->created_ns);
        REQUIRE(send_note(writer, 1, i, SIZE, 0) == 0);
        REQUIRE(mailslot_writer_get_accepted(writer, &created_ns, &accepted) == 0);
        REQUIRE(accepted == i + 1);
        mailslot_writer_close(writer);
    }
}

static void expect_counts(uint32_t uid, uint32_t already) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    ck_assert_int_eq(mailslot_get_info(slot, &info), 0);
    board->created_ns = info.created_ns;
    board->sent = already;
    child_finish(child_start(count_and_send, &uid));
    expect_note(1, already, SIZE);
    expect_note(1, already + 1, SIZE);
}

START_TEST(other_users_learn_how_many_of_their_messages_came) {
    if (!begin(0622, 0)) {
        return;
    }
    expect_counts(USER_A, 0);
    expect_counts(USER_B, 0);
    expect_counts(USER_A, 2); /* although it had nothing there meanwhile */
    expect_counts(USER_B, 2);
    mailslot_close(slot);
    slot = create_box(0622, 0);
    expect_counts(USER_A, 0);
    end();
}
END_TEST

START_TEST(a_stopped_owner_holds_up_nobody) {
    if (!can_become_others()) {
        return;
    }
    board = share(sizeof *board);
    buffer = malloc(SIZE + 8);
    pid_t owner = child_start(own, NULL);
    ck_assert(await_value(&board->ready, 1));
    pid_t writer = child_start(send_to_stopped, NULL);
    await_result(1);
    kill(owner, SIGSTOP);
    child_await_stop(owner);
    board->result = 2;
    await_result(3);
    child_finish(writer);
    kill(owner, SIGCONT);
    board->go = 1;
    child_finish(owner);
    free(buffer);
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("letterbox");
    tcase_add_test(cases, a_message_of_any_size_arrives_whole_with_the_senders_name);
    tcase_add_test(cases, other_users_tell_from_where_their_messages_come);
    tcase_add_test(cases, the_descriptor_tells_of_what_other_users_send);
    tcase_add_test(cases, what_was_sent_before_a_call_is_seen_by_it);
    tcase_add_test(cases, a_thread_cancelled_while_it_takes_letters_in_holds_up_nobody);
    tcase_add_test(cases, a_letter_that_could_not_be_taken_is_seen_by_the_next_call);
    tcase_add_loop_test(cases, others_can_do_what_the_mode_says_and_nothing_else, 0, 7);
    tcase_add_test(cases, a_user_fills_its_share_and_nobody_elses);
    tcase_add_test(cases, a_thousand_clients_are_served_with_few_descriptors);
    tcase_add_test(cases, who_sends_garbage_is_shown_out);
    tcase_add_loop_test(cases, a_new_client_gets_the_place_of_a_silent_one_at_once, 0,
                        2);
    tcase_add_test(cases, a_killed_owner_is_dead_for_other_users_too);
    tcase_add_test(cases, other_users_learn_how_many_of_their_messages_came);
    tcase_add_test(cases, a_stopped_owner_holds_up_nobody);
    return suite_run();
}
