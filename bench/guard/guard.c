/* SPDX-License-Identifier: MIT */
/* Sends and reads so many messages, one after another, on a slot that is warm. once:
 * sends each alone, without an open writer. fd: reads as an event loop does. Usage:
 * guard [once | fd] COUNT; bench/guard/check counts what it costs. */
#include <mailslot.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "mailslot-guard"
#define SIZE 64

static mailslot *slot;
static mailslot_writer *writer;
static char message[SIZE];

static void check(int r, const char *what) {
    if (r < 0) {
        fprintf(stderr, "guard: %s: %s\n", what, mailslot_error_text(r));
        exit(EXIT_FAILURE);
    }
}

static void await_descriptor(void) {
    struct pollfd polled = {.events = POLLIN};
    check(mailslot_get_fd(slot, &polled.fd), "get_fd");
    check(poll(&polled, 1, -1) == 1 ? 0 : -EIO, "poll");
}

int main(int argc, char **argv) {
    long count = argc > 1 ? strtol(argv[argc - 1], NULL, 10) : 0;
    bool is_once = argc > 1 && strcmp(argv[1], "once") == 0;
    bool is_fd = argc > 1 && strcmp(argv[1], "fd") == 0;
    size_t size = 0;
    check(mailslot_create(NAME, NULL, &slot), "create");
    check(mailslot_open(NAME, &writer), "open");
    for (long i = 0; i < count; i++) {
        check(is_once ? mailslot_send(NAME, message, SIZE, 0)
                      : mailslot_writer_send(writer, message, SIZE, 0),
              "send");
        if (is_fd) {
            await_descriptor();
        }
        check(mailslot_read(slot, message, SIZE, 0, &size), "read");
        if (is_fd && mailslot_read(slot, message, SIZE, 0, &size) != -EAGAIN) {
            check(-EIO, "read");
        }
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
    return size == SIZE ? EXIT_SUCCESS : EXIT_FAILURE;
}
