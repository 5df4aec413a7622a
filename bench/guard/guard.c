/* SPDX-License-Identifier: MIT */
/* Sends and reads so many messages, one after another, on a slot that is warm; once:
 * sends each alone, without an open writer. Usage: guard [once] COUNT;
 * bench/guard/check counts what it costs. */
#include <mailslot.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 64

static void check(int r, const char *what) {
    if (r < 0) {
        fprintf(stderr, "guard: %s: %s\n", what, mailslot_error_text(r));
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv) {
    long count = argc > 1 ? strtol(argv[argc - 1], NULL, 10) : 0;
    bool is_once = argc > 1 && strcmp(argv[1], "once") == 0;
    static char message[SIZE];
    mailslot *slot;
    mailslot_writer *writer;
    size_t size;
    check(mailslot_create("mailslot-guard", NULL, &slot), "create");
    check(mailslot_open("mailslot-guard", &writer), "open");
    for (long i = 0; i < count; i++) {
        check(is_once ? mailslot_send("mailslot-guard", message, SIZE, 0)
                      : mailslot_writer_send(writer, message, SIZE, 0),
              "send");
        check(mailslot_read(slot, message, SIZE, 0, &size), "read");
    }
    mailslot_writer_close(writer);
    mailslot_close(slot);
    return size == SIZE ? EXIT_SUCCESS : EXIT_FAILURE;
}
