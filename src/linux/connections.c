/* SPDX-License-Identifier: MIT */
/* The owner's ends of the connections to a letterbox. */
#include "linux/connections.h"

#include "os/poll.h"
#include "os/socket.h"

#include <stddef.h>

void ms_connections_init(struct ms_connections *connections) {
    connections->poll = connections->event = -1;
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        connections->all[i].fd = -1;
    }
}

int ms_connections_add(struct ms_connections *connections, struct ms_user *user,
                       int fd) {
    uint32_t tag = 0;
    while (ms_connection_is_open(&connections->all[tag])) {
        tag++;
    }
    int r = ms_poll_add(connections->poll, fd, tag);
    if (r < 0) {
        return r;
    }
    struct ms_connection *connection = &connections->all[tag];
    *connection =
        (struct ms_connection){.fd = fd, .user = user, .origin.size = MS_IDENTITY_SIZE};
    ms_connection_use(connections, connection);
    user->connections++;
    connections->count++;
    return 0;
}

static void end_wait(struct ms_connections *connections,
                     struct ms_connection *connection) {
    connection->is_waiting = false;
    connection->user->waiting--;
    connections->waiting--;
}

void ms_connections_close(struct ms_connections *connections,
                          struct ms_connection *connection) {
    if (connection->is_waiting) {
        end_wait(connections, connection);
    } else {
        ms_poll_remove(connections->poll, connection->fd);
    }
    connection->fd = ms_socket_close(connection->fd);
    connection->user->connections--;
    connections->count--;
}

void ms_connections_close_all(struct ms_connections *connections) {
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        if (ms_connection_is_open(&connections->all[i])) {
            ms_connections_close(connections, &connections->all[i]);
        }
    }
}

void ms_connections_put_off(struct ms_connections *connections,
                            struct ms_connection *connection) {
    if (!connection->is_waiting) {
        ms_poll_remove(connections->poll, connection->fd);
        connection->is_waiting = true;
        connection->user->waiting++;
        connections->waiting++;
        ms_event_set(connections->event);
    }
}

void ms_connections_resume(struct ms_connections *connections,
                           struct ms_connection *connection) {
    uint32_t tag = (uint32_t)(connection - connections->all);
    if (connection->is_waiting &&
        ms_poll_add(connections->poll, connection->fd, tag) == 0) {
        end_wait(connections, connection);
    }
}

void ms_connections_note_due(struct ms_connections *connections,
                             const struct ms_user *user) {
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        struct ms_connection *each = &connections->all[i];
        if (ms_connection_is_open(each) && each->user == user) {
            each->due = ms_socket_held(each->fd);
        }
    }
}

struct ms_connection *ms_connections_oldest(struct ms_connections *connections,
                                            const struct ms_user *user) {
    struct ms_connection *oldest = NULL;
    for (size_t i = 0; i < MS_CONNECTIONS; i++) {
        struct ms_connection *each = &connections->all[i];
        if (ms_connection_is_open(each) && !each->is_waiting &&
            (!user || each->user == user) &&
            (!oldest || each->last_used < oldest->last_used)) {
            oldest = each;
        }
    }
    return oldest;
}
