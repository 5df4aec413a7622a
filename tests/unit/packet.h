/* SPDX-License-Identifier: MIT */
/* Packets of other machines: captured ones, and one to be damaged in every way. */
#ifndef MS_TEST_PACKET_H
#define MS_TEST_PACKET_H

#include "suite.h"
#include "wire/mailslot_write.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

struct packet {
    uint8_t bytes[1024];
    size_t size;
};

/* Where the parts of a datagram with a mailslot write lie. */
#define PACKET_DESTINATION 48
#define PACKET_SMB 82

/* A captured packet, by the name of its file. */
void packet_load(struct packet *packet, const char *name);

/* From PEER to BOX, both <00>, into the slot `jobs`: the message `hello`. */
void packet_make(struct packet *packet);

/* Who the tests are: BOX in the domain WORK. */
struct ms_identity packet_identity(void);

struct ms_netbios_name packet_name(const char *text, uint8_t suffix);

void packet_put_name(struct packet *packet, size_t offset, const char *text,
                     uint8_t suffix);

/* What a receiver does with it; -EBADMSG with the reason. */
int packet_receive(const struct packet *packet, struct ms_datagram *ret_datagram,
                   struct ms_mailslot_write *ret_write, enum ms_reason *ret_reason);

/* It is accepted, with `hello` for `jobs`. */
void packet_accepted(const struct packet *packet);

void packet_refused(const struct packet *packet, enum ms_reason expected);

/* The same numbers in each run, from each seed but 0. (xorshift64*) */
static inline uint32_t random_next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

#endif
