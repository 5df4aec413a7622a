/* SPDX-License-Identifier: MIT */
/* Names: `HelloWorld`, `\\.\mailslot\HelloWorld`, `\\HOST\mailslot\HelloWorld`. */
#include "name.h"

#include <errno.h>
#include <string.h>

#define DEVICE "mailslot"

static char fold(char c) {
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_separator(char c) {
    return c == '\\' || c == '/';
}

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Bytes up to the next separator or the end. */
static size_t component_size(const char *text) {
    size_t size = 0;
    while (text[size] && !is_separator(text[size])) {
        size++;
    }
    return size;
}

static bool equals_folded(const char *text, size_t size, const char *word,
                          size_t word_size) {
    if (size != word_size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (fold(text[i]) != fold(word[i])) {
            return false;
        }
    }
    return true;
}

static bool is_own_host(const char *host, size_t size, const char *host_name) {
    return equals_folded(host, size, host_name, strlen(host_name)) ||
           equals_folded(host, size, host_name, strcspn(host_name, "."));
}

static bool has_control(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (is_control(text[i])) {
            return true;
        }
    }
    return false;
}

/* NULL: nothing. Ending in a dot covers `.` and `..`, which Windows would resolve as
 * folders. */
static const char *component_fault(const char *text, size_t size) {
    if (has_control(text, size)) {
        return "it has a control character";
    }
    if (size == 0) {
        return "it is empty, or a part of it between separators is";
    }
    if (text[size - 1] == '.' || text[size - 1] == ' ') {
        return "it, or a part of it, ends in a dot or a space";
    }
    return NULL;
}

static int reject(int error, const char *fault, const char **ret_fault) {
    *ret_fault = fault;
    return error;
}

/* `\\HOST\mailslot\` before the bare name: sets kind and host, returns the rest. */
static int parse_prefix(const char *text, const char *host_name, struct ms_name *name,
                        const char **ret_bare, const char **ret_fault) {
    static const char no_device[] =
        "after \\\\. or \\\\HOST must come \\mailslot\\NAME";
    const char *host = text + 2;
    size_t host_size = component_size(host);
    if (host_size == 0 || host[host_size] == '\0') {
        return reject(-EINVAL, no_device, ret_fault);
    }
    const char *device = host + host_size + 1;
    size_t device_size = component_size(device);
    if (!equals_folded(device, device_size, DEVICE, strlen(DEVICE)) ||
        device[device_size] == '\0') {
        return reject(-EINVAL, no_device, ret_fault);
    }
    *ret_bare = device + device_size + 1;
    if (host_size == 1 && host[0] == '.') {
        return 0;
    }
    if (host_size > MS_HOST_MAX) {
        return reject(-ENAMETOOLONG, "the host has more than 255 bytes", ret_fault);
    }
    if (component_fault(host, host_size) || (host_size == 1 && host[0] == '?')) {
        return reject(-EINVAL, "the host is not one", ret_fault);
    }
    if (!is_own_host(host, host_size, host_name)) {
        name->kind = MS_NAME_REMOTE;
        memcpy(name->host, host, host_size);
    }
    return 0;
}

static int parse_bare(const char *text, struct ms_name *name, const char **ret_fault) {
    const char *component = text;
    for (;;) {
        size_t size = component_size(component);
        const char *fault = component_fault(component, size);
        if (fault) {
            return reject(-EINVAL, fault, ret_fault);
        }
        component += size;
        if (*component == '\0') {
            break;
        }
        component++;
    }
    size_t size = (size_t)(component - text);
    if (size > MAILSLOT_NAME_MAX) {
        return reject(-ENAMETOOLONG, "it has more than 246 bytes", ret_fault);
    }
    for (size_t i = 0; i < size; i++) {
        name->bare[i] = text[i];
        if (is_separator(text[i])) {
            name->bare[i] = '\\';
        }
        name->folded[i] = fold(name->bare[i]);
    }
    return 0;
}

bool ms_name_tells_host(const char *text) {
    return text && is_separator(text[0]) && is_separator(text[1]);
}

/* *ret_fault is written when the name is refused. */
static int parse(const char *text, const char *host_name, struct ms_name *ret_name,
                 const char **ret_fault) {
    if (!text) {
        return reject(-EINVAL, "there is none", ret_fault);
    }
    struct ms_name name = {.kind = MS_NAME_LOCAL};
    const char *bare = text;
    if (ms_name_tells_host(text)) {
        int r = parse_prefix(text, host_name, &name, &bare, ret_fault);
        if (r < 0) {
            return r;
        }
    }
    int r = parse_bare(bare, &name, ret_fault);
    if (r < 0) {
        return r;
    }
    *ret_name = name;
    return 0;
}

bool ms_name_is_host(const char *text) {
    size_t size = strnlen(text, MS_HOST_MAX + 1);
    return size > 0 && size <= MS_HOST_MAX && !has_control(text, size);
}

int ms_name_parse(const char *text, const char *host_name, struct ms_name *ret_name) {
    const char *fault;
    return parse(text, host_name, ret_name, &fault);
}

const char *ms_name_fault(const char *text) {
    struct ms_name name;
    const char *fault;
    return parse(text, "", &name, &fault) < 0 ? fault : NULL;
}
