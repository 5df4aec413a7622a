/* SPDX-License-Identifier: MIT */
/*
 * Any text as a name: what is accepted is safe as the name of a file, and naming the
 * slot by its bare name leads to the same slot.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined -Isrc -Isrc/include
 *         tests/fuzz/fuzz_name.c src/name.c -o fuzz_name && ./fuzz_name
 */
#include "name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define OWN_HOST "box.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* Not empty, not . or .., no ending that Windows would drop. */
static void check_component(const char *text, size_t size) {
    require(size > 0);
    require(text[size - 1] != '.' && text[size - 1] != ' ');
}

static void check_bytes(const char *text) {
    for (const char *c = text; *c; c++) {
        require((unsigned char)*c >= 0x20 && *c != 0x7f && *c != '/');
    }
}

static void check_text(const char *text) {
    size_t size = strlen(text);
    require(size >= 1 && size <= MAILSLOT_NAME_MAX);
    check_bytes(text);
    while (*text) {
        size_t component = strcspn(text, "\\");
        check_component(text, component);
        text += component;
        require(*text != '\\' || text[1] != '\0');
        text += *text == '\\';
    }
}

static void check_folded(const struct ms_name *name) {
    require(strlen(name->folded) == strlen(name->bare));
    for (size_t i = 0; name->folded[i]; i++) {
        char bare = name->bare[i];
        bool is_upper = bare >= 'A' && bare <= 'Z';
        require(name->folded[i] == (is_upper ? bare + ('a' - 'A') : bare));
    }
}

/* The bare name, and the folded one, name the same slot. */
static void check_again(const struct ms_name *name, const char *text) {
    struct ms_name again;
    require(ms_name_parse(text, OWN_HOST, &again) == 0);
    require(again.kind == MS_NAME_LOCAL);
    require(strcmp(again.folded, name->folded) == 0);
}

static void check_name(const struct ms_name *name) {
    require(name->kind == MS_NAME_LOCAL || name->kind == MS_NAME_REMOTE);
    require((name->kind == MS_NAME_REMOTE) == (name->host[0] != '\0'));
    require(strlen(name->host) <= MS_HOST_MAX);
    check_bytes(name->host);
    check_text(name->bare);
    check_text(name->folded);
    check_folded(name);
    check_again(name, name->bare);
    check_again(name, name->folded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    if (size) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    struct ms_name name;
    memset(&name, 0, sizeof name);
    int r = ms_name_parse(text, OWN_HOST, &name);
    require(r == 0 || r == -EINVAL || r == -ENAMETOOLONG);
    if (r == 0) {
        check_name(&name);
    }
    free(text);
    return 0;
}
