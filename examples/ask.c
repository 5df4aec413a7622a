/* SPDX-License-Identifier: MIT */
/* Asks a Lua script, shout.lua, something and prints its answer. */
#include <mailslot.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *question = argc > 1 ? argv[1] : "is anybody there?";
    char answer[1024];
    size_t size;
    mailslot *answers = NULL;
    int r = mailslot_create("answers", NULL, &answers);
    if (r == 0) {
        r = mailslot_send("questions", question, strlen(question), 0);
    }
    if (r == 0) {
        r = mailslot_read(answers, answer, sizeof answer, 5000, &size);
    }
    if (r == 0) {
        printf("%.*s\n", (int)size, answer);
    } else {
        fprintf(stderr, "ask: %s\n", mailslot_error_text(r));
    }
    mailslot_close(answers);
    return r < 0;
}
