/* SPDX-License-Identifier: MIT */
/* The letterbox: other users' way into a slot. */
#include "linux/letterbox.h"

#include "linux/delivery.h"
#include "linux/registry.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/poll.h"
#include "os/socket.h"
#include "os/thread.h"
#include "queue/step.h"

#include <errno.h>

/* Descriptors that are ready at a time; and how often to ask for more of them. */
#define READY 64
#define ROUNDS (2 * MS_CONNECTIONS / READY)

/* When there is no room or no memory, look again after this long. */
#define LOOK_AGAIN_MS 100

/* Tags in the set of polled descriptors; others are indices of connections. */
enum { TAG_LISTENER = MS_CONNECTIONS, TAG_EVENT };

struct ms_letterbox {
    int listener;
    struct ms_thread thread;
    _Atomic bool is_closing;

    struct ms_mutex mutex; /* of what follows */
    bool is_deaf;          /* nobody can be accepted now */
    bool has_room;         /* there is more room than when clients began to wait */
    struct ms_delivery delivery;
};

static void resume_all(struct ms_letterbox *box) {
    box->has_room = false;
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        struct ms_connection *client = &box->delivery.connections.all[i];
        if (ms_connection_is_open(client) && client->is_waiting) {
            ms_connections_resume(&box->delivery.connections, client);
            ms_delivery_take(&box->delivery, client);
        }
    }
}

/* Nothing can come in after the refusal, so nothing is lost: what came before is
 * delivered, and then there is no more. */
static bool replace_oldest(struct ms_letterbox *box, const struct ms_user *user) {
    struct ms_connection *client =
        ms_connections_oldest(&box->delivery.connections, user);
    if (!client) {
        return false;
    }
    ms_socket_refuse(client->fd);
    ms_delivery_take(&box->delivery, client);
    return !ms_connection_is_open(client);
}

static bool make_place(struct ms_letterbox *box, const struct ms_user *user) {
    if (user->connections > MS_CONNECTIONS_OF_USER) {
        return replace_oldest(box, user);
    }
    return box->delivery.connections.count < MS_CONNECTIONS ||
           replace_oldest(box, ms_users_greediest(&box->delivery.users));
}

/* What this user has sent through other connections comes first. */
static void deliver_all_of(struct ms_letterbox *box, const struct ms_user *user) {
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        struct ms_connection *client = &box->delivery.connections.all[i];
        if (ms_connection_is_open(client) && client->user == user &&
            !client->is_waiting) {
            ms_delivery_take(&box->delivery, client);
        }
    }
}

/* Returns 0 when it is a client now. */
static int greet(struct ms_letterbox *box, int fd) {
    struct ms_peer peer = {0};
    if (ms_socket_peer(fd, &peer) < 0 || peer.uid == box->delivery.uid) {
        return -EACCES;
    }
    int r = -EAGAIN;
    struct ms_user *user = ms_users_find(&box->delivery.users, peer.uid, true);
    if (user) {
        user->connections++; /* so that the entry stays this user's */
        deliver_all_of(box, user);
        bool has_place = !user->waiting && make_place(box, user) && !user->waiting;
        user->connections--;
        r = has_place ? ms_connections_add(&box->delivery.connections, user, fd)
                      : -EAGAIN;
    }
    MS_STEP("letterbox.greeting");
    ms_delivery_tell(&box->delivery, user, fd, r < 0 ? -EAGAIN : 0);
    return r;
}

static void set_deaf(struct ms_letterbox *box, bool is_deaf) {
    if (is_deaf == box->is_deaf) {
        return;
    }
    if (is_deaf) {
        ms_poll_remove(box->delivery.connections.poll, box->listener);
        ms_event_set(box->delivery.connections.event); /* the thread is to look again */
    } else if (ms_poll_add(box->delivery.connections.poll, box->listener,
                           TAG_LISTENER) < 0) {
        return;
    }
    box->is_deaf = is_deaf;
}

static void accept_clients(struct ms_letterbox *box) {
    for (int i = 0; i < READY; i++) {
        int fd;
        int r = ms_socket_accept(box->listener, &fd);
        if (r < 0) {
            /* Without descriptors the listener would be ready for ever. */
            set_deaf(box, r != -EAGAIN && r != -ECONNABORTED && r != -EINTR);
            return;
        }
        if (greet(box, fd) < 0) {
            ms_socket_close(fd);
        }
    }
}

static void serve(struct ms_letterbox *box, uint32_t tag) {
    if (tag == TAG_LISTENER) {
        accept_clients(box);
    } else if (tag != TAG_EVENT &&
               ms_connection_is_open(&box->delivery.connections.all[tag]) &&
               !box->delivery.connections.all[tag].is_waiting) {
        ms_delivery_take(&box->delivery, &box->delivery.connections.all[tag]);
    }
}

static void collect(struct ms_letterbox *box) {
    uint32_t tags[READY];
    int n = READY;
    if (box->has_room) {
        resume_all(box);
    }
    for (int round = 0; round < ROUNDS && n == READY; round++) {
        n = ms_poll_wait(box->delivery.connections.poll, tags, READY, 0);
        for (int i = 0; i < n; i++) {
            serve(box, tags[i]);
        }
    }
}

/* Also from clients that wait, and not only for room: a turn or a descriptor may have
 * become free, which nobody tells. */
void ms_letterbox_collect(struct ms_letterbox *letterbox) {
    ms_mutex_lock(&letterbox->mutex);
    letterbox->has_room = letterbox->delivery.connections.waiting > 0;
    collect(letterbox);
    ms_mutex_unlock(&letterbox->mutex);
}

/* No room is made for one message at a time: that would wake the thread for each. */
static void note_room(struct ms_letterbox *box) {
    if (box->delivery.connections.waiting && !box->has_room) {
        box->has_room = true;
        ms_event_set(box->delivery.connections.event);
    }
}

void ms_letterbox_show(struct ms_letterbox *letterbox,
                       const mailslot_message *message) {
    if (message->uid == letterbox->delivery.uid) {
        return;
    }
    ms_mutex_lock(&letterbox->mutex);
    if (ms_users_show(&letterbox->delivery.users, message)) {
        note_room(letterbox);
    }
    ms_mutex_unlock(&letterbox->mutex);
}

void ms_letterbox_forget(struct ms_letterbox *letterbox) {
    ms_mutex_lock(&letterbox->mutex);
    ms_users_settle(&letterbox->delivery.users, true);
    ms_mutex_unlock(&letterbox->mutex);
}

void ms_letterbox_release(struct ms_letterbox *letterbox) {
    ms_mutex_lock(&letterbox->mutex);
    ms_users_settle(&letterbox->delivery.users, false);
    note_room(letterbox);
    ms_mutex_unlock(&letterbox->mutex);
}

/* Without the mutex. */
static void await_turn(struct ms_letterbox *box) {
    bool is_free = ms_delivery_await_turn(&box->delivery);
    ms_mutex_lock(&box->mutex);
    box->delivery.is_turn_stuck = !is_free;
    box->has_room = true;
    ms_mutex_unlock(&box->mutex);
}

/* How long the thread may sleep, after it has waited for a turn. */
static int nap_ms(struct ms_letterbox *box) {
    ms_mutex_lock(&box->mutex);
    bool is_turn_stuck = box->delivery.is_turn_stuck;
    bool is_waiting = box->delivery.connections.waiting || box->is_deaf;
    ms_mutex_unlock(&box->mutex);
    if (is_turn_stuck) {
        await_turn(box);
        return 0;
    }
    return is_waiting ? LOOK_AGAIN_MS : -1;
}

static void collect_what_came(struct ms_letterbox *box) {
    ms_mutex_lock(&box->mutex);
    collect(box);
    ms_mutex_unlock(&box->mutex);
}

static void look_again(struct ms_letterbox *box) {
    ms_mutex_lock(&box->mutex);
    set_deaf(box, false);
    box->has_room = true;
    collect(box);
    ms_mutex_unlock(&box->mutex);
}

/* Nobody reads any more: whoever sends must hear of it. */
static void shut(struct ms_letterbox *box) {
    ms_mutex_lock(&box->mutex);
    ms_connections_close_all(&box->delivery.connections);
    box->listener = ms_socket_close(box->listener);
    ms_mutex_unlock(&box->mutex);
}

static bool is_open(const struct ms_letterbox *box) {
    return !box->is_closing && ms_region_is_alive(box->delivery.region->header);
}

static void run(void *context) {
    struct ms_letterbox *box = context;
    uint32_t tag;
    while (is_open(box)) {
        int ready = ms_poll_wait(box->delivery.connections.poll, &tag, 1, nap_ms(box));
        if (!is_open(box)) {
            break;
        }
        if (ready && tag == TAG_EVENT) {
            /* Nobody else: it is to wake this thread. */
            ms_event_clear(box->delivery.connections.event);
        }
        if (ready == 0) {
            look_again(box);
        } else {
            collect_what_came(box);
        }
    }
    shut(box);
}

static int open_descriptors(struct ms_letterbox *box, const char *path,
                            const mailslot_options *options) {
    char socket_path[MS_PATH_SIZE];
    struct ms_file_status status;
    int r = ms_file_status(box->delivery.region->fd, &status);
    if (r == 0) {
        r = ms_registry_letterbox(path, status.inode, socket_path);
    }
    if (r == 0) {
        r = ms_poll_create(&box->delivery.connections.poll);
    }
    if (r == 0) {
        r = ms_event_create(&box->delivery.connections.event);
    }
    if (r == 0) {
        r = ms_poll_add(box->delivery.connections.poll, box->delivery.connections.event,
                        TAG_EVENT);
    }
    if (r == 0) {
        r = ms_socket_listen(socket_path, options->mode, options->gid, &box->listener);
    }
    if (r == 0) {
        r = ms_poll_add(box->delivery.connections.poll, box->listener, TAG_LISTENER);
    }
    return r == -EADDRINUSE ? -EACCES : r;
}

static void free_box(struct ms_letterbox *box) {
    ms_socket_close(box->listener);
    ms_file_close(box->delivery.connections.event);
    ms_file_close(box->delivery.connections.poll);
    ms_memory_unmap(box, sizeof *box);
}

static void init(struct ms_letterbox *box, const struct ms_region *region,
                 const mailslot_options *options) {
    box->listener = -1;
    ms_delivery_init(&box->delivery, region);
    if (options->user_max_bytes) {
        box->delivery.users.share = options->user_max_bytes;
    }
}

int ms_letterbox_open(const struct ms_region *region, const char *path,
                      const mailslot_options *options,
                      struct ms_letterbox **ret_letterbox) {
    void *memory;
    int r = ms_memory_allocate(sizeof(struct ms_letterbox), &memory);
    if (r < 0) {
        return r;
    }
    struct ms_letterbox *box = memory;
    init(box, region, options);
    r = open_descriptors(box, path, options);
    if (r == 0) {
        r = ms_thread_start(&box->thread, run, box);
    }
    if (r < 0) {
        free_box(box);
        return r;
    }
    *ret_letterbox = box;
    return 0;
}

void ms_letterbox_close(struct ms_letterbox *letterbox) {
    letterbox->is_closing = true;
    ms_event_set(letterbox->delivery.connections.event);
    ms_thread_join(&letterbox->thread);
    free_box(letterbox);
}
