/* SPDX-License-Identifier: MIT */
/* Sends and reads so many messages, one after another, on a slot that is warm. Usage:
 * guard COUNT; bench/guard/check counts what it costs. */
#include <mailslot.h>

#include <stdio.h>
#include <stdlib.h>

#define SIZE 64

static void check(int r, const char *what) {
    if (r < 0) {
        fprintf(stderr, "guard: %s: %s\n", what, mailslot_error_text(r));
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv) {
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    static char message[SIZE];
    mailslot *slot;
    mailslot_writer *writer;
    size_t size;
    check(mailslot_create("mailslot-guard", NULL, &slot), "create");
    check(mailslot_open("mailslot-guard", &writer), "open");
    for (long i = 0; i < count; i++) {
        check(mailslot_writer_send(writer, message, SIZE, 0), "send");
        check(mailslot_read(slot, message, SIZE, 0, &size), "read");
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
    return size == SIZE ? EXIT_SUCCESS : EXIT_FAILURE;
}
