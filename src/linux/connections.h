/* SPDX-License-Identifier: MIT */
/*
 * The owner's ends of the connections to a letterbox: which there are, whose, and which
 * of them wait because their next letter is put off. Not locked: that is the
 * letterbox's to do.
 */
#ifndef MS_LINUX_CONNECTIONS_H
#define MS_LINUX_CONNECTIONS_H

#include "linux/users.h"
#include "queue/layout.h"

/* Of all users, and of one. */
#define MS_CONNECTIONS 256
#define MS_CONNECTIONS_OF_USER 64

struct ms_connection {
    int fd;          /* -1: none */
    bool is_waiting; /* its next letter is put off; else fd is in the set */
    bool is_told;    /* that it is */
    struct ms_user *user;
    struct ms_origin origin; /* of what comes: the host, and who sent the last letter */
    uint64_t due;            /* bytes to take in before who knocks is greeted */
    uint64_t last_used;      /* on a clock that counts letters and greetings */
};

struct ms_connections {
    int poll;  /* the set of descriptors that are looked at; a tag is an index */
    int event; /* to set when a connection begins to wait: who sleeps looks again */
    uint32_t count;
    uint32_t waiting;
    uint64_t now;
    struct ms_connection all[MS_CONNECTIONS];
};

static inline bool ms_connection_is_open(const struct ms_connection *connection) {
    return connection->fd >= 0;
}

static inline void ms_connection_use(struct ms_connections *connections,
                                     struct ms_connection *connection) {
    connection->last_used = ++connections->now;
}

/* Of zeros; the two descriptors are set later. */
void ms_connections_init(struct ms_connections *connections);

/* There must be room for one more, whose descriptor it owns after success. Returns 0 or
 * a negative errno. */
int ms_connections_add(struct ms_connections *connections, struct ms_user *user,
                       int fd);
void ms_connections_close(struct ms_connections *connections,
                          struct ms_connection *connection);
void ms_connections_close_all(struct ms_connections *connections);

/* It waits from now on, or not any more; without memory for that it still does. */
void ms_connections_put_off(struct ms_connections *connections,
                            struct ms_connection *connection);
void ms_connections_resume(struct ms_connections *connections,
                           struct ms_connection *connection);

/* What this user's connections hold now is due. */
void ms_connections_note_due(struct ms_connections *connections,
                             const struct ms_user *user);

/* Which has been silent longest, of one user or, with NULL, of all; or NULL. Those that
 * wait hold letters, which must not be lost. */
struct ms_connection *ms_connections_oldest(struct ms_connections *connections,
                                            const struct ms_user *user);

#endif
