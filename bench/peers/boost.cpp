/* SPDX-License-Identifier: MIT */
/* Boost.Interprocess message_queue. The number of messages has no default. */
#include "peer.h"

#include <boost/interprocess/ipc/message_queue.hpp>

using boost::interprocess::create_only;
using boost::interprocess::interprocess_exception;
using boost::interprocess::message_queue;
using boost::interprocess::open_only;

static const size_t messages_max = 1000;

static void *create(const char *name, size_t size, bool) {
    try {
        message_queue::remove(name);
        return new message_queue(create_only, name, messages_max, size);
    } catch (const interprocess_exception &error) {
        fail("boost: %s", error.what());
    }
}

static void *open_writer(const char *name, size_t) {
    try {
        return new message_queue(open_only, name);
    } catch (const interprocess_exception &error) {
        fail("boost: %s", error.what());
    }
}

static void close_end(void *end) {
    delete static_cast<message_queue *>(end);
}

static bool send_message(void *end, const void *data, size_t size, bool may_wait) {
    message_queue *queue = static_cast<message_queue *>(end);
    if (!may_wait) {
        return queue->try_send(data, size, 0);
    }
    queue->send(data, size, 0);
    return true;
}

static size_t receive(void *end, void *buffer, size_t capacity) {
    message_queue::size_type size = 0;
    unsigned int priority = 0;
    static_cast<message_queue *>(end)->receive(buffer, capacity, size, priority);
    return size;
}

static void remove_channel(const char *name) {
    message_queue::remove(name);
}

static struct peer make_peer() {
    struct peer made = {};
    made.name = "boost";
    made.create = create;
    made.close_reader = close_end;
    made.open = open_writer;
    made.close_writer = close_end;
    made.send = send_message;
    made.receive = receive;
    made.remove = remove_channel;
    return made;
}

extern "C" {
extern const struct peer peer_boost;
const struct peer peer_boost = make_peer();
}
