/* SPDX-License-Identifier: MIT */
/* POSIX message queues, as deep as users without privileges may make them. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>

static const char *queue_name(const char *name) {
    static char text[100];
    snprintf(text, sizeof text, "/%s", name);
    return text;
}

static long read_limit(const char *path) {
    long limit = 10;
    FILE *file = fopen(path, "re");
    if (file) {
        if (fscanf(file, "%ld", &limit) != 1) { // NOLINT(cert-err34-c)
            limit = 10;
        }
        fclose(file);
    }
    return limit;
}

static void *box(mqd_t queue, const char *what) {
    expect(queue >= 0, what);
    mqd_t *end = allocate(sizeof *end);
    *end = queue;
    return end;
}

static void *create(const char *name, size_t size, bool is_plain) {
    (void)is_plain;
    struct mq_attr attributes = {.mq_maxmsg = read_limit("/proc/sys/fs/mqueue/msg_max"),
                                 .mq_msgsize = (long)size};
    mq_unlink(queue_name(name));
    return box(mq_open(queue_name(name), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600,
                       &attributes),
               "mq_open");
}

static void *open_writer(const char *name, size_t size) {
    (void)size;
    return box(mq_open(queue_name(name), O_WRONLY | O_CLOEXEC), "mq_open");
}

static void close_end(void *end) {
    mq_close(*(mqd_t *)end);
}

static bool send_message(void *end, const void *data, size_t size, bool may_wait) {
    /* A time that has passed: do not wait. */
    static const struct timespec past = {0};
    mqd_t queue = *(mqd_t *)end;
    int r = may_wait ? mq_send(queue, data, size, 0)
                     : mq_timedsend(queue, data, size, 0, &past);
    if (r < 0 && errno == ETIMEDOUT) {
        return false;
    }
    expect(r == 0, "mq_send");
    return true;
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    ssize_t size = mq_receive(*(mqd_t *)end, buffer, capacity, NULL);
    expect(size >= 0, "mq_receive");
    return (size_t)size;
}

/* On Linux a queue is one. */
static int descriptor(void *end) {
    return *(mqd_t *)end;
}

static void remove_channel(const char *name) {
    mq_unlink(queue_name(name));
}

const struct peer peer_posix_mq = {
    .name = "posix-mq",
    .size_max = 8192,
    .create = create,
    .close_reader = close_end,
    .open = open_writer,
    .close_writer = close_end,
    .send = send_message,
    .receive = receive,
    .descriptor = descriptor,
    .remove = remove_channel,
};
