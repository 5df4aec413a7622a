/* SPDX-License-Identifier: MIT */
/* What the other end sent before it closed is there to be taken. */
#include "os/socket.h"

#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 10000
#define NOBODY (-1)

static _Atomic int senders_end;

static void *send_and_close(void *context) {
    static const char packet[] = "packet";
    for (int i = 0; i < ROUNDS; i++) {
        int fd;
        while ((fd = senders_end) == NOBODY) {
            sched_yield();
        }
        HOLDS(ms_socket_send(fd, packet, sizeof packet, NULL, 0, -1) == 0);
        close(fd);
        senders_end = NOBODY;
    }
    return context;
}

/* Without a wait: the packet and the end of the connection may come at any instant of a
 * call that looks for them. */
static void look_until_it_ends(int fd) {
    char head[16];
    struct ms_packet packet;
    int packets = 0;
    int r;
    do {
        r = ms_socket_peek(fd, head, sizeof head, &packet);
        if (r == 0) {
            packets++;
            HOLDS(ms_socket_take(fd, head, packet.size, NULL, 0) == 0);
        }
    } while (r == 0 || r == -EAGAIN);
    HOLDS(r == -EPIPE);
    HOLDS(packets == 1);
}

static void run_rounds(bool has_unread) {
    pthread_t thread;
    senders_end = NOBODY;
    ck_assert_int_eq(pthread_create(&thread, NULL, send_and_close, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        static const int on = 1;
        int ends[2];
        HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        HOLDS(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
        HOLDS(!has_unread || send(ends[0], "", 1, 0) == 1);
        senders_end = ends[1];
        look_until_it_ends(ends[0]);
        close(ends[0]);
        while (senders_end != NOBODY) {
            sched_yield();
        }
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(who_sends_and_closes_at_once_has_sent) {
    run_rounds(false);
}
END_TEST

START_TEST(who_closes_with_something_unread_has_sent) {
    run_rounds(true);
}
END_TEST

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "socket");
    tcase_add_test(cases, who_sends_and_closes_at_once_has_sent);
    tcase_add_test(cases, who_closes_with_something_unread_has_sent);
    return suite_run(suite);
}
