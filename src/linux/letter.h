/* SPDX-License-Identifier: MIT */
/*
 * Letters: what goes through a slot's letterbox, the socket by which other users send.
 *
 * The letterbox lies beside the slot's file, as `mailslot-<inode of that file>`: so who
 * may not open the slot finds it all the same, it has a short name, and whoever removes
 * a slot knows which letterbox goes with it.
 *
 * Who connects is greeted, once: with the size of the largest message, or with the news
 * that this user's share is full. Then it sends letters, each a packet: a head, and the
 * message behind it, or beside it in a sealed file if it is too large for a packet. A
 * letter that the socket has taken is accepted. A letter of a third kind holds no
 * message but the host of those that follow on this connection. Nothing is answered,
 * but when letters have to wait for room the client is told, and again when they need
 * not any more: so one whose socket is full knows whether that is the reason, or only a
 * thread that is behind. Both ends check everything; who sends anything else is shown
 * out.
 */
#ifndef MS_LINUX_LETTER_H
#define MS_LINUX_LETTER_H

#include <stdint.h>

enum ms_letter_kind {
    MS_LETTER_PLAIN = 0x4d534c50,
    MS_LETTER_SEALED = 0x4d534c53,
    MS_LETTER_ORIGIN = 0x4d534c4f,
};

#define MS_GREETING_MAGIC UINT32_C(0x4d534832)

struct ms_letter {
    uint32_t kind;
    uint32_t size; /* bytes of the message, or of the host that follows (layout.h) */
};

/* Also what tells of room later. */
struct ms_greeting {
    uint32_t magic;
    int32_t result;       /* 0, or -EAGAIN: the share is full; when that comes first,
                             the connection is over */
    uint64_t size_limit;  /* bytes of the largest message */
    uint64_t buffer_size; /* bytes that the client should let wait in the socket */
    uint64_t room;        /* bytes of the largest message with its host */
    int64_t created_ns;   /* when the slot was created */
    uint64_t accepted;    /* letters of this user that it has had; for who is greeted */
};

/* The largest message that goes into a packet. */
#define MS_LETTER_PLAIN_MAX (UINT32_C(32) << 10)

#endif
