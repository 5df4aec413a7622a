/* SPDX-License-Identifier: MIT */
/*
 * The region: the memory that the processes of one slot share.
 *
 * A region is one file in a memory file system: a header page, then the ring. The
 * file has its full size from the start, but is sparse: it has memory for its
 * header, for what is queued, and for a small window at the start of the ring. The
 * owner makes it before anybody can see it; writers map it afterwards. All are
 * processes of one user. Nothing in it survives the owner's death except the file,
 * which the next call of that user removes; so there is nothing to recover, but a
 * *writer* may die at any instruction and the rest must go on.
 *
 * Positions are byte counts that only grow; offset in the ring = position mod
 * capacity. Records lie between head and tail, one after another, each at a
 * multiple of 8. A record never wraps: where it would, a padding record fills the
 * ring up to its end. Head and tail are each one 64-bit word: the position, and in
 * bit 0 which of the two totals beside it counts. A writer puts record and new
 * totals where nobody looks yet, and one store of the tail makes both true. So a
 * writer that dies leaves the whole message or nothing, and there is nothing to
 * repair.
 *
 *  offset  size  name              written by             read by  ordering
 *       0     8  magic             creator                all      before it is
 *       8     4  version           creator                all      published, all
 *      12     4  record_size       creator                all      of these
 *      16     8  capacity          creator                all
 *      24     8  created_ns        creator                all
 *      32     4  max_message_size  creator                all
 *      36     4  pid               creator                all
 *      40     4  uid               creator                all
 *      44     4  mode              creator                all
 *      48     4  gid               creator                all
 *      64     4  closed            who removes it, once   writers  release/acquire
 *      68     4  timeout_ms        owner                  all      relaxed
 *     128   256  name              creator                all      before publication
 *     384     4  write_lock        writers; owner         same     a lock; bell.h
 *     392     8  reserved          holder of write_lock   same     write_lock
 *     400     8  rejected          writers                all      relaxed
 *     512     8  tail              holder of write_lock   all      release/acquire
 *     520    32  sent[2]           holder of write_lock   all      tail
 *     552    16  brought[2]        holder of write_lock   all      tail
 *     640     8  head              owner                  all      release/acquire
 *     648    32  taken[2]          owner                  all      head
 *     768     4  bell              owner, writers 0       same     bell.h
 *     776     8  seen              owner                  writers  bell
 *     896     8  space_wanted      writers, owner 0       same     bell.h
 *     904     4  space_bell        owner                  writers  bell.h
 *    1024     8  reserving         holder of write_lock   owner    relaxed
 *    1152     4  calls             writers                owner    bell.h
 *    1156     4  cord_fd           owner, once            writers  before the
 *    1160     8  cord_device       owner, once            writers  bell is armed
 *    1168     8  cord_inode        owner, once            writers  with a cord
 *    4072     4  owner_lock        owner, while it lives  all      kernel, at death
 *    4088     4  removal_lock      who removes the name   same     a lock
 *    4096     -  ring              holder of write_lock   owner    tail
 *
 * Locks are words as of os/lock.h. In memory, though not in the file, a page lies
 * between the header and the ring that is private to each process: the nodes of the
 * two locks that are kept lie in it, because a thread's list of locks leads through
 * them.
 *
 * Invariants, cited as "layout I<n>":
 *  I1  capacity is a power of two from 4096 to 2^40; file size = 4096 + capacity.
 *  I2  head and tail are multiples of 8, but for bit 0; 0 <= tail - head <= capacity.
 *  I3  Between head and tail lie whole records: messages, and padding records that
 *      end at the end of the ring and are followed by a message.
 *  I4  sent (of tail) - taken (of head) = the messages between head and tail, and
 *      likewise the bytes of their payload. Of the messages sent, brought (of tail)
 *      told another machine.
 *  I5  A message's sequence is the low 32 bits of 1 + the messages sent before it.
 *  I6  The file has memory for every offset of [head, reserved), so that writing
 *      there cannot raise SIGBUS. reserved is UINT64_MAX when all of the ring has
 *      memory for good. What the owner counts on when it goes back to the start of the
 *      ring (linux/backing.c) is given back by nobody else. And since it last did so
 *      nobody, dead or alive, has begun to reserve beyond reserving.
 *  I7  Only the owner moves head. Only the holder of write_lock moves tail.
 *  I8  The slot is dead when owner_lock is not held, closed is 1, or the file's
 *      flock is free. What is dead stays dead.
 *  I9  A name is removed only by who holds removal_lock and has seen that the name
 *      still means this file.
 *  I10 The cord is the pipe of that device and inode that is descriptor cord_fd of
 *      process pid; whoever finds anything else there leaves it alone.
 *
 * Bytes in a region are input to whoever reads them: loaded once, checked, used.
 */
#ifndef MS_QUEUE_LAYOUT_H
#define MS_QUEUE_LAYOUT_H

#include "mailslot.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define MS_MAGIC UINT64_C(0x544f4c534c49414d) /* "MAILSLOT", little-endian */
#define MS_VERSION 7
#define MS_HEADER_SIZE 4096
#define MS_PRIVATE_SIZE 4096
#define MS_RING_OFFSET (MS_HEADER_SIZE + MS_PRIVATE_SIZE) /* in memory */
#define MS_CAPACITY_MIN (UINT64_C(1) << 12)
#define MS_CAPACITY_MAX (UINT64_C(1) << 40)

/* The start of the ring keeps its memory, whatever happens: a slot in use now and then
 * lives in it. */
#define MS_HOT_WINDOW (UINT64_C(256) << 10)

struct ms_totals {
    _Atomic uint64_t count;
    _Atomic uint64_t bytes;
};

struct ms_header { /* NOLINT(clang-analyzer-optin.performance.Padding) */
    uint64_t magic;
    uint32_t version;
    uint32_t record_size;
    uint64_t capacity;
    int64_t created_ns;
    uint32_t max_message_size;
    uint32_t pid;
    uint32_t uid;
    uint32_t mode;
    uint32_t gid;

    _Alignas(64) _Atomic uint32_t closed;
    _Atomic uint32_t timeout_ms;

    _Alignas(64) char name[256];

    /* What one side writes all the time is a pair of cache lines from the other's,
     * because processors fetch lines in pairs. */
    _Alignas(128) _Atomic uint32_t write_lock;
    uint64_t reserved;
    _Atomic uint64_t rejected;

    _Alignas(128) _Atomic uint64_t tail;
    struct ms_totals sent[2];
    _Atomic uint64_t brought[2];

    _Alignas(128) _Atomic uint64_t head;
    struct ms_totals taken[2];

    _Alignas(128) _Atomic uint32_t bell;
    _Atomic uint64_t seen;

    _Alignas(128) _Atomic uint64_t space_wanted;
    _Atomic uint32_t space_bell;

    /* Apart from reserved: the owner looks at it when there is nothing to read. */
    _Alignas(128) _Atomic uint64_t reserving;

    /* The descriptor of the owner that writers may set: a pipe. */
    _Alignas(128) _Atomic uint32_t calls;
    uint32_t cord_fd;
    uint64_t cord_device;
    uint64_t cord_inode;

    _Alignas(128) unsigned char unused[4072 - 1280];
    _Atomic uint32_t owner_lock;
    _Alignas(8) unsigned char unused_too[8];
    _Atomic uint32_t removal_lock;
};

/* The first word of a record holds what controls the reader: it is loaded at once. */
enum ms_kind { MS_KIND_MESSAGE = 0x4d53, MS_KIND_PADDING = 0x5044 };

struct ms_record {
    _Atomic uint64_t control; /* origin size << 48 | kind << 32 | payload size; padding
                                 has only this, and no origin */
    int64_t time_ns;
    uint32_t sequence;
    uint32_t pid;
};

/* The origin: behind the payload, at a multiple of 8, of a message that is not from the
 * owner's own user and group on this machine. The first size bytes of this: the
 * identity, and for another machine the host: flags, its name, and zeros up to a
 * multiple of 8, at least one. A message without it has the uid and gid of the header.
 */
#define MS_ORIGIN_VERIFIED 1
#define MS_IDENTITY_SIZE 8
#define MS_HOST_SIZE_MAX 264
#define MS_ORIGIN_SIZE_MAX (MS_IDENTITY_SIZE + MS_HOST_SIZE_MAX)

struct ms_origin {
    uint32_t uid;
    uint32_t gid;
    char host[MS_HOST_SIZE_MAX]; /* host[0]: the flags */
    uint16_t size;               /* not in the ring; MS_IDENTITY_SIZE: this machine */
};

#define MS_RECORD_SIZE sizeof(struct ms_record)
#define MS_PADDING_SIZE sizeof(uint64_t)

#define MS_ASSERT_OFFSET(field, offset) \
    _Static_assert(offsetof(struct ms_header, field) == (offset), #field)
MS_ASSERT_OFFSET(version, 8);
MS_ASSERT_OFFSET(record_size, 12);
MS_ASSERT_OFFSET(capacity, 16);
MS_ASSERT_OFFSET(created_ns, 24);
MS_ASSERT_OFFSET(max_message_size, 32);
MS_ASSERT_OFFSET(pid, 36);
MS_ASSERT_OFFSET(uid, 40);
MS_ASSERT_OFFSET(mode, 44);
MS_ASSERT_OFFSET(gid, 48);
MS_ASSERT_OFFSET(closed, 64);
MS_ASSERT_OFFSET(timeout_ms, 68);
MS_ASSERT_OFFSET(name, 128);
MS_ASSERT_OFFSET(write_lock, 384);
MS_ASSERT_OFFSET(reserved, 392);
MS_ASSERT_OFFSET(rejected, 400);
MS_ASSERT_OFFSET(tail, 512);
MS_ASSERT_OFFSET(sent, 520);
MS_ASSERT_OFFSET(brought, 552);
MS_ASSERT_OFFSET(head, 640);
MS_ASSERT_OFFSET(taken, 648);
MS_ASSERT_OFFSET(bell, 768);
MS_ASSERT_OFFSET(seen, 776);
MS_ASSERT_OFFSET(space_wanted, 896);
MS_ASSERT_OFFSET(space_bell, 904);
MS_ASSERT_OFFSET(reserving, 1024);
MS_ASSERT_OFFSET(calls, 1152);
MS_ASSERT_OFFSET(cord_fd, 1156);
MS_ASSERT_OFFSET(cord_device, 1160);
MS_ASSERT_OFFSET(cord_inode, 1168);
MS_ASSERT_OFFSET(owner_lock, 4072);
MS_ASSERT_OFFSET(removal_lock, 4088);
_Static_assert(sizeof(struct ms_header) == MS_HEADER_SIZE, "header");
_Static_assert(sizeof(struct ms_record) == 24, "record");
_Static_assert(offsetof(struct ms_origin, host) == MS_IDENTITY_SIZE, "identity");
_Static_assert(offsetof(struct ms_origin, size) == MS_ORIGIN_SIZE_MAX, "origin");
_Static_assert(MS_HOST_SIZE_MAX >= 1 + MAILSLOT_HOST_MAX + 1, "a host fits");

#endif
