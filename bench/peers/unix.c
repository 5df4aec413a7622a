/* SPDX-License-Identifier: MIT */
#include "peers/unix.h"

#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* As much as anybody may set without privileges; the kernel cuts it. */
#define BUFFER_BYTES (1 << 20)

static struct sockaddr_un address_of(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, peer_path(name, ".socket"), sizeof address.sun_path - 1);
    return address;
}

static int *open_socket(int type, int option) {
    int *end = allocate(sizeof *end);
    int size = BUFFER_BYTES;
    *end = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    expect(*end >= 0, "socket");
    if (option) {
        setsockopt(*end, SOL_SOCKET, option, &size, sizeof size);
    }
    return end;
}

void *unix_bind(int type, const char *name, bool is_plain) {
    int *end = open_socket(type, is_plain ? 0 : SO_RCVBUF);
    struct sockaddr_un address = address_of(name);
    unlink(address.sun_path);
    expect(bind(*end, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    return end;
}

void *unix_connect(int type, const char *name, size_t size) {
    (void)size;
    int *end = open_socket(type, SO_SNDBUF);
    struct sockaddr_un address = address_of(name);
    expect(connect(*end, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    return end;
}

bool unix_send(void *end, const void *data, size_t size, bool may_wait) {
    ssize_t sent =
        send(*(int *)end, data, size, MSG_NOSIGNAL | (may_wait ? 0 : MSG_DONTWAIT));
    if (sent < 0 && errno == EAGAIN && !may_wait) {
        return false;
    }
    expect(sent == (ssize_t)size, "send");
    return true;
}

int unix_descriptor(void *end) {
    return *(int *)end;
}

void unix_close(void *end) {
    close(*(int *)end);
    free(end);
}

void unix_remove(const char *name) {
    unlink(address_of(name).sun_path);
}
