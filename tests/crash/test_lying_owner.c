/* SPDX-License-Identifier: MIT */
/* Owners of other users that lie to who sends to them: every call ends in time. */
#include "places.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SLOT "jobs"
#define CONNECTIONS 64

/* Longer than a call that waits for the owner may take, the wait itself included. */
#define LONG_MS 5000

/* As linux/letter.h has it. */
struct greeting {
    uint32_t magic;
    int32_t result;
    uint64_t size_limit;
    uint64_t buffer_size;
    uint64_t room;
    int64_t created_ns;
    uint64_t accepted;
};

static const struct greeting welcome = {0x4d534832, 0, 100000, 4096, 100000, 1, 0};

enum lie { SILENT, EMPTY, GARBAGE, HANG_UP, SAY_NO_MORE, SAY_AGAIN_AND_AGAIN, LIES };

struct owner {
    enum lie lie;
    _Atomic uint32_t is_ready;
};

static void say(int fd, const void *data, size_t size) {
    (void)!send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int listen_at_slot(void) {
    char path[256];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    registry_path(SLOT, path);
    file_write(path, "Mine.", 0);
    struct stat status = file_look(path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/mailslot-%llx",
             registry_directory(), (unsigned long long)status.st_ino);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(chmod(address.sun_path, 0622) == 0 && listen(fd, CONNECTIONS) == 0);
    return fd;
}

/* Returns -1 when that is the end of the connection. */
static int lie_to(int fd, enum lie lie) {
    if (lie == GARBAGE) {
        say(fd, "Welcome.", 8);
    } else if (lie == EMPTY) {
        say(fd, "", 0);
    } else if (lie != SILENT) {
        say(fd, &welcome, sizeof welcome);
    }
    if (lie == SAY_NO_MORE) {
        shutdown(fd, SHUT_WR);
    } else if (lie == HANG_UP) {
        close(fd);
        return -1;
    }
    return fd;
}

/* It reads no letter. It lies until it is killed. */
static void own_and_lie(void *context) {
    struct owner *owner = context;
    become(USER_A);
    int fds[CONNECTIONS];
    int count = 0;
    int listener = listen_at_slot();
    owner->is_ready = 1;
    for (;;) {
        struct pollfd polled = {.fd = listener, .events = POLLIN};
        bool is_flooding = owner->lie == SAY_AGAIN_AND_AGAIN && count > 0;
        if (poll(&polled, 1, is_flooding ? 0 : -1) == 1 && count < CONNECTIONS) {
            int fd = accept(listener, NULL, NULL);
            fds[count] = fd < 0 ? -1 : lie_to(fd, owner->lie);
            count += fds[count] >= 0;
        }
        for (int i = 0; is_flooding && i < count; i++) {
            say(fds[i], &welcome, sizeof welcome);
        }
    }
}

static bool is_documented(int r) {
    return r == 0 || r == -EAGAIN || r == -ETIMEDOUT || r == -EPIPE || r == -EBADMSG;
}

/* Send until that fails, or all the same succeeds for a while. */
static int send_to_the_end(mailslot_writer *writer, int64_t timeout_ms) {
    static const unsigned char data[1000];
    int64_t end_ms = now_ms() + 1000;
    int r = 0;
    while (r == 0 && now_ms() < end_ms) {
        int64_t begin_ms = now_ms();
        r = mailslot_writer_send(writer, data, sizeof data, timeout_ms);
        HOLDS(now_ms() - begin_ms < LONG_MS);
    }
    return r;
}

static void handle(int number) {
    (void)number;
}

/* Who waits for ever can be interrupted. */
static void expect_interruptible(mailslot_writer *writer) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 50000}, {0, 50000}};
    struct itimerval never = {{0, 0}, {0, 0}};
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    int r = send_to_the_end(writer, MAILSLOT_FOREVER);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    ck_assert(r == -EINTR || (is_documented(r) && r != -EAGAIN));
}

static void remove_files(void) {
    char path[256];
    registry_path(SLOT, path);
    struct stat status = file_look(path);
    ck_assert_int_eq(unlink(path), 0);
    snprintf(path, sizeof path, "%s/mailslot-%llx", registry_directory(),
             (unsigned long long)status.st_ino);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(an_owner_that_lies_keeps_no_sender_beyond_its_time) {
    static const int opened[LIES] = {-ETIMEDOUT, -ENOENT, -EBADMSG, 0, 0, 0};
    if (!can_become_others()) {
        return;
    }
    struct owner *owner = share(sizeof *owner);
    owner->lie = (enum lie)_i;
    pid_t pid = child_start(own_and_lie, owner);
    ck_assert(await_value(&owner->is_ready, 1));
    mailslot_writer *writer = NULL;
    int64_t begin_ms = now_ms();
    ck_assert_int_eq(mailslot_open(SLOT, &writer), opened[_i]);
    ck_assert_int_lt(now_ms() - begin_ms, LONG_MS);
    if (writer) {
        ck_assert(is_documented(send_to_the_end(writer, 0)));
        ck_assert(is_documented(send_to_the_end(writer, 100)));
        expect_interruptible(writer);
    }
    mailslot_writer_close(writer);
    child_kill(pid);
    remove_files();
}
END_TEST

int main(void) {
    TCase *cases = suite_begin("lying_owner");
    tcase_add_loop_test(cases, an_owner_that_lies_keeps_no_sender_beyond_its_time, 0,
                        LIES);
    return suite_run();
}
