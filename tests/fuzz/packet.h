/* SPDX-License-Identifier: MIT */
/* A packet for a letterbox, with anything in it. */
#ifndef MAILSLOT_FUZZ_PACKET_H
#define MAILSLOT_FUZZ_PACKET_H

#include "input.h"
#include "linux/letter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define FILES_MAX 3

/* A file for a letter, and whether it is as it should be. */
static inline int make_file(uint8_t kind, uint32_t size, const void *data,
                            bool *is_right) {
    static const int seals[] = {F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW,
                                F_SEAL_SHRINK | F_SEAL_GROW,
                                F_SEAL_WRITE | F_SEAL_GROW,
                                F_SEAL_WRITE | F_SEAL_SHRINK,
                                F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW,
                                F_SEAL_SEAL,
                                0};
    if (kind % 16 == 15) {
        *is_right = false;
        return open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (kind % 16 == 14) {
        *is_right = false;
        return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    }
    int row = kind % 16 < 7 ? 0 : kind % 16 - 7;
    int more = kind / 16 < 12 ? 0 : kind / 16 - 13;
    off_t length = (off_t)size + more > 0 ? (off_t)size + more : 0;
    int fd = memfd_create("fuzzed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    must(ftruncate(fd, length) == 0 && fcntl(fd, F_ADD_SEALS, seals[row]) == 0);
    *is_right = row == 0 && length == (off_t)size;
    return fd;
}

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FILES_MAX * sizeof(int))];
};

static inline void attach(struct msghdr *header, int type, const void *value,
                          size_t size) {
    struct cmsghdr *control =
        (struct cmsghdr *)((char *)header->msg_control + header->msg_controllen);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(control), value, size);
    header->msg_controllen += CMSG_SPACE(size);
}

struct packet {
    struct ms_letter head;
    size_t head_size; /* that much of it */
    uint32_t size;    /* bytes of the payload behind it */
    const void *payload;
    uid_t user; /* in whose name */
    int files[FILES_MAX];
    size_t file_count;
};

/* Returns whether the socket has taken it. */
static inline bool post(int fd, struct packet *packet) {
    struct iovec parts[2] = {{&packet->head, packet->head_size},
                             {(void *)packet->payload, packet->size}};
    struct ucred sender = {.pid = getpid(), .uid = packet->user, .gid = packet->user};
    union control control = {{0}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = &control};
    attach(&header, SCM_CREDENTIALS, &sender, sizeof sender);
    if (packet->file_count) {
        attach(&header, SCM_RIGHTS, packet->files,
               packet->file_count * sizeof *packet->files);
    }
    return sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static inline void close_files(const struct packet *packet) {
    for (size_t i = 0; i < packet->file_count; i++) {
        close(packet->files[i]);
    }
}

#endif
