/* SPDX-License-Identifier: MIT */
/* The letterbox: other users' way into a slot. */
#include "linux/letterbox.h"

#include "linux/delivery.h"
#include "linux/registry.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/futex.h"
#include "os/memory.h"
#include "os/poll.h"
#include "os/socket.h"
#include "os/thread.h"
#include "queue/step.h"

#include <errno.h>

/* How long the thread keeps the owner's calls out at most, and how many letters it
 * takes from one connection before it looks at the next. */
#define SLICE_NS INT64_C(1000000)
#define LETTERS_AT_ONCE 32

/* When there is no room or no memory, look again after this long. */
#define LOOK_AGAIN_NS INT64_C(100000000)
#define MS_IN_NS INT64_C(1000000)

/* Tags in the set of polled descriptors; others are indices of connections. */
enum { TAG_LISTENER = MS_CONNECTIONS, TAG_EVENT, TAG_NONE };

/* Whether the owner waits for the mutex: the thread lets it go first. */
enum { NOT_WANTED, WANTED, WANTED_AND_AWAITED };

/* Who has connected and is not greeted yet: what its user has sent before comes first,
 * and that may take more than a moment. */
struct guest {
    int fd; /* -1: nobody */
    struct ms_user *user;
    struct ms_connection *leaver; /* which makes place, or NULL */
};

struct ms_letterbox {
    int listener;
    struct ms_thread thread;
    _Atomic bool is_closing;
    _Atomic uint32_t wanted;
    int64_t look_ns; /* the thread's: when to look again */

    struct ms_mutex mutex; /* of what follows */
    bool is_deaf;          /* nobody can be accepted now */
    bool has_room;         /* there is more room than when clients began to wait */
    size_t next_resumed;   /* connection to look at because there was */
    size_t last_served;    /* the last one that the owner looked at */
    struct guest guest;
    struct ms_delivery delivery;
};

static void lock_for_owner(struct ms_letterbox *box) {
    box->wanted = WANTED;
    ms_mutex_lock(&box->mutex);
    if (atomic_exchange(&box->wanted, NOT_WANTED) == WANTED_AND_AWAITED) {
        ms_futex_wake(&box->wanted, 1);
    }
}

/* Without this, who unlocks and locks again is there before who has to wake up. */
static void lock_for_thread(struct ms_letterbox *box) {
    uint32_t wanted = WANTED;
    if (atomic_compare_exchange_strong(&box->wanted, &wanted, WANTED_AND_AWAITED) ||
        wanted == WANTED_AND_AWAITED) {
        ms_futex_wait(&box->wanted, WANTED_AND_AWAITED,
                      ms_clock_now_ns() + LOOK_AGAIN_NS);
    }
    ms_mutex_lock(&box->mutex);
}

static bool can_take_from(const struct ms_connection *client) {
    return ms_connection_is_open(client) && !client->is_waiting;
}

/* Those that wait for room, each once. */
static void resume_waiting(struct ms_letterbox *box) {
    if (box->has_room && box->next_resumed == MS_CONNECTIONS) {
        box->has_room = false;
        box->next_resumed = 0;
    }
    while (box->next_resumed < MS_CONNECTIONS) {
        struct ms_connection *client =
            &box->delivery.connections.all[box->next_resumed++];
        if (ms_connection_is_open(client) && client->is_waiting) {
            ms_connections_resume(&box->delivery.connections, client);
            ms_delivery_take_held(&box->delivery, client);
            if (ms_delivery_is_over(&box->delivery)) {
                return;
            }
        }
    }
}

static bool has_place(const struct ms_letterbox *box) {
    return box->guest.user->connections <= MS_CONNECTIONS_OF_USER &&
           box->delivery.connections.count < MS_CONNECTIONS;
}

static struct ms_connection *choose_leaver(struct ms_letterbox *box) {
    const struct ms_user *user = box->guest.user;
    if (user->connections <= MS_CONNECTIONS_OF_USER) {
        user = ms_users_greediest(&box->delivery.users);
    }
    return ms_connections_oldest(&box->delivery.connections, user);
}

/* Nothing can come in after the refusal, so nothing is lost: what came before is
 * delivered, and then there is no more. Returns 0, -EAGAIN when there is no place, or
 * -EINPROGRESS. */
static int make_place(struct ms_letterbox *box) {
    struct guest *guest = &box->guest;
    if (!guest->leaver) {
        if (has_place(box)) {
            return 0;
        }
        guest->leaver = choose_leaver(box);
        if (!guest->leaver) {
            return -EAGAIN;
        }
        ms_socket_refuse(guest->leaver->fd);
    }
    if (can_take_from(guest->leaver)) {
        ms_delivery_take(&box->delivery, guest->leaver, UINT64_MAX);
    }
    if (ms_connection_is_open(guest->leaver)) {
        return guest->leaver->is_waiting ? -EAGAIN : -EINPROGRESS;
    }
    return 0;
}

/* What this user has sent through other connections comes first. Returns whether all
 * that was there when the guest came is in the ring, or put off. */
static bool deliver_all_of(struct ms_letterbox *box, const struct ms_user *user) {
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        struct ms_connection *client = &box->delivery.connections.all[i];
        if (can_take_from(client) && client->user == user && client->due) {
            ms_delivery_take(&box->delivery, client, client->due);
            if (can_take_from(client) && client->due) {
                return false;
            }
        }
    }
    return true;
}

static void greet(struct ms_letterbox *box, int r) {
    struct guest *guest = &box->guest;
    guest->user->connections--;
    if (r == 0) {
        r = ms_connections_add(&box->delivery.connections, guest->user, guest->fd);
    }
    MS_STEP("letterbox.greeting");
    ms_delivery_tell(&box->delivery, guest->user, guest->fd, r < 0 ? -EAGAIN : 0);
    if (r < 0) {
        ms_socket_close(guest->fd);
    }
    guest->fd = -1;
}

static void attend(struct ms_letterbox *box) {
    const struct ms_user *user = box->guest.user;
    if (deliver_all_of(box, user)) {
        int r = user->waiting ? -EAGAIN : make_place(box);
        if (r != -EINPROGRESS) {
            greet(box, user->waiting ? -EAGAIN : r);
        }
    }
}

/* Of the owner's user is nobody: it has other ways. */
static void receive(struct ms_letterbox *box, int fd) {
    struct ms_peer peer = {0};
    struct ms_user *user = NULL;
    if (ms_socket_peer(fd, &peer) == 0 && peer.uid != box->delivery.uid) {
        user = ms_users_find(&box->delivery.users, peer.uid, true);
        if (!user) {
            ms_delivery_tell(&box->delivery, NULL, fd, -EAGAIN);
        }
    }
    if (!user) {
        ms_socket_close(fd);
        return;
    }
    user->connections++; /* so that the entry stays this user's */
    box->guest = (struct guest){.fd = fd, .user = user};
    ms_connections_note_due(&box->delivery.connections, user);
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

/* Returns whether there was somebody. */
static bool accept_client(struct ms_letterbox *box) {
    int fd;
    int r = ms_socket_accept(box->listener, &fd);
    if (r < 0) {
        /* Without descriptors the listener would be ready for ever. */
        set_deaf(box, r != -EAGAIN && r != -ECONNABORTED && r != -EINTR);
        return false;
    }
    receive(box, fd);
    return true;
}

/* For a moment at most, whoever does it: what a client could have sent before a call
 * comes through a connection that was greeted. */
static void welcome(struct ms_letterbox *box) {
    box->delivery.limit.end_ns = ms_clock_now_ns() + SLICE_NS;
    while (box->guest.fd >= 0 || accept_client(box)) {
        if (box->guest.fd >= 0) {
            attend(box);
        }
        if (ms_delivery_is_over(&box->delivery)) {
            return;
        }
    }
}

static uint32_t next_tag(const struct ms_letterbox *box) {
    uint32_t tag;
    return ms_poll_wait(box->delivery.connections.poll, &tag, 1, 0) ? tag : TAG_NONE;
}

/* The thread's, who is ready, each once: whose turn it was comes again after all
 * others. Returns whether somebody knocks. */
static bool serve(struct ms_letterbox *box, uint32_t tag) {
    bool is_served[TAG_NONE] = {false};
    for (; tag != TAG_NONE && !is_served[tag]; tag = next_tag(box)) {
        is_served[tag] = true;
        if (tag < MS_CONNECTIONS &&
            can_take_from(&box->delivery.connections.all[tag])) {
            ms_delivery_take_held(&box->delivery, &box->delivery.connections.all[tag]);
        }
        if (ms_delivery_is_over(&box->delivery)) {
            break;
        }
    }
    return is_served[TAG_LISTENER];
}

/* The owner's: all, beginning with another one each time. It does not ask the set who
 * is ready: what the thread asks meanwhile would change the answer. */
static void serve_all(struct ms_letterbox *box) {
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        box->last_served = (box->last_served + 1) % MS_CONNECTIONS;
        struct ms_connection *client = &box->delivery.connections.all[box->last_served];
        if (can_take_from(client)) {
            ms_delivery_take_held(&box->delivery, client);
            if (ms_delivery_is_over(&box->delivery)) {
                return;
            }
        }
    }
}

static bool is_unfinished(const struct ms_letterbox *box) {
    return box->guest.fd >= 0 || box->has_room || box->next_resumed < MS_CONNECTIONS;
}

/* Also from clients that wait, and not only for room: a turn or a descriptor may have
 * become free, which nobody tells. */
static void collect_for_owner(struct ms_letterbox *box, bool is_for_one) {
    lock_for_owner(box);
    box->has_room = box->delivery.connections.waiting > 0;
    box->next_resumed = MS_CONNECTIONS;
    box->delivery.limit = (struct ms_limit){.is_for_one = is_for_one,
                                            .tail = box->delivery.region->header->tail,
                                            .end_ns = MS_NEVER};
    resume_waiting(box);
    serve_all(box);
    if (!box->is_deaf && !ms_delivery_is_over(&box->delivery)) {
        welcome(box);
    }
    if (is_unfinished(box)) {
        ms_event_set(box->delivery.connections.event);
    }
    ms_mutex_unlock(&box->mutex);
}

void ms_letterbox_collect(struct ms_letterbox *letterbox) {
    collect_for_owner(letterbox, false);
}

void ms_letterbox_fetch(struct ms_letterbox *letterbox) {
    collect_for_owner(letterbox, true);
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
    lock_for_owner(letterbox);
    if (ms_users_show(&letterbox->delivery.users, message)) {
        note_room(letterbox);
    }
    ms_mutex_unlock(&letterbox->mutex);
}

void ms_letterbox_forget(struct ms_letterbox *letterbox) {
    lock_for_owner(letterbox);
    ms_users_settle(&letterbox->delivery.users, true);
    ms_mutex_unlock(&letterbox->mutex);
}

void ms_letterbox_release(struct ms_letterbox *letterbox) {
    lock_for_owner(letterbox);
    ms_users_settle(&letterbox->delivery.users, false);
    note_room(letterbox);
    ms_mutex_unlock(&letterbox->mutex);
}

/* Without the mutex. */
static void await_turn(struct ms_letterbox *box) {
    bool is_free = ms_delivery_await_turn(&box->delivery);
    lock_for_thread(box);
    box->delivery.is_turn_stuck = !is_free;
    box->has_room = true;
    ms_mutex_unlock(&box->mutex);
}

/* How long to sleep until it is time to look again. */
static int look_ms(const struct ms_letterbox *box) {
    int64_t left_ns = box->look_ns - ms_clock_now_ns();
    return left_ns > 0 ? (int)(left_ns / MS_IN_NS) + 1 : 0;
}

/* How long the thread may sleep, after it has waited for a turn. */
static int nap_ms(struct ms_letterbox *box) {
    lock_for_thread(box);
    bool is_turn_stuck = box->delivery.is_turn_stuck;
    bool is_busy = is_unfinished(box);
    bool is_waiting = box->delivery.connections.waiting || box->is_deaf;
    ms_mutex_unlock(&box->mutex);
    if (is_turn_stuck) {
        await_turn(box);
        return 0;
    }
    return is_busy ? 0 : is_waiting ? look_ms(box) : -1;
}

/* However much comes meanwhile. */
static void look_again(struct ms_letterbox *box) {
    int64_t now_ns = ms_clock_now_ns();
    if (now_ns >= box->look_ns) {
        box->look_ns = now_ns + LOOK_AGAIN_NS;
        set_deaf(box, false);
        box->has_room = true;
    }
}

static void collect_for_a_moment(struct ms_letterbox *box, uint32_t tag) {
    lock_for_thread(box);
    look_again(box);
    box->delivery.limit = (struct ms_limit){.end_ns = ms_clock_now_ns() + SLICE_NS,
                                            .wanted = &box->wanted,
                                            .letters = LETTERS_AT_ONCE};
    resume_waiting(box);
    if (serve(box, tag) || box->guest.fd >= 0) {
        welcome(box);
    }
    ms_mutex_unlock(&box->mutex);
}

/* Nobody reads any more: whoever sends must hear of it. */
static void shut(struct ms_letterbox *box) {
    lock_for_thread(box);
    ms_connections_close_all(&box->delivery.connections);
    box->guest.fd = ms_socket_close(box->guest.fd);
    box->listener = ms_socket_close(box->listener);
    ms_mutex_unlock(&box->mutex);
}

static bool is_open(const struct ms_letterbox *box) {
    return !box->is_closing && ms_region_is_alive(box->delivery.region->header);
}

static void run(void *context) {
    struct ms_letterbox *box = context;
    while (is_open(box)) {
        uint32_t tag = TAG_NONE;
        ms_poll_wait(box->delivery.connections.poll, &tag, 1, nap_ms(box));
        if (!is_open(box)) {
            break;
        }
        if (tag == TAG_EVENT) {
            /* Nobody else: it is to wake this thread. */
            ms_event_clear(box->delivery.connections.event);
        }
        collect_for_a_moment(box, tag);
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
    box->listener = box->guest.fd = -1;
    box->next_resumed = MS_CONNECTIONS;
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
