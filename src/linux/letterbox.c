/* SPDX-License-Identifier: MIT */
/* The letterbox: other users' way into a slot. */
#include "linux/letterbox.h"

#include "linux/backing.h"
#include "linux/connections.h"
#include "linux/letter.h"
#include "linux/registry.h"
#include "linux/turn.h"
#include "linux/users.h"
#include "name.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/memory.h"
#include "os/poll.h"
#include "os/process.h"
#include "os/socket.h"
#include "os/thread.h"
#include "queue/record.h"
#include "queue/step.h"

#include <errno.h>
#include <string.h>

/* Letters of one client at a time: more than a socket can hold, so that all that was
 * sent before a call is taken. */
#define LETTERS_AT_ONCE 4096

/* How long to wait for a writer's turn. */
#define TURN_WAIT_NS INT64_C(100000000)

/* Descriptors that are ready at a time; and how often to ask for more of them. */
#define READY 64
#define ROUNDS (2 * MS_CONNECTIONS / READY)

/* When there is no room or no memory, look again after this long. */
#define LOOK_AGAIN_MS 100

/* Tags in the set of polled descriptors; others are indices of clients. */
enum { TAG_LISTENER = MS_CONNECTIONS, TAG_EVENT };

struct ms_letterbox {
    const struct ms_region *region;
    struct ms_queue queue;
    uint32_t uid; /* the owner's */
    int listener;
    struct ms_thread thread;
    _Atomic bool is_closing;

    struct ms_mutex mutex; /* of what follows */
    bool is_deaf;          /* nobody can be accepted now */
    bool has_room;         /* there is more room than when clients began to wait */
    bool is_turn_stuck;    /* a writer was stopped in its turn, as it seems */
    struct ms_users users;
    struct ms_connections connections;
};

/* Whoever still can change a sealed file could make the reader wait, or read something
 * else. */
static int check_sealed(const struct ms_letter *letter,
                        const struct ms_packet *packet) {
    struct ms_file_status status = {0};
    if (packet->fd < 0 || packet->size != sizeof *letter ||
        !ms_file_is_sealed(packet->fd)) {
        return -EBADMSG;
    }
    int r = ms_file_status(packet->fd, &status);
    return r == 0 && status.size != letter->size ? -EBADMSG : r;
}

/* Whether a packet is a letter that this slot takes: 0, -EBADMSG, or -ENOMEM when that
 * cannot be told now. */
static int check_letter(const struct ms_letterbox *box,
                        const struct ms_connection *client,
                        const struct ms_letter *letter,
                        const struct ms_packet *packet) {
    uint64_t size = (uint64_t)letter->size + client->origin.size;
    if (packet->size < sizeof *letter || letter->size > box->queue.size_limit ||
        size > ms_queue_room(box->queue.capacity) || packet->sender.uid == box->uid) {
        return -EBADMSG;
    }
    if (letter->kind == MS_LETTER_SEALED) {
        return check_sealed(letter, packet);
    }
    bool is_plain = letter->kind == MS_LETTER_PLAIN && packet->fd < 0 &&
                    !packet->is_stripped &&
                    packet->size == sizeof *letter + letter->size;
    return is_plain ? 0 : -EBADMSG;
}

/* Take the letter out of the socket, and its message to where it goes. */
static int take(const struct ms_connection *client, struct ms_letter *letter,
                const struct ms_packet *packet, void *payload) {
    if (letter->kind == MS_LETTER_PLAIN) {
        return ms_socket_take(client->fd, letter, sizeof *letter, payload,
                              letter->size);
    }
    int r = ms_file_read_at(packet->fd, payload, letter->size, 0);
    return r < 0 ? r : ms_socket_take(client->fd, letter, sizeof *letter, NULL, 0);
}

/* In a turn. */
static int put(struct ms_letterbox *box, const struct ms_connection *client,
               struct ms_letter *letter, const struct ms_packet *packet) {
    struct ms_envelope sender = {.time_ns = ms_clock_stamp_ns(),
                                 .pid = packet->sender.pid,
                                 .uid = packet->sender.uid,
                                 .gid = packet->sender.gid,
                                 .origin = &client->origin};
    struct ms_claim claim;
    uint64_t wanted;
    uint32_t size = letter->size;
    int r = ms_queue_claim(&box->queue, (uint64_t)size + client->origin.size, &claim,
                           &wanted);
    if (r == 0) {
        r = ms_backing_reserve(&box->queue, box->region->fd, claim.end);
    }
    if (r < 0) {
        return r;
    }
    void *payload = ms_queue_prepare(&box->queue, &claim, &sender, size);
    r = take(client, letter, packet, payload);
    MS_STEP("letter.taken");
    if (r == 0) {
        ms_queue_publish(&box->queue, &claim, size);
    }
    return r;
}

/* Reading calls that do not wait come here, or wait for the mutex. So a writer that was
 * stopped in its turn is waited for once, and then by the thread alone (await_turn). A
 * signal ends no wait: it would put the letter off. */
static int begin_turn(struct ms_letterbox *box) {
    struct ms_header *header = box->region->header;
    int r = ms_turn_try(header);
    if (r == -EBUSY && !box->is_turn_stuck) {
        r = ms_turn_begin_by(header, ms_clock_now_ns() + TURN_WAIT_NS);
    }
    box->is_turn_stuck = r == -EBUSY || r == -ETIMEDOUT;
    return r;
}

/* Also the errors of who has no room, memory or turn now. */
static int deliver_letter(struct ms_letterbox *box, const struct ms_connection *client,
                          struct ms_letter *letter, const struct ms_packet *packet) {
    if (packet->is_stripped && packet->fd < 0 && letter->kind == MS_LETTER_SEALED) {
        return -EBUSY; /* no descriptor is free in this process */
    }
    int r = check_letter(box, client, letter, packet);
    if (r < 0) {
        return r;
    }
    uint64_t extent = ms_record_extent(letter->size) + client->origin.size;
    struct ms_user *user = ms_users_find(&box->users, packet->sender.uid, true);
    if (!user || !ms_users_may_queue(&box->users, user, extent)) {
        return -EBUSY;
    }
    r = begin_turn(box);
    if (r == 0) {
        r = put(box, client, letter, packet);
        ms_turn_end(box->region->header, r == 0);
        user->queued += r == 0 ? extent : 0;
    }
    return r;
}

/* No message: where the next ones come from. */
static int take_origin(struct ms_connection *client, struct ms_letter *letter,
                       const struct ms_packet *packet) {
    char bytes[MS_ORIGIN_SIZE_MAX] = {0};
    if (letter->size > sizeof bytes || packet->size != sizeof *letter + letter->size ||
        packet->fd >= 0 || packet->is_stripped) {
        return -EBADMSG;
    }
    int r = ms_socket_take(client->fd, letter, sizeof *letter, bytes, letter->size);
    MS_STEP("letter.origin");
    if (r == 0 && bytes[1] && !ms_name_is_host(bytes + 1)) {
        return -EBADMSG;
    }
    if (r == 0) {
        ms_origin_init(&client->origin, bytes[1] ? bytes + 1 : NULL,
                       bytes[0] & MS_ORIGIN_VERIFIED);
    }
    return r;
}

/* What is neither wrong with the letter nor the end of the slot puts it off: it stays
 * in the socket. So nothing that its user sends later through another connection may be
 * taken before it. */
static int or_later(int r) {
    return r == 0 || r == -EPIPE || r == -EBADMSG ? r : -EBUSY;
}

/* Returns 0; -EAGAIN when there is no letter, -EBUSY when it is put off; -EPIPE or
 * -EBADMSG when the client has to leave. */
static int deliver_next(struct ms_letterbox *box, struct ms_connection *client) {
    struct ms_letter letter = {0};
    struct ms_packet packet;
    int r = ms_socket_peek(client->fd, &letter, sizeof letter, &packet);
    if (r < 0) {
        return r == -EAGAIN ? r : or_later(r);
    }
    r = letter.kind == MS_LETTER_ORIGIN ? take_origin(client, &letter, &packet)
                                        : deliver_letter(box, client, &letter, &packet);
    ms_file_close(packet.fd);
    return or_later(r);
}

/* No more than a hint: it gets lost when the client does not read. */
static void tell(const struct ms_letterbox *box, int fd, int result) {
    struct ms_greeting greeting = {.magic = MS_GREETING_MAGIC,
                                   .result = result,
                                   .size_limit = box->queue.size_limit,
                                   .buffer_size = box->users.share,
                                   .room = ms_queue_room(box->queue.capacity)};
    ms_socket_send(fd, &greeting, sizeof greeting, NULL, 0, -1);
}

static void tell_of_room(const struct ms_letterbox *box, struct ms_connection *client,
                         bool has_room) {
    if (client->is_told == has_room) {
        tell(box, client->fd, has_room ? 0 : -EAGAIN);
        client->is_told = !has_room;
    }
}

/* All that a client has sent so far, as far as there is room. */
static void deliver(struct ms_letterbox *box, struct ms_connection *client) {
    int r = 0;
    for (int i = 0; i < LETTERS_AT_ONCE && r == 0; i++) {
        ms_connection_use(&box->connections, client);
        r = deliver_next(box, client);
    }
    if (r == -EBUSY) {
        ms_connections_put_off(&box->connections, client);
        tell_of_room(box, client, false);
    } else if (r == -EAGAIN) {
        tell_of_room(box, client, true);
    } else if (r < 0) {
        if (r == -EBADMSG) {
            /* Relaxed: a figure for info. */
            atomic_fetch_add_explicit(&box->region->header->rejected, 1,
                                      memory_order_relaxed);
        }
        ms_connections_close(&box->connections, client);
    }
}

static void resume_all(struct ms_letterbox *box) {
    box->has_room = false;
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        struct ms_connection *client = &box->connections.all[i];
        if (ms_connection_is_open(client) && client->is_waiting) {
            ms_connections_resume(&box->connections, client);
            deliver(box, client);
        }
    }
}

/* Nothing can come in after the refusal, so nothing is lost: what came before is
 * delivered, and then there is no more. */
static bool replace_oldest(struct ms_letterbox *box, const struct ms_user *user) {
    struct ms_connection *client = ms_connections_oldest(&box->connections, user);
    if (!client) {
        return false;
    }
    ms_socket_refuse(client->fd);
    deliver(box, client);
    return !ms_connection_is_open(client);
}

static bool make_place(struct ms_letterbox *box, const struct ms_user *user) {
    if (user->connections > MS_CONNECTIONS_OF_USER) {
        return replace_oldest(box, user);
    }
    return box->connections.count < MS_CONNECTIONS ||
           replace_oldest(box, ms_users_greediest(&box->users));
}

/* What this user has sent through other connections comes first. */
static void deliver_all_of(struct ms_letterbox *box, const struct ms_user *user) {
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        struct ms_connection *client = &box->connections.all[i];
        if (ms_connection_is_open(client) && client->user == user &&
            !client->is_waiting) {
            deliver(box, client);
        }
    }
}

/* Returns 0 when it is a client now. */
static int greet(struct ms_letterbox *box, int fd) {
    struct ms_peer peer = {0};
    if (ms_socket_peer(fd, &peer) < 0 || peer.uid == box->uid) {
        return -EACCES;
    }
    int r = -EAGAIN;
    struct ms_user *user = ms_users_find(&box->users, peer.uid, true);
    if (user) {
        user->connections++; /* so that the entry stays this user's */
        deliver_all_of(box, user);
        bool has_place = !user->waiting && make_place(box, user) && !user->waiting;
        user->connections--;
        r = has_place ? ms_connections_add(&box->connections, user, fd) : -EAGAIN;
    }
    MS_STEP("letterbox.greeting");
    tell(box, fd, r < 0 ? -EAGAIN : 0);
    return r;
}

static void set_deaf(struct ms_letterbox *box, bool is_deaf) {
    if (is_deaf == box->is_deaf) {
        return;
    }
    if (is_deaf) {
        ms_poll_remove(box->connections.poll, box->listener);
        ms_event_set(box->connections.event); /* the thread is to look again */
    } else if (ms_poll_add(box->connections.poll, box->listener, TAG_LISTENER) < 0) {
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
    } else if (tag != TAG_EVENT && ms_connection_is_open(&box->connections.all[tag]) &&
               !box->connections.all[tag].is_waiting) {
        deliver(box, &box->connections.all[tag]);
    }
}

static void collect(struct ms_letterbox *box) {
    uint32_t tags[READY];
    int n = READY;
    if (box->has_room) {
        resume_all(box);
    }
    for (int round = 0; round < ROUNDS && n == READY; round++) {
        n = ms_poll_wait(box->connections.poll, tags, READY, 0);
        for (int i = 0; i < n; i++) {
            serve(box, tags[i]);
        }
    }
}

/* Also from clients that wait, and not only for room: a turn or a descriptor may have
 * become free, which nobody tells. */
void ms_letterbox_collect(struct ms_letterbox *letterbox) {
    ms_mutex_lock(&letterbox->mutex);
    letterbox->has_room = letterbox->connections.waiting > 0;
    collect(letterbox);
    ms_mutex_unlock(&letterbox->mutex);
}

/* No room is made for one message at a time: that would wake the thread for each. */
static void note_room(struct ms_letterbox *box) {
    if (box->connections.waiting && !box->has_room) {
        box->has_room = true;
        ms_event_set(box->connections.event);
    }
}

void ms_letterbox_show(struct ms_letterbox *letterbox,
                       const mailslot_message *message) {
    if (message->uid == letterbox->uid) {
        return;
    }
    ms_mutex_lock(&letterbox->mutex);
    if (ms_users_show(&letterbox->users, message)) {
        note_room(letterbox);
    }
    ms_mutex_unlock(&letterbox->mutex);
}

void ms_letterbox_forget(struct ms_letterbox *letterbox) {
    ms_mutex_lock(&letterbox->mutex);
    ms_users_settle(&letterbox->users, true);
    ms_mutex_unlock(&letterbox->mutex);
}

void ms_letterbox_release(struct ms_letterbox *letterbox) {
    ms_mutex_lock(&letterbox->mutex);
    ms_users_settle(&letterbox->users, false);
    note_room(letterbox);
    ms_mutex_unlock(&letterbox->mutex);
}

/* Without the mutex; and not longer than new clients can wait. */
static void await_turn(struct ms_letterbox *box) {
    struct ms_header *header = box->region->header;
    int r = ms_turn_begin_by(header, ms_clock_now_ns() + TURN_WAIT_NS);
    if (r == 0) {
        ms_turn_end(header, false);
    }
    ms_mutex_lock(&box->mutex);
    box->is_turn_stuck = r == -ETIMEDOUT;
    box->has_room = true;
    ms_mutex_unlock(&box->mutex);
}

/* How long the thread may sleep, after it has waited for a turn. */
static int nap_ms(struct ms_letterbox *box) {
    ms_mutex_lock(&box->mutex);
    bool is_turn_stuck = box->is_turn_stuck;
    bool is_waiting = box->connections.waiting || box->is_deaf;
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
    ms_connections_close_all(&box->connections);
    box->listener = ms_socket_close(box->listener);
    ms_mutex_unlock(&box->mutex);
}

static bool is_open(const struct ms_letterbox *box) {
    return !box->is_closing && ms_region_is_alive(box->region->header);
}

static void run(void *context) {
    struct ms_letterbox *box = context;
    uint32_t tag;
    while (is_open(box)) {
        int ready = ms_poll_wait(box->connections.poll, &tag, 1, nap_ms(box));
        if (!is_open(box)) {
            break;
        }
        if (ready && tag == TAG_EVENT) {
            /* Nobody else: it is to wake this thread. */
            ms_event_clear(box->connections.event);
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
    int r = ms_file_status(box->region->fd, &status);
    if (r == 0) {
        r = ms_registry_letterbox(path, status.inode, socket_path);
    }
    if (r == 0) {
        r = ms_poll_create(&box->connections.poll);
    }
    if (r == 0) {
        r = ms_event_create(&box->connections.event);
    }
    if (r == 0) {
        r = ms_poll_add(box->connections.poll, box->connections.event, TAG_EVENT);
    }
    if (r == 0) {
        r = ms_socket_listen(socket_path, options->mode, options->gid, &box->listener);
    }
    if (r == 0) {
        r = ms_poll_add(box->connections.poll, box->listener, TAG_LISTENER);
    }
    return r == -EADDRINUSE ? -EACCES : r;
}

static void free_box(struct ms_letterbox *box) {
    ms_socket_close(box->listener);
    ms_file_close(box->connections.event);
    ms_file_close(box->connections.poll);
    ms_memory_unmap(box, sizeof *box);
}

static void init(struct ms_letterbox *box, const struct ms_region *region,
                 const mailslot_options *options) {
    uint64_t capacity = region->size - MS_HEADER_SIZE;
    box->region = region;
    box->uid = ms_process_uid();
    box->users.share = options->user_max_bytes ? options->user_max_bytes : capacity / 4;
    box->listener = -1;
    ms_connections_init(&box->connections);
    ms_queue_attach(&box->queue, region->header, capacity);
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
    ms_event_set(letterbox->connections.event);
    ms_thread_join(&letterbox->thread);
    free_box(letterbox);
}
