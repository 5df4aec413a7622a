/* SPDX-License-Identifier: MIT */
/* The letterbox's client: how to send to a slot of another user. */
#include "linux/client.h"

#include "linux/letter.h"
#include "linux/registry.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "os/socket.h"
#include "queue/queue.h"
#include "queue/step.h"

#include <errno.h>

/* How long to wait for the owner's thread, which only a stopped process makes wait. */
#define PATIENCE_NS INT64_C(1000000000)

/* Between two tries where there is nothing to wait on. */
#define RETRY_NS INT64_C(10000000)

/* An owner that means harm could go on for ever: with one reason after another to try
 * again, or with greetings. After so many there is a pause, or something else. */
#define EAGER_TRIES 16
#define GREETINGS_AT_ONCE 64

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

void ms_client_set_origin(struct ms_client *client, const struct ms_origin *origin) {
    client->origin = origin;
    client->has_told_origin = false;
}

void ms_client_close(struct ms_client *client) {
    client->has_told_origin = client->is_behind = false;
    client->fd = ms_file_close(client->fd);
    client->process = ms_file_close(client->process);
}

/* Sleep a little: there is no descriptor that tells. */
static int pause_until(int64_t deadline_ns) {
    int64_t now_ns = ms_clock_now_ns();
    if (now_ns >= deadline_ns) {
        return -ETIMEDOUT;
    }
    int64_t end_ns = now_ns + RETRY_NS < deadline_ns ? now_ns + RETRY_NS : deadline_ns;
    int r = ms_socket_wait(-1, MS_INCOMING, -1, end_ns);
    return r == -ETIMEDOUT ? 0 : r;
}

/* The slot's file must still be the one that was opened. */
static int find_letterbox(const struct ms_client *client, const char *path,
                          char ret_path[MS_PATH_SIZE]) {
    struct ms_file_status status;
    int r = ms_file_look(path, &status);
    if (r < 0) {
        return r == -ENOENT ? -EPIPE : r;
    }
    if (status.inode != client->inode || status.uid != client->uid) {
        return -EPIPE;
    }
    return ms_registry_letterbox(path, client->inode, ret_path);
}

/* -ENOENT: it has no letterbox. -EPIPE: it is dead. */
static int connect_once(struct ms_client *client, const char *path) {
    char letterbox[MS_PATH_SIZE];
    struct ms_peer owner = {0};
    int r = find_letterbox(client, path, letterbox);
    if (r == 0) {
        r = ms_socket_connect(letterbox, client->uid, &client->fd);
    }
    if (r == 0) {
        r = ms_socket_peer(client->fd, &owner);
    }
    if (r == 0) {
        client->process = ms_process_watch(owner.pid);
        r = client->process == -ESRCH ? -EPIPE : 0;
    }
    return r == -ECONNREFUSED ? -EPIPE : r;
}

/* -EAGAIN: there is no greeting now. */
static int take_greeting(struct ms_client *client, struct ms_greeting *ret_greeting) {
    struct ms_greeting greeting = {0};
    int r = ms_socket_take(client->fd, &greeting, sizeof greeting, NULL, 0);
    if (r == 0 && greeting.magic != MS_GREETING_MAGIC) {
        r = -EBADMSG;
    }
    if (r == 0) {
        client->is_full = greeting.result < 0;
        client->size_limit = greeting.size_limit;
        client->room = greeting.room;
        ms_socket_set_buffer(client->fd, greeting.buffer_size);
        *ret_greeting = greeting;
    }
    return r;
}

static int await_greeting(struct ms_client *client, int64_t deadline_ns) {
    struct ms_greeting greeting = {0};
    int r = ms_socket_wait(client->fd, MS_INCOMING, client->process, deadline_ns);
    if (r == 0) {
        r = take_greeting(client, &greeting);
        client->created_ns = greeting.created_ns;
        client->accepted = greeting.accepted;
    }
    return r == 0 && client->is_full ? -EAGAIN : r;
}

/* Returns 0; -EAGAIN when this user's share is full; -ENOENT, -EPIPE. */
static int connect_client(struct ms_client *client, const char *path) {
    int64_t deadline_ns = ms_clock_now_ns() + PATIENCE_NS;
    int r = connect_once(client, path);
    while (r == -EAGAIN) { /* many want to connect */
        ms_client_close(client);
        r = pause_until(deadline_ns);
        r = r < 0 ? r : connect_once(client, path);
    }
    MS_STEP("client.connected");
    if (r == 0) {
        r = await_greeting(client, deadline_ns);
    }
    if (r < 0) {
        ms_client_close(client);
    }
    return r;
}

/* A slot of this user that cannot be opened has no letterbox to be asked at, and what
 * is not a file is no slot. */
static int identify(const char *path, struct ms_client *ret_client) {
    struct ms_file_status status;
    int r = ms_file_look(path, &status);
    if (r < 0) {
        return r;
    }
    *ret_client = (struct ms_client){
        .inode = status.inode, .uid = status.uid, .fd = -1, .process = -1};
    return status.uid == ms_process_uid() || !status.is_regular ? -EACCES : 0;
}

int ms_client_open(const char *path, struct ms_client *ret_client) {
    int r = identify(path, ret_client);
    if (r == 0) {
        r = connect_client(ret_client, path);
    }
    switch (r) {
    case -EAGAIN:
        return 0; /* sending will tell */
    case -ENOENT:
        return -EACCES;
    case -EPIPE:
        return -ENOENT;
    default:
        return r;
    }
}

int ms_client_look(struct ms_client *client, const char *path) {
    int r = client->fd < 0 ? connect_client(client, path) : 0;
    if (r == 0 && ms_process_has_ended(client->process)) {
        return -EPIPE;
    }
    return r == -ENOENT ? -EPIPE : r;
}

/* A message that is too large for a packet travels in a sealed file. */
static int send_sealed(struct ms_client *client, const mailslot_buffer *message) {
    struct ms_letter letter = {MS_LETTER_SEALED, (uint32_t)message->size};
    int fd;
    int r = ms_file_seal(message->data, message->size, &fd);
    if (r < 0) {
        return r;
    }
    MS_STEP("client.sealed");
    r = ms_socket_send(client->fd, &letter, sizeof letter, NULL, 0, fd);
    ms_file_close(fd);
    /* Not the message: too many descriptors of this user are on their way. */
    return r == -ETOOMANYREFS ? -EAGAIN : r;
}

/* The owner keeps it for what follows on this connection. */
static int tell_origin(struct ms_client *client) {
    uint16_t size = ms_origin_host_size(client->origin);
    struct ms_letter letter = {MS_LETTER_ORIGIN, size};
    int r = ms_socket_send(client->fd, &letter, sizeof letter, client->origin->host,
                           size, -1);
    client->has_told_origin = r == 0;
    MS_STEP("client.told");
    return r == -EMSGSIZE ? -EAGAIN : r; /* it is small: room comes */
}

static int send_letter(struct ms_client *client, const mailslot_buffer *message) {
    if (ms_process_has_ended(client->process)) {
        return -EPIPE; /* a forked child of the owner may still hold the socket */
    }
    int r = client->origin && !client->has_told_origin ? tell_origin(client) : 0;
    if (r < 0) {
        return r;
    }
    r = -EMSGSIZE;
    if (message->size <= MS_LETTER_PLAIN_MAX) {
        struct ms_letter letter = {MS_LETTER_PLAIN, (uint32_t)message->size};
        r = ms_socket_send(client->fd, &letter, sizeof letter, message->data,
                           message->size, -1);
    }
    return r == -EMSGSIZE ? send_sealed(client, message) : r;
}

static int try_send(struct ms_client *client, const char *path,
                    const mailslot_buffer *message) {
    int r = client->fd < 0 ? connect_client(client, path) : 0;
    if (r < 0) {
        return r == -ENOENT ? -EPIPE : r;
    }
    uint64_t host_size = client->origin ? ms_origin_host_size(client->origin) : 0;
    if (message->size > client->size_limit ||
        message->size + host_size > client->room) {
        return -EMSGSIZE;
    }
    r = send_letter(client, message);
    MS_STEP("client.sent");
    client->is_behind &= r < 0;
    client->accepted += r == 0;
    /* Either the owner has gone, or it has given the place to another client. */
    return r == -EPIPE ? -ECONNRESET : r;
}

/* What the owner has told since the last look. */
static int take_greetings(struct ms_client *client) {
    int r = 0;
    struct ms_greeting greeting;
    for (int i = 0; i < GREETINGS_AT_ONCE && r == 0; i++) {
        r = take_greeting(client, &greeting);
    }
    return r == -EAGAIN ? 0 : r;
}

/* The socket is full. If that is because the share is, wait until deadline_ns; but for
 * a thread of the owner that is only behind, until patience_ns, and not in vain each
 * time. */
static int await_room(struct ms_client *client, int64_t deadline_ns,
                      int64_t patience_ns) {
    if (client->fd < 0) {
        return deadline_ns ? pause_until(deadline_ns) : -EAGAIN;
    }
    int r = take_greetings(client);
    if (r == 0 && deadline_ns == 0 && (client->is_full || client->is_behind)) {
        return -EAGAIN;
    }
    if (r == 0) {
        int64_t end_ns = client->is_full ? deadline_ns : patience_ns;
        r = ms_socket_wait(client->fd, MS_BOTH, client->process, end_ns);
    }
    client->is_behind = r == -ETIMEDOUT;
    return r == -ETIMEDOUT && deadline_ns == 0 ? -EAGAIN : r;
}

/* Before another try. Only in a pause is a signal heard for sure. */
static int pace(int tries, int64_t patience_ns) {
    if (tries >= EAGER_TRIES) {
        return pause_until(patience_ns);
    }
    return ms_clock_now_ns() < patience_ns ? 0 : -ETIMEDOUT;
}

int ms_client_send(struct ms_client *client, const char *path,
                   const mailslot_buffer *message, int64_t deadline_ns) {
    int64_t patience_ns = later(deadline_ns, ms_clock_now_ns() + PATIENCE_NS);
    for (int tries = 1;; tries += tries < EAGER_TRIES) {
        int r = try_send(client, path, message);
        if (r == -EAGAIN) {
            r = await_room(client, deadline_ns, patience_ns);
        } else if (r != -ECONNRESET) {
            return r;
        }
        if (r == -EPIPE || r == -ECONNRESET) {
            ms_client_close(client); /* to connect again will tell */
            r = 0;
        }
        if (r == 0) {
            r = pace(tries, patience_ns);
        }
        if (r < 0) {
            return r;
        }
    }
}
