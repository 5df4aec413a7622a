/* SPDX-License-Identifier: MIT */
/* Deliveries: letters go from their sockets into the ring. */
#include "linux/delivery.h"

#include "linux/backing.h"
#include "linux/letter.h"
#include "linux/turn.h"
#include "name.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "os/socket.h"
#include "queue/record.h"
#include "queue/step.h"

#include <errno.h>

/* Of a connection: what it can hold, and with it what a call takes in. */
#define BUFFER_MAX (UINT64_C(1) << 19)

/* How long to wait for a writer's turn. */
#define TURN_WAIT_NS INT64_C(100000000)

void ms_delivery_init(struct ms_delivery *delivery, const struct ms_region *region) {
    uint64_t capacity = region->size - MS_HEADER_SIZE;
    delivery->region = region;
    delivery->uid = ms_process_uid();
    delivery->users.share = capacity / 4;
    ms_connections_init(&delivery->connections);
    ms_queue_attach(&delivery->queue, region->header, capacity);
}

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
static int check_letter(const struct ms_delivery *delivery,
                        const struct ms_connection *connection,
                        const struct ms_letter *letter,
                        const struct ms_packet *packet) {
    uint64_t size = (uint64_t)letter->size + ms_origin_host_size(&connection->origin);
    if (packet->size < sizeof *letter || letter->size > delivery->queue.size_limit ||
        size > ms_queue_room(delivery->queue.capacity) ||
        packet->sender.uid == delivery->uid) {
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
static int take(const struct ms_connection *connection, struct ms_letter *letter,
                const struct ms_packet *packet, void *payload) {
    if (letter->kind == MS_LETTER_PLAIN) {
        return ms_socket_take(connection->fd, letter, sizeof *letter, payload,
                              letter->size);
    }
    int r = ms_file_read_at(packet->fd, payload, letter->size, 0);
    return r < 0 ? r : ms_socket_take(connection->fd, letter, sizeof *letter, NULL, 0);
}

/* In a turn. */
static int put(struct ms_delivery *delivery, struct ms_connection *connection,
               struct ms_letter *letter, const struct ms_packet *packet) {
    struct ms_origin *origin = &connection->origin;
    struct ms_envelope sender = {
        .time_ns = ms_clock_stamp_ns(), .pid = packet->sender.pid, .origin = origin};
    struct ms_claim claim;
    uint64_t wanted;
    uint32_t size = letter->size;
    origin->uid = packet->sender.uid;
    origin->gid = packet->sender.gid;
    int r = ms_queue_claim(&delivery->queue, (uint64_t)size + origin->size, &claim,
                           &wanted);
    if (r == 0) {
        r = ms_backing_reserve(&delivery->queue, delivery->region->fd, claim.end);
    }
    if (r < 0) {
        return r;
    }
    void *payload = ms_queue_prepare(&delivery->queue, &claim, &sender, size);
    r = take(connection, letter, packet, payload);
    MS_STEP("letter.taken");
    if (r == 0) {
        ms_queue_publish(&delivery->queue, &claim, size, ms_origin_host_size(origin));
    }
    return r;
}

/* Reading calls that do not wait come here, or wait for the mutex. So a writer that was
 * stopped in its turn is waited for once, and then by the thread alone
 * (ms_delivery_await_turn). A signal ends no wait: it would put the letter off. */
static int begin_turn(struct ms_delivery *delivery) {
    struct ms_header *header = delivery->region->header;
    int r = ms_turn_try(header);
    if (r == -EBUSY && !delivery->is_turn_stuck) {
        r = ms_turn_begin_by(header, ms_clock_now_ns() + TURN_WAIT_NS);
    }
    delivery->is_turn_stuck = r == -EBUSY || r == -ETIMEDOUT;
    return r;
}

/* Also the errors of who has no room, memory or turn now. */
static int put_letter(struct ms_delivery *delivery, struct ms_connection *connection,
                      struct ms_letter *letter, const struct ms_packet *packet) {
    if (packet->is_stripped && packet->fd < 0 && letter->kind == MS_LETTER_SEALED) {
        return -EBUSY; /* no descriptor is free in this process */
    }
    int r = check_letter(delivery, connection, letter, packet);
    if (r < 0) {
        return r;
    }
    uint64_t extent = ms_record_extent(letter->size) + connection->origin.size;
    struct ms_user *user = ms_users_find(&delivery->users, packet->sender.uid, true);
    if (!user || !ms_users_may_queue(&delivery->users, user, extent)) {
        return -EBUSY;
    }
    r = begin_turn(delivery);
    if (r == 0) {
        r = put(delivery, connection, letter, packet);
        ms_turn_end(delivery->region->header, NULL, r == 0);
        user->queued += r == 0 ? extent : 0;
        user->accepted += r == 0;
    }
    return r;
}

/* No message: where the next ones come from. */
static int take_origin(struct ms_connection *connection, struct ms_letter *letter,
                       const struct ms_packet *packet) {
    char host[MS_HOST_SIZE_MAX] = {0};
    if (letter->size > sizeof host || packet->size != sizeof *letter + letter->size ||
        packet->fd >= 0 || packet->is_stripped) {
        return -EBADMSG;
    }
    int r = ms_socket_take(connection->fd, letter, sizeof *letter, host, letter->size);
    MS_STEP("letter.origin");
    if (r == 0 && host[1] && !ms_name_is_host(host + 1)) {
        return -EBADMSG;
    }
    if (r == 0) {
        ms_origin_set_host(&connection->origin, host[1] ? host + 1 : NULL,
                           host[0] & MS_ORIGIN_VERIFIED);
    }
    return r;
}

/* What is neither wrong with the letter nor the end of the slot puts it off: it stays
 * in the socket. So nothing that its user sends later through another connection may be
 * taken before it. */
static int or_later(int r) {
    return r == 0 || r == -EPIPE || r == -EBADMSG ? r : -EBUSY;
}

/* Returns 0 and the size of the packet; -EAGAIN when there is no letter, -EBUSY when it
 * is put off; -EPIPE or -EBADMSG when the connection is over. */
static int take_next(struct ms_delivery *delivery, struct ms_connection *connection,
                     size_t *ret_size) {
    struct ms_letter letter = {0};
    struct ms_packet packet;
    int r = ms_socket_peek(connection->fd, &letter, sizeof letter, &packet);
    if (r < 0) {
        return r == -EAGAIN ? r : or_later(r);
    }
    r = letter.kind == MS_LETTER_ORIGIN
            ? take_origin(connection, &letter, &packet)
            : put_letter(delivery, connection, &letter, &packet);
    ms_file_close(packet.fd);
    *ret_size = packet.size;
    return or_later(r);
}

void ms_delivery_tell(const struct ms_delivery *delivery, const struct ms_user *user,
                      int fd, int result) {
    uint64_t share = delivery->users.share;
    struct ms_greeting greeting = {.magic = MS_GREETING_MAGIC,
                                   .result = result,
                                   .size_limit = delivery->queue.size_limit,
                                   .buffer_size =
                                       share < BUFFER_MAX ? share : BUFFER_MAX,
                                   .room = ms_queue_room(delivery->queue.capacity),
                                   .created_ns = delivery->region->header->created_ns,
                                   .accepted = user ? user->accepted : 0};
    ms_socket_send(fd, &greeting, sizeof greeting, NULL, 0, -1);
}

static void tell_of_room(const struct ms_delivery *delivery,
                         struct ms_connection *connection, bool has_room) {
    if (connection->is_told == has_room) {
        ms_delivery_tell(delivery, connection->user, connection->fd,
                         has_room ? 0 : -EAGAIN);
        connection->is_told = !has_room;
    }
}

bool ms_delivery_is_over(const struct ms_delivery *delivery) {
    const struct ms_limit *limit = &delivery->limit;
    if (limit->is_for_one &&
        atomic_load(&delivery->region->header->tail) != limit->tail) {
        return true;
    }
    return (limit->wanted && *limit->wanted) ||
           (limit->end_ns != MS_NEVER && ms_clock_now_ns() >= limit->end_ns);
}

static uint64_t less(uint64_t bytes, uint64_t taken) {
    return bytes > taken ? bytes - taken : 0;
}

/* Of what is due before who knocks is greeted: what is put off stays due. */
static uint64_t due_done(int r, uint64_t size) {
    return r == 0 ? size : r == -EBUSY ? 0 : UINT64_MAX;
}

/* Returns what the last letter's fate was. */
static int take_some(struct ms_delivery *delivery, struct ms_connection *connection,
                     uint64_t bytes) {
    uint32_t letters = 0;
    bool is_last;
    int r;
    do {
        size_t size = 0;
        is_last = bytes == 0 || ++letters == delivery->limit.letters;
        ms_connection_use(&delivery->connections, connection);
        r = take_next(delivery, connection, &size);
        bytes = less(bytes, r == 0 ? size : 0);
        connection->due = less(connection->due, due_done(r, size));
    } while (r == 0 && !is_last && !ms_delivery_is_over(delivery));
    return r;
}

void ms_delivery_take(struct ms_delivery *delivery, struct ms_connection *connection,
                      uint64_t bytes) {
    int r = take_some(delivery, connection, bytes);
    if (r == -EBUSY) {
        ms_connections_put_off(&delivery->connections, connection);
        tell_of_room(delivery, connection, false);
    } else if (r == -EAGAIN) {
        tell_of_room(delivery, connection, true);
    } else if (r < 0) {
        if (r == -EBADMSG) {
            /* Relaxed: a figure for info. */
            atomic_fetch_add_explicit(&delivery->region->header->rejected, 1,
                                      memory_order_relaxed);
        }
        ms_connections_close(&delivery->connections, connection);
    }
}

void ms_delivery_take_held(struct ms_delivery *delivery,
                           struct ms_connection *connection) {
    ms_delivery_take(delivery, connection, ms_socket_held(connection->fd));
}

bool ms_delivery_await_turn(const struct ms_delivery *delivery) {
    struct ms_header *header = delivery->region->header;
    int r = ms_turn_begin_by(header, ms_clock_now_ns() + TURN_WAIT_NS);
    if (r == 0) {
        ms_lock_release(&header->write_lock);
    }
    return r != -ETIMEDOUT;
}
