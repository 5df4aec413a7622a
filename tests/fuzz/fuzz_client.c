/* SPDX-License-Identifier: MIT */
/*
 * A sender whose slot belongs to another user that lies: greetings of any bytes and
 * size, closes and half closes, a slot that goes or becomes another one. Each call ends
 * with what mailslot.h says, and what the owner gets are letters as they should be.
 *
 * Input: actions of the sender, each a byte and what it needs, and among them, wherever
 * the sender waits, those of the owner. Both are this one thread: a wait of the library
 * lets the owner act, and then says that time is over unless there is something.
 */
#include "input.h"
#include "linux/letter.h"
#include "mailslot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NAME "fuzzed"
#define OWNER 65531
#define STEPS_MAX 100
#define PEERS 16
#define SIZE_MAX_SENT 70000

static char folder[] = "/dev/shm/mailslot-fuzz-XXXXXX";
static unsigned char payload[SIZE_MAX_SENT];

static struct {
    struct input input;
    mailslot_writer *writer;
    int listener; /* -1: the owner has gone */
    int peers[PEERS];
    char path[64];
    char letterbox[96];
} it;

static void remove_folder(void) {
    rmdir(folder);
}

static void prepare(void) {
    static bool is_ready;
    if (!is_ready) {
        need_root();
        for (size_t i = 0; i < sizeof payload; i++) {
            payload[i] = (unsigned char)(i * 7 + i / 256);
        }
        is_ready = mkdtemp(folder) && chmod(folder, 0711) == 0 &&
                   setenv("MAILSLOT_DIR", folder, 1) == 0 && atexit(remove_folder) == 0;
        must(is_ready);
    }
}

static void make_file(void) {
    int fd = open(it.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    must(fd >= 0 && fchown(fd, OWNER, OWNER) == 0);
    close(fd);
}

/* It listens as the other user: that is what the sender's system looks at. */
static void listen_as_owner(int backlog) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    must(stat(it.path, &status) == 0);
    snprintf(it.letterbox, sizeof it.letterbox, "%s/mailslot-%llx", folder,
             (unsigned long long)status.st_ino);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", it.letterbox);
    it.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(it.listener >= 0);
    must(bind(it.listener, (struct sockaddr *)&address, sizeof address) == 0);
    must(chown(it.letterbox, OWNER, OWNER) == 0 && chmod(it.letterbox, 0622) == 0);
    become(OWNER);
    must(listen(it.listener, backlog) == 0);
    become(0);
}

static void begin(const uint8_t *data, size_t size) {
    prepare();
    memset(&it, 0, sizeof it);
    it.input = (struct input){.data = data, .size = size};
    snprintf(it.path, sizeof it.path, "%s/mailslot.%s", folder, NAME);
    make_file();
    listen_as_owner((int)take(&it.input, 1) % 8);
    for (int i = 0; i < PEERS; i++) {
        it.peers[i] = -1;
    }
}

static void end_owner(void) {
    for (int i = 0; i < PEERS; i++) {
        if (it.peers[i] >= 0) {
            close(it.peers[i]);
            it.peers[i] = -1;
        }
    }
    if (it.listener >= 0) {
        close(it.listener);
        it.listener = -1;
        unlink(it.letterbox);
        unlink(it.path);
    }
}

/* Returns the newest connection, or one that the input chooses; -1: there is none. */
static int accept_one(void) {
    int fd = accept4(it.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    uint32_t place = 0;
    if (fd < 0) {
        return it.peers[take(&it.input, 1) % PEERS];
    }
    while (place < PEERS - 1 && it.peers[place] >= 0) {
        place++;
    }
    if (it.peers[place] >= 0) {
        close(it.peers[place]);
    }
    it.peers[place] = fd;
    return fd;
}

static void say(int fd, const void *data, size_t size, bool has_file) {
    struct iovec part = {(void *)data, size};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (has_file) {
        int file = STDERR_FILENO;
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(sizeof file);
        memcpy(CMSG_DATA(&control.align), &file, sizeof file);
    }
    sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A greeting that could be true. */
static void greet(int fd, int32_t result) {
    static const uint64_t limits[] = {100, 0, 40000, 70000, UINT32_MAX, UINT64_MAX};
    static const uint64_t buffers[] = {UINT64_C(1) << 20, 0, 4096, 40000, UINT64_MAX};
    struct ms_greeting greeting = {.magic = MS_GREETING_MAGIC, .result = result};
    greeting.size_limit = limits[take(&it.input, 1) % 6];
    greeting.buffer_size = buffers[take(&it.input, 1) % 5];
    say(fd, &greeting, sizeof greeting, false);
}

static void say_any(int fd) {
    struct ms_greeting greeting = {.magic = MS_GREETING_MAGIC};
    unsigned char bytes[64] = {0};
    uint32_t at = take(&it.input, 1) % sizeof greeting;
    uint32_t value = take(&it.input, 4);
    uint8_t size = (uint8_t)take(&it.input, 1);
    memcpy(bytes, &greeting, sizeof greeting);
    memcpy(bytes + at, &value, sizeof value);
    say(fd, bytes, size < 192 ? sizeof greeting : size - 192u, size % 8 == 7);
}

/* What the sender wrote, whole and nothing else. */
static void check_payload(const unsigned char *data, size_t size) {
    must(size <= sizeof payload && memcmp(data, payload, size) == 0);
}

static void check_file(int fd, uint32_t size) {
    static unsigned char bytes[SIZE_MAX_SENT];
    struct stat status;
    int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    must(size <= sizeof bytes);
    must((fcntl(fd, F_GET_SEALS) & seals) == seals);
    must(fstat(fd, &status) == 0 && status.st_size == (off_t)size);
    must(pread(fd, bytes, size, 0) == (ssize_t)size);
    check_payload(bytes, size);
    close(fd);
}

/* Returns whether there was a letter. */
static bool read_letter(int fd) {
    static unsigned char bytes[SIZE_MAX_SENT];
    struct ms_letter letter;
    struct iovec parts[2] = {{&letter, sizeof letter}, {bytes, sizeof bytes}};
    char control[CMSG_SPACE(sizeof(int))];
    struct msghdr header = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0) {
        return false;
    }
    struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    must(n >= (ssize_t)sizeof letter &&
         (first != NULL) != (letter.kind == MS_LETTER_PLAIN));
    if (first) {
        int file;
        memcpy(&file, CMSG_DATA(first), sizeof file);
        must(letter.kind == MS_LETTER_SEALED && n == (ssize_t)sizeof letter);
        check_file(file, letter.size);
    } else {
        must((size_t)n == sizeof letter + letter.size);
        check_payload(bytes, letter.size);
    }
    return true;
}

/* Now another slot has the name. */
static void replace(void) {
    end_owner();
    make_file();
    listen_as_owner((int)take(&it.input, 1) % 8);
}

static void shut(int fd) {
    static const int ways[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    shutdown(fd, ways[take(&it.input, 1) % 3]);
}

static void hang_up(int fd) {
    for (int i = 0; i < PEERS; i++) {
        if (it.peers[i] == fd) {
            it.peers[i] = -1;
        }
    }
    close(fd);
}

/* What the owner does to a connection. */
static void do_to(int fd, uint8_t action) {
    switch (action % 16) {
    case 0:
    case 1:
    case 2:
        greet(fd, 0);
        break;
    case 3:
    case 4:
        greet(fd, -EAGAIN);
        break;
    case 5:
        greet(fd, (int32_t)take(&it.input, 4));
        break;
    case 6:
        say_any(fd);
        break;
    case 7:
        shut(fd);
        break;
    case 8:
        hang_up(fd);
        break;
    case 9:
        read_letter(fd);
        break;
    case 10:
        while (read_letter(fd)) {
        }
        break;
    default:
        break;
    }
}

/* The owner's next deed; after the end of the input it goes. */
static void act_as_owner(void) {
    uint8_t action = (uint8_t)take(&it.input, 1);
    if (it.input.size == 0 || action == 0xff) {
        end_owner();
    } else if (it.listener < 0) {
        return;
    } else if (action % 32 == 31) {
        replace();
    } else {
        int fd = accept_one();
        if (fd >= 0) {
            do_to(fd, action);
        }
    }
}

/* The library's only wait. An hour of the owner's sleep costs nothing here. */
int ppoll(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
          const sigset_t *mask) {
    (void)timeout;
    (void)mask;
    for (nfds_t i = 0; i < count; i++) {
        must(polled[i].fd < 0 || fcntl(polled[i].fd, F_GETFD) >= 0);
    }
    act_as_owner();
    if (take(&it.input, 1) == 0xfe) {
        errno = EINTR;
        return -1;
    }
    return poll(polled, count, 0);
}

static void must_be_for_sender(int r) {
    must(r == 0 || r == -EMSGSIZE || r == -EAGAIN || r == -ETIMEDOUT || r == -EPIPE ||
         r == -EINTR || r == -EBADMSG || r == -EACCES);
}

static uint32_t take_size(void) {
    uint32_t size = take(&it.input, 1);
    return size < 240 ? size * 4 : take(&it.input, 3) % SIZE_MAX_SENT;
}

static int64_t take_timeout(void) {
    static const int64_t timeouts[] = {0, 1, 1000, MAILSLOT_FOREVER};
    return timeouts[take(&it.input, 1) % 4];
}

static void open_writer(void) {
    it.writer = mailslot_writer_close(it.writer);
    int r = mailslot_open(NAME, &it.writer);
    must(r == 0 || r == -ENOENT || r == -EACCES || r == -ETIMEDOUT || r == -EINTR ||
         r == -EBADMSG);
    must((r == 0) == (it.writer != NULL));
}

static void send_one(void) {
    uint32_t size = take_size();
    if (it.writer) {
        must_be_for_sender(
            mailslot_writer_send(it.writer, payload, size, take_timeout()));
    }
}

static void send_many(void) {
    mailslot_buffer messages[64];
    uint32_t size = take_size();
    size_t count = 1 + take(&it.input, 1) % 64;
    size_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        messages[i] = (mailslot_buffer){payload, size};
    }
    if (it.writer) {
        int r =
            mailslot_writer_send_all(it.writer, messages, count, take_timeout(), &sent);
        must_be_for_sender(r);
        must(sent <= count && (r < 0) == (sent < count));
    }
}

static void send_by_name(void) {
    int r = mailslot_send(NAME, payload, take_size(), take_timeout());
    must(r == -ENOENT || r != -EPIPE);
}

static void ask(void) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    uint32_t uid = 0;
    must(!it.writer || mailslot_writer_get_info(it.writer, &info) == -EACCES);
    int r = mailslot_get_owner(NAME, &uid);
    must(r == -ENOENT || (r == 0 && uid == OWNER));
}

static void act(void) {
    switch (take(&it.input, 1) % 8) {
    case 0:
        open_writer();
        break;
    case 1:
        send_by_name();
        break;
    case 2:
        ask();
        break;
    case 3:
        act_as_owner();
        break;
    case 4:
    case 5:
        send_many();
        break;
    default:
        send_one();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int descriptor = next_descriptor();
    begin(data, size);
    open_writer();
    for (int i = 0; i < STEPS_MAX && it.input.size; i++) {
        act();
    }
    it.writer = mailslot_writer_close(it.writer);
    end_owner();
    must(next_descriptor() == descriptor);
    return 0;
}
