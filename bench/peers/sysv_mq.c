/* SPDX-License-Identifier: MIT */
/* System V message queues. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct letter {
    long type;
    char bytes[];
};

struct queue {
    int id;
    struct letter *letter;
};

/* Their names are numbers. */
static key_t key_of(const char *name) {
    uint32_t hash = 2166136261U;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    }
    return (key_t)(hash | 1);
}

static void *open_queue(const char *name, size_t size, int flags) {
    struct queue *queue = allocate(sizeof *queue);
    queue->id = msgget(key_of(name), flags | 0600);
    expect(queue->id >= 0, "msgget");
    queue->letter = allocate(sizeof *queue->letter + size);
    queue->letter->type = 1;
    return queue;
}

static void remove_channel(const char *name) {
    int id = msgget(key_of(name), 0600);
    if (id >= 0) {
        msgctl(id, IPC_RMID, NULL);
    }
}

static void *create(const char *name, size_t size, bool is_plain) {
    (void)is_plain;
    remove_channel(name);
    return open_queue(name, size, IPC_CREAT | IPC_EXCL);
}

static void *open_writer(const char *name, size_t size) {
    return open_queue(name, size, 0);
}

static void close_end(void *end) {
    free(((struct queue *)end)->letter);
    free(end);
}

static bool send_message(void *end, const void *data, size_t size, bool may_wait) {
    struct queue *queue = end;
    memcpy(queue->letter->bytes, data, size);
    int r = msgsnd(queue->id, queue->letter, size, may_wait ? 0 : IPC_NOWAIT);
    if (r < 0 && errno == EAGAIN && !may_wait) {
        return false;
    }
    expect(r == 0, "msgsnd");
    return true;
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    struct queue *queue = end;
    ssize_t size = msgrcv(queue->id, queue->letter, capacity, 0, 0);
    expect(size >= 0, "msgrcv");
    memcpy(buffer, queue->letter->bytes, (size_t)size);
    return (size_t)size;
}

const struct peer peer_sysv_mq = {
    .name = "sysv-mq",
    .size_max = 8192,
    .create = create,
    .close_reader = close_end,
    .open = open_writer,
    .close_writer = close_end,
    .send = send_message,
    .receive = receive,
    .remove = remove_channel,
};
