/* SPDX-License-Identifier: MIT */
/*
 * A letterbox, through which other users send anything: packets of any head, size and
 * kind, with descriptors of any kind, in anybody's name, from anywhere, over
 * connections that are half closed, closed or many. The owner reads between them.
 * Whatever a connection has sent as it should comes out once, whole and in order.
 *
 * Input: three bytes for the slot's shape, then actions, each a byte and what it needs.
 * The letterbox's thread runs too, so the same input can take different ways.
 */
#include "mailslot.h"
#include "packet.h"

#include <errno.h>
#include <sys/un.h>

#define NAME "fuzzed"
#define STEPS_MAX 200
#define CLIENTS 8
#define USERS 3
#define FIRST_USER 65531
#define CROWD 70
#define SIZE_MAX_SENT 70000
#define ORIGIN_MAX 280 /* bytes of one, and more than are allowed */

/* A connection, as its user sees it. */
struct client {
    int fd; /* -1: none */
    uint32_t number;
    bool is_greeted; /* what it sends is taken */
    uint32_t sent;   /* letters that must arrive */
    uint32_t origin; /* bytes that each takes to tell its origin */
};

/* What has come out of a connection. */
struct account {
    uint32_t due;
    uint32_t taken;
};

static char folder[] = "/dev/shm/mailslot-fuzz-XXXXXX";
static unsigned char payload[SIZE_MAX_SENT];

static struct {
    mailslot *slot;
    mailslot_writer *writer; /* of the owner's user */
    struct sockaddr_un address;
    struct client clients[CLIENTS];
    struct account accounts[STEPS_MAX + 1]; /* by connection; the writer's is 0 */
    uint32_t connections;
    uint32_t size_limit;
    uint32_t room; /* bytes of the largest message with its origin */
} it;

static void remove_folder(void) {
    rmdir(folder);
}

static void prepare(void) {
    static bool is_ready;
    if (!is_ready) {
        need_root();
        is_ready = mkdtemp(folder) && chmod(folder, 0711) == 0 &&
                   setenv("MAILSLOT_DIR", folder, 1) == 0 && atexit(remove_folder) == 0;
        must(is_ready);
    }
}

static void begin(struct input *input) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    mailslot_info info = MAILSLOT_INFO_INIT;
    char path[64];
    struct stat status;
    prepare();
    memset(&it, 0, sizeof it);
    options.mode = 0622;
    options.max_bytes = UINT64_C(4096) << take(input, 1) % 8;
    options.max_message_size = take(input, 1) % 4 ? 0 : 100;
    options.user_max_bytes = take(input, 1) % 4 ? 0 : options.max_bytes / 2;
    must(mailslot_create(NAME, &options, &it.slot) == 0);
    must(mailslot_open(NAME, &it.writer) == 0);
    must(mailslot_get_info(it.slot, &info) == 0);
    it.room = (uint32_t)info.max_bytes / 2 - 32;
    it.size_limit = options.max_message_size ? options.max_message_size : it.room;
    snprintf(path, sizeof path, "%s/mailslot.%s", folder, NAME);
    must(stat(path, &status) == 0);
    it.address.sun_family = AF_UNIX;
    snprintf(it.address.sun_path, sizeof it.address.sun_path, "%s/mailslot-%llx",
             folder, (unsigned long long)status.st_ino);
    for (int i = 0; i < CLIENTS; i++) {
        it.clients[i].fd = -1;
    }
}

/* As another user; -1: too many are waiting to be accepted. */
static int connect_as(uid_t user) {
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(fd >= 0);
    become(user);
    int r = connect(fd, (struct sockaddr *)&it.address, sizeof it.address);
    must(r == 0 || errno == EAGAIN);
    become(0);
    if (r < 0) {
        close(fd);
    }
    return r < 0 ? -1 : fd;
}

/* The owner's user is no client. */
static uid_t take_user(struct input *input) {
    uint8_t number = (uint8_t)take(input, 1);
    return number == UINT8_MAX ? 0 : FIRST_USER + number % USERS;
}

static void disconnect(struct client *client) {
    if (client->fd >= 0) {
        close(client->fd);
        client->fd = -1;
    }
}

/* What the owner says is always right, and the first of it decides. */
static void hear(struct client *client, bool is_first) {
    struct ms_greeting greeting;
    bool is_it = is_first;
    while (recv(client->fd, &greeting, sizeof greeting, 0) > 0) {
        must(greeting.magic == MS_GREETING_MAGIC);
        must(greeting.result == 0 || greeting.result == -EAGAIN);
        must(greeting.size_limit == it.size_limit);
        client->is_greeted = is_it ? greeting.result == 0 : client->is_greeted;
        is_it = false;
    }
}

static struct client *take_client(struct input *input) {
    return &it.clients[take(input, 1) % CLIENTS];
}

static void connect_one(struct input *input) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    struct client *client = take_client(input);
    uint8_t patience = (uint8_t)take(input, 1);
    disconnect(client);
    int fd = connect_as(take_user(input));
    *client = (struct client){.fd = fd, .number = ++it.connections};
    if (fd >= 0 && patience % 4) {
        must(mailslot_get_info(it.slot, &info) == 0);
        hear(client, true);
    }
}

/* More than a user may have; they end at once or stay a while. */
static void connect_crowd(struct input *input) {
    int fds[CROWD];
    mailslot_info info = MAILSLOT_INFO_INIT;
    uid_t user = take_user(input);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = connect_as(user);
    }
    must(mailslot_get_info(it.slot, &info) == 0);
    for (int i = 0; i < CROWD; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

/* Which connection's which letter it is, as far as its size has room for that. */
static void compose(const struct client *client, uint32_t size) {
    uint32_t note[2] = {client->number, client->sent};
    memcpy(payload, note, sizeof note);
    must(size >= sizeof note);
}

static uint32_t take_size(struct input *input) {
    uint32_t size = take(input, 1);
    if (size >= 250) {
        size = take(input, 3) % SIZE_MAX_SENT;
    }
    return size < 8 ? 8 : size;
}

static void has_sent(struct client *client, bool is_right) {
    if (!is_right) {
        client->is_greeted = false; /* it is shown out, and nothing more is due */
    } else if (client->is_greeted) {
        it.accounts[client->number].due = ++client->sent;
    }
}

/* As the library would do it. */
static void send_right(struct input *input) {
    struct client *client = take_client(input);
    uint32_t count = 1 + take(input, 1) % 16;
    uint32_t size = take_size(input);
    uid_t user = FIRST_USER + take(input, 1) % USERS;
    size = size < it.size_limit ? size : it.size_limit;
    for (uint32_t i = 0; i < count && client->fd >= 0 && client->is_greeted; i++) {
        bool is_sealed = size > MS_LETTER_PLAIN_MAX;
        bool is_right = size + client->origin <= it.room;
        struct packet packet = {.head = {MS_LETTER_PLAIN, size},
                                .head_size = sizeof packet.head,
                                .size = size,
                                .payload = payload,
                                .user = user};
        compose(client, size);
        if (is_sealed) {
            packet.head.kind = MS_LETTER_SEALED;
            packet.size = 0;
            packet.file_count = 1;
            packet.files[0] = make_file(0, size, payload, &(bool){false});
        }
        if (post(client->fd, &packet)) {
            has_sent(client, is_right);
        }
        close_files(&packet);
    }
}

/* What differs from a right letter, by the bits of a byte. */
enum { OTHER_KIND = 1, OTHER_SIZE = 2, CUT_HEAD = 4, OTHER_NAME = 8, SEALED = 16 };

static size_t take_file_count(struct input *input, bool is_sealed) {
    size_t count = take(input, 1) % 8;
    return count <= FILES_MAX ? count : is_sealed;
}

/* A letter of that size with those differences; only the first file of it counts. */
static bool make_packet(struct input *input, uint8_t what, uint32_t size,
                        struct packet *ret_packet) {
    struct packet packet = {
        .head = {MS_LETTER_PLAIN, size}, .size = size, .payload = payload};
    bool is_file_right = false;
    packet.file_count = take_file_count(input, what & SEALED);
    for (size_t i = packet.file_count; i > 0; i--) {
        packet.files[i - 1] =
            make_file((uint8_t)take(input, 1), size, payload, &is_file_right);
    }
    if (what & SEALED) {
        packet.head.kind = MS_LETTER_SEALED;
        packet.size = what & OTHER_SIZE ? take(input, 1) : 0;
    }
    packet.head.kind = what & OTHER_KIND ? take(input, 4) : packet.head.kind;
    packet.head.size = what & OTHER_SIZE ? take(input, 4) : packet.head.size;
    packet.head_size = what & CUT_HEAD ? take(input, 1) % 8 : sizeof packet.head;
    if (packet.head_size == 4 && memcmp(payload, &(uint32_t){size - 4}, 4) == 0) {
        packet.head_size = 3; /* the note's number would be the right size */
    }
    packet.user = what & OTHER_NAME ? take_user(input) : FIRST_USER;
    *ret_packet = packet;
    if (packet.head_size < sizeof packet.head || packet.user == 0 ||
        packet.head.size > it.size_limit) {
        return false;
    }
    if (packet.head.kind == MS_LETTER_SEALED) {
        return is_file_right && packet.size == 0 && packet.head.size == size;
    }
    return packet.head.kind == MS_LETTER_PLAIN && packet.file_count == 0 &&
           packet.head.size == packet.size;
}

static void send_any(struct input *input) {
    struct client *client = take_client(input);
    uint8_t what = (uint8_t)take(input, 1);
    uint32_t size = take_size(input);
    struct packet packet;
    compose(client, size);
    bool is_right = make_packet(input, what, size, &packet) &&
                    packet.head.size + client->origin <= it.room;
    if (client->fd >= 0 && post(client->fd, &packet)) {
        has_sent(client, is_right);
    }
    close_files(&packet);
}

/* NULL: this machine. */
static bool is_host(const char *host) {
    for (size_t i = 0; host && host[i]; i++) {
        if ((unsigned char)host[i] < ' ' || host[i] == 0x7f) {
            return false;
        }
    }
    return !host || (host[0] && strlen(host) <= MAILSLOT_HOST_MAX);
}

static void tell_origin(struct input *input) {
    struct client *client = take_client(input);
    uint32_t size = take(input, 2) % ORIGIN_MAX;
    struct packet packet = {.head = {MS_LETTER_ORIGIN, size},
                            .head_size = sizeof packet.head,
                            .size = size,
                            .payload = payload,
                            .user = FIRST_USER};
    memset(payload, 0, ORIGIN_MAX + 1);
    for (uint32_t i = 0; i < size; i++) {
        payload[i] = (unsigned char)take(input, 1);
    }
    const char *host = payload[1] ? (const char *)payload + 1 : NULL;
    if (client->fd >= 0 && post(client->fd, &packet)) {
        client->is_greeted = client->is_greeted && size <= 264 && is_host(host);
        client->origin = host ? (1 + (uint32_t)strlen(host) + 1 + 7) / 8 * 8 : 0;
    }
}

static void half_close(struct input *input) {
    static const int ways[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    struct client *client = take_client(input);
    if (client->fd >= 0) {
        shutdown(client->fd, ways[take(input, 1) % 3]);
    }
}

/* A message that the owner was shown; *ret_note: whose, and which. */
static int show(uint32_t ret_note[2]) {
    mailslot_message message;
    int r = mailslot_peek(it.slot, 0, &message);
    must(r == 0 || r == -EAGAIN);
    if (r < 0) {
        return r;
    }
    volatile unsigned char sum = 0;
    for (size_t i = 0; i < message.size; i++) {
        sum = (unsigned char)(sum + ((const unsigned char *)message.data)[i]);
    }
    must(message.size >= 8 && message.size <= it.size_limit && is_host(message.host));
    memcpy(ret_note, message.data, 8);
    must((message.uid == 0) == (ret_note[0] == 0));
    must(message.uid == 0 || message.uid - FIRST_USER < USERS);
    return 0;
}

/* In order, and each once. What is not due may come too, in any number. */
static void account_for(const uint32_t note[2]) {
    must(note[0] <= it.connections);
    struct account *account = &it.accounts[note[0]];
    must(note[1] <= account->taken);
    account->taken += note[1] == account->taken && account->taken < account->due;
}

static void read_some(struct input *input, uint32_t most) {
    uint32_t notes[64][2];
    uint32_t count = 0;
    while (count < most && show(notes[count]) == 0) {
        count++;
    }
    if (take(input, 1) % 4 == 0) {
        must(mailslot_unpeek(it.slot) == 0);
        return;
    }
    must(mailslot_consume(it.slot) == 0);
    for (uint32_t i = 0; i < count; i++) {
        account_for(notes[i]);
    }
}

static void read_one(void) {
    size_t size = 0;
    uint32_t note[2];
    int r = mailslot_read(it.slot, payload, sizeof payload, 0, &size);
    must(r == 0 || r == -EAGAIN);
    if (r == 0) {
        memcpy(note, payload, sizeof note);
        account_for(note);
    }
}

static void send_as_owner(struct input *input) {
    struct client self = {.number = 0, .sent = it.accounts[0].due};
    uint32_t size = take_size(input);
    compose(&self, size);
    int r = mailslot_writer_send(it.writer, payload, size, 0);
    must(r == 0 || r == -EAGAIN || r == -EMSGSIZE || r == -ENOSPC);
    it.accounts[0].due += r == 0;
}

static void look(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    must(mailslot_get_info(it.slot, &info) == 0);
    must((info.count == 0) == (info.next_size == MAILSLOT_NO_MESSAGE));
}

static void act(struct input *input) {
    switch (take(input, 1) % 16) {
    case 0:
    case 1:
        connect_one(input);
        break;
    case 2:
        disconnect(take_client(input));
        break;
    case 3:
        half_close(input);
        break;
    case 4:
        connect_crowd(input);
        break;
    case 5:
        look();
        break;
    case 6:
        read_one();
        break;
    case 7:
    case 8:
        read_some(input, 1 + take(input, 1) % 64);
        break;
    case 9:
        send_as_owner(input);
        break;
    case 10:
    case 11:
    case 12:
        send_right(input);
        break;
    case 13:
        tell_origin(input);
        break;
    default:
        send_any(input);
    }
}

/* When nothing is left to be read, all that was due has come. */
static void drain(void) {
    uint32_t note[2];
    must(mailslot_unpeek(it.slot) == 0);
    while (show(note) == 0) {
        account_for(note);
        must(mailslot_consume(it.slot) == 0);
    }
    for (uint32_t i = 0; i <= it.connections; i++) {
        must(it.accounts[i].taken == it.accounts[i].due);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {.data = data, .size = size};
    int descriptor = next_descriptor();
    begin(&input);
    for (int i = 0; i < STEPS_MAX && input.size; i++) {
        act(&input);
    }
    drain();
    for (int i = 0; i < CLIENTS; i++) {
        disconnect(&it.clients[i]);
    }
    mailslot_writer_close(it.writer);
    mailslot_close(it.slot);
    must(next_descriptor() == descriptor);
    return 0;
}
