/* SPDX-License-Identifier: MIT */
/*
 * mailslot.h - Windows mailslots for Linux.
 *
 * One process owns a named slot; any number of others drop messages into it; the
 * owner reads them when it likes. There is no server and no connection, and
 * nothing is left behind when the owner ends, by whatever cause.
 *
 *     mailslot *slot;                              The owner.
 *     mailslot_create("jobs", NULL, &slot);
 *     mailslot_read(slot, buffer, sizeof buffer, MAILSLOT_FOREVER, &size);
 *     slot = mailslot_close(slot);
 *
 *     mailslot_send("jobs", "hello", 5, 0);        Anybody else.
 *
 * What holds for every call:
 *
 * Result.   Calls that can fail return 0 or a negative errno value. Results come
 *           back through the last parameters, named ret_..., which are written
 *           only on success unless the call says otherwise.
 * Handles.  A `mailslot` is the owner's end, a `mailslot_writer` a sender's. One
 *           thread at a time may use a handle (mailslot_cancel excepted);
 *           different handles are independent. NULL, a handle of the other kind
 *           and, in a forked child, a handle that the parent made give EBADF.
 *           After a close the memory is gone: `slot = mailslot_close(slot)`.
 * Time.     timeout_ms is relative, in milliseconds, on a clock that does not
 *           jump: 0 does not wait, MAILSLOT_FOREVER waits for ever, anything in
 *           between waits that long at most. Reading calls also take
 *           MAILSLOT_DEFAULT: the slot's own timeout. Other values are EINVAL.
 * Signals.  The library installs no handler and raises no signal. When a handler
 *           has run during a wait, the call returns EINTR; nothing is lost or
 *           consumed, and the caller may call again. (A reading call that waits for
 *           ever may go on instead if the handler was installed with SA_RESTART,
 *           as read(2) does.) Before a wait sleeps it looks
 *           for 50 microseconds at most whether that is needed; a handler that runs
 *           then does not end it: mailslot_cancel does, whenever it is called. Calls
 *           that wait a second at most for another process (create, close, get_info)
 *           go on instead. A thread that is cancelled (pthread_cancel) during a call
 *           may leave its handle and a descriptor behind in its process, but no lock
 *           of the slot: others go on.
 * Users.    A slot belongs to the effective user that created it, and only
 *           processes of that user can reach its memory. `mode` lets other users
 *           send, through a socket: see mailslot_create. Differs: on Windows an
 *           access list decides.
 *
 * A message that a send call accepted is read once, whole and in order, unless its
 * slot dies. A slot dies when it is closed and when its owner ends: exits,
 * executes another program or is killed. The owner is the thread that created the
 * slot, so create it on a thread that lives as long as the slot is to live. Unread
 * messages die with the slot and its name is free at once. (MS: CreateMailslot,
 * Mailslots.)
 *
 * Names. `HelloWorld`, `\\.\mailslot\HelloWorld` and `//./mailslot/HelloWorld` are
 * one local slot. Prefix and name compare without ASCII case; bytes above 127
 * compare as they are (Differs: Windows folds all letters). `\` and `/` separate
 * components; `a` and `a\b` are unrelated, and no parent needs to exist. A bare
 * name has 1 to MAILSLOT_NAME_MAX bytes. EINVAL: NULL, an empty name or component,
 * a component that ends in a dot or a space (so also `.` and `..`), control
 * characters, any other device `\\.\...` or `\\?\...`, a host without
 * `\mailslot\name`. ENAMETOOLONG: a longer name.
 *
 * Other machines. `\\HOST\mailslot\name`, `\\DOMAIN\mailslot\name` (each machine of
 * the domain) and `\\*\mailslot\name` (of the own domain) are slots of other machines;
 * this machine's own host name is local. They are sent to like local ones, through
 * the gateway of this machine (the program mailslot-gateway), and can be neither
 * created (EINVAL) nor looked at (EOPNOTSUPP). A message that a send call accepted is
 * with the gateway: whether it arrives, nobody is told. EMSGSIZE is what no way of
 * this machine could carry: with the Windows protocol more than 432 bytes less the
 * size of the slot's bare name, rounded up to 4 (424 for a name of 5 to 8).
 */
#ifndef MAILSLOT_H
#define MAILSLOT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MAILSLOT_API __attribute__((visibility("default")))
#else
#define MAILSLOT_API
#endif

#define MAILSLOT_VERSION "0.1.0"

/* Wait for ever. (MS: MAILSLOT_WAIT_FOREVER) */
#define MAILSLOT_FOREVER UINT32_MAX

/* In reading calls: the timeout that the slot has. */
#define MAILSLOT_DEFAULT (-1)

/* mailslot_info.next_size when nothing is queued. (MS: MAILSLOT_NO_MESSAGE) */
#define MAILSLOT_NO_MESSAGE UINT32_MAX

/* mailslot_options.mode of a slot that other users cannot send to. */
#define MAILSLOT_MODE_PRIVATE 0600u

/* mailslot_options.gid: the effective group of the process. */
#define MAILSLOT_NO_GID UINT32_MAX

/* Longest bare name, in bytes. */
#define MAILSLOT_NAME_MAX 246

/* Longest name of another machine, in bytes. */
#define MAILSLOT_HOST_MAX 255

/* The owner's end of a slot. */
typedef struct mailslot mailslot;

/* A sender's end of a slot. */
typedef struct mailslot_writer mailslot_writer;

/* How to create a slot. Start from MAILSLOT_OPTIONS_INIT. */
typedef struct mailslot_options {
    size_t size;               /* sizeof(mailslot_options); else EINVAL */
    uint32_t max_message_size; /* bytes; 0: as large as the slot can hold */
    uint32_t timeout_ms;       /* what MAILSLOT_DEFAULT means for reads; 0: no wait */
    uint64_t max_bytes;        /* bound of the queue in bytes, up to 2^40; 0: 1 GiB */
    uint32_t mode;             /* who may send: 0600 the owner's user, and with 0020
                                  the group, with 0002 all others; 0: 0600 */
    uint32_t gid;              /* that group; MAILSLOT_NO_GID: the process's own */
    uint64_t user_max_bytes;   /* of max_bytes, what another user may fill, up to
                                  max_bytes; 0: a quarter */
} mailslot_options;

#define MAILSLOT_OPTIONS_INIT \
    { sizeof(mailslot_options), 0, 0, 0, MAILSLOT_MODE_PRIVATE, MAILSLOT_NO_GID, 0 }

/* One message and its envelope, as the reader sees it. */
typedef struct mailslot_message {
    const void *data;     /* `size` bytes; see mailslot_peek for how long */
    size_t size;          /* bytes, 0 or more */
    uint64_t sequence;    /* 1 for the slot's first message, then one more each */
    int64_t time_ns;      /* when it was sent: nanoseconds since 1970, to some 4 ms */
    uint32_t pid;         /* the sender's process, as it saw itself, */
    uint32_t uid;         /* its effective user */
    uint32_t gid;         /* and its effective group when it opened the slot; of
                             other users' messages the kernel has checked all three */
    const char *host;     /* the machine that it was sent from, NULL for this one: valid
                             until the next call on the slot. The word of the process
                             `pid`, the gateway, */
    int is_host_verified; /* which also says whether somebody has checked it: 1 or 0 */
} mailslot_message;

/* One message to send. */
typedef struct mailslot_buffer {
    const void *data; /* may be NULL when size is 0 */
    size_t size;      /* bytes */
} mailslot_buffer;

/* What a slot looks like. Start from MAILSLOT_INFO_INIT. */
typedef struct mailslot_info {
    size_t size;                      /* sizeof(mailslot_info); else EINVAL */
    char name[MAILSLOT_NAME_MAX + 1]; /* bare, as created, separators as `\` */
    uint32_t max_message_size;        /* as created; 0: as large as it can hold */
    uint32_t timeout_ms;              /* as created or set */
    uint32_t next_size;               /* bytes of the message to be read next,
                                         MAILSLOT_NO_MESSAGE when count is 0 */
    uint32_t mode;                    /* permission bits, as created */
    uint32_t pid;                     /* the owner's process */
    uint32_t uid;                     /* and its effective user */
    uint64_t count;                   /* messages queued */
    uint64_t bytes;                   /* bytes queued, payload only */
    uint64_t max_bytes;               /* bound of the queue, as rounded up */
    uint64_t received;                /* messages accepted since it was created */
    uint64_t rejected;                /* messages refused: too large, full, no memory */
    int64_t created_ns;               /* nanoseconds since 1970 */
} mailslot_info;

#define MAILSLOT_INFO_INIT \
    { sizeof(mailslot_info), {0}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/*
 * Create a slot and become its owner. (MS: CreateMailslot)
 *
 * options: NULL for the defaults. The queue takes max_bytes: a power of two, at
 * least 4096 and at least twice max_message_size, so what was asked for is rounded
 * up (mailslot_get_info tells the result). A message takes its size plus 24 bytes,
 * rounded up to 8, and 8 more if it is of another user or group than the owner's. With
 * max_message_size 0 the largest message is max_bytes / 2 - 32, whoever sends it, and
 * in any case 4 GiB - 64. Memory is used only for what is queued, and little more than
 * 4 MiB beyond it while messages keep coming; a message is whole in the ring, so what
 * is left at its end when one does not fit there counts as queued. A backlog that is
 * being read takes no more memory than it did before, but of what was read, 64 MiB at
 * most (and an eighth of max_bytes, and of what its file system has free) are given
 * back only when a reading call or mailslot_get_info of the owner finds nothing: that
 * call may take some 20 ms for it. It does not if a message comes meanwhile. Removes
 * what killed owners of this user left behind. Does not wait, except up to a second for
 * another process that is removing a dead slot of the same name. The caller owns
 * *ret_slot and closes it.
 *
 * With another mode than 0600 the slot has a letterbox: a socket with that mode, and a
 * thread of this process (all signals blocked) that puts what other users send into the
 * slot, whether the owner reads or not. They use the same calls and have the same
 * sizes, and can do nothing but send. Each of them can fill user_max_bytes of the
 * queue, and one message more when it has none there; beyond that its messages wait in
 * its sockets, which the count of mailslot_info leaves out, until these are full and
 * its sends get EAGAIN. Nobody else's do. What was sent before a reading call is seen
 * by it; but behind a writer of the owner's user that was stopped in its turn it comes
 * later, and one call of the owner's, whatever its timeout, may wait a tenth of a
 * second for that writer. The messages of one writer stay in order, and come before
 * those of writers that its user opens later; the rest may be read in any order. A user
 * has 64 connections at most, all users together 256: a new one takes the place of one
 * that is silent, which opens again by itself when it sends. A forked child of the
 * owner inherits the descriptors; it can use none of them.
 *
 * EINVAL        not a local slot's name; options out of range; NULL ret_slot;
 *               MAILSLOT_DIR is set to a path that is not absolute
 * ENAMETOOLONG  the name is too long
 * EEXIST        the name has a live owner, which is untouched
 * EACCES        the name is taken by a file of another user, the directory of the
 *               slots may not be written, or the process is not in the group gid
 * EBADMSG       the name is taken by a file that is not a slot
 * ENOENT        the directory of the slots (MAILSLOT_DIR, else /dev/shm) does not
 *               exist, or its file system has no files without a name
 * ETIMEDOUT     a dead slot of this name is held by a stopped process
 * EFBIG         the limit on file sizes (RLIMIT_FSIZE) is below max_bytes
 * ENOSYS        this system has no robust locks of the GNU C library's kind, or the
 *               file system of the slots cannot reserve memory
 * ENOSPC ENOMEM EMFILE ENFILE  no memory or no descriptor
 * A failed call leaves nothing behind.
 */
MAILSLOT_API int mailslot_create(const char *name, const mailslot_options *options,
                                 mailslot **ret_slot);

/*
 * Close a slot: its unread messages are gone, its name is free, and its writers
 * get EPIPE. (MS: CloseHandle) Returns NULL. NULL is allowed. In a forked child it
 * only frees the child's memory and the slot lives on. Waits at most a second (for
 * a stopped writer).
 */
MAILSLOT_API mailslot *mailslot_close(mailslot *slot);

/*
 * Read one message and remove it. (MS: ReadFile)
 *
 * Copies the next message, of *ret_size bytes, into buffer. Reading a message of 0
 * bytes is a success with *ret_size 0. Waits for a message up to timeout_ms. (In a
 * stream of messages, a call that had to wait may return some microseconds, twenty at
 * most, after the first has come: with more of them behind it, reading is faster.)
 *
 * EAGAIN     nothing is queued, and the timeout is 0
 * ETIMEDOUT  nothing came in time
 * EMSGSIZE   the message is larger than capacity: it stays, and *ret_size says how
 *            large it is
 * EINTR      a signal handler ran during the wait
 * ECANCELED  mailslot_cancel was called
 * EBADMSG    the slot's memory was damaged; close the slot
 * EINVAL     timeout out of range; NULL ret_size; NULL buffer with a capacity
 * EBADF      not a slot of this process
 */
MAILSLOT_API int mailslot_read(mailslot *slot, void *buffer, size_t capacity,
                               int64_t timeout_ms, size_t *ret_size);

/*
 * Look at the next message without copying or removing it.
 *
 * Each call shows the message after the one shown before, so that several can be
 * looked at and then removed at once with mailslot_consume, or kept with
 * mailslot_unpeek. The first call after one of those, or after mailslot_read,
 * starts at the head of the queue. ret_message->data points into memory that is
 * shared with the writers: it is valid until the next mailslot_consume,
 * mailslot_read or mailslot_close, and a process of the same user that misbehaves
 * could change it. Waits for a message up to timeout_ms. Errors: as mailslot_read,
 * but for EMSGSIZE.
 */
MAILSLOT_API int mailslot_peek(mailslot *slot, int64_t timeout_ms,
                               mailslot_message *ret_message);

/*
 * Remove all messages that mailslot_peek has shown. Does not wait, but where
 * mailslot_get_fd says so. Nothing shown: nothing happens. EBADF: not a slot of this
 * process.
 */
MAILSLOT_API int mailslot_consume(mailslot *slot);

/*
 * Keep the messages that mailslot_peek has shown: the next call starts again at
 * the head of the queue. Does not wait, but where mailslot_get_fd says so. Nothing
 * shown: nothing happens. EBADF: not a slot of this process.
 */
MAILSLOT_API int mailslot_unpeek(mailslot *slot);

/*
 * Wait until a message is queued that mailslot_peek has not shown; removes
 * nothing. Errors: as mailslot_read, but for EMSGSIZE.
 */
MAILSLOT_API int mailslot_wait(mailslot *slot, int64_t timeout_ms);

/*
 * End the wait of another thread: the reading call that waits on this slot now, or
 * else the next one that would wait, returns ECANCELED. Messages stay. May be
 * called from any thread and from a signal handler, as long as the slot is not
 * closed meanwhile. (MS: CancelIoEx) EBADF: not a slot of this process.
 */
MAILSLOT_API int mailslot_cancel(mailslot *slot);

/*
 * A descriptor for poll, epoll and every event loop: it is readable while a message is
 * queued that mailslot_peek has not shown, and at no other time. (MS: a pending
 * ReadFile)
 *
 * So a read with timeout 0 after it was readable returns a message (or EBADMSG). It is
 * level-triggered: it stays readable as long as there are messages, and each reading
 * call, also mailslot_consume and mailslot_unpeek of something shown, leaves it as it
 * must be then. A message of 0 bytes counts like any other. Of
 * what other users sent it speaks as soon as the thread of the letterbox has put it
 * into the slot; mailslot_cancel does not touch it. Waiting calls work as without it.
 *
 * It is the library's, the same at each call, and closed with the slot: take it out of
 * the event loop before mailslot_close, and never read from it, write to it or close
 * it. It does not block and is closed in a program that is executed. A forked child
 * inherits it and should leave it alone.
 *
 * The first call takes two descriptors and starts a thread of this process (all signals
 * blocked), which live until the slot is closed; who does not call has none. A message
 * that comes into an empty slot costs its sender a system call then; while messages
 * wait, sending and reading cost none, as ever. A writer of the same user wakes the
 * owner by itself, with a descriptor that it takes for this when it does so first, and
 * keeps. Where it cannot (no descriptor; another pid namespace; an owner whose /proc
 * entry it may not look into), and for all other senders, the thread does it, which
 * takes longer. Should a sender be killed or stopped before it could, the descriptor
 * becomes readable after a second, and a call that leaves it as it must be may wait
 * 0.1 s for the sender; if that was only held up and goes on later, the descriptor may
 * be readable with nothing to read, until a reading call has found nothing twice. Does
 * not wait.
 *
 * EINVAL         NULL ret_fd
 * EMFILE ENFILE  no descriptor
 * ENOMEM         no memory, or no thread
 * EBADF          not a slot of this process
 * After a failure the slot is as before, and the call can be repeated.
 */
MAILSLOT_API int mailslot_get_fd(mailslot *slot, int *ret_fd);

/*
 * Set the timeout that MAILSLOT_DEFAULT means, in milliseconds or
 * MAILSLOT_FOREVER. (MS: SetMailslotInfo) EBADF: not a slot of this process.
 */
MAILSLOT_API int mailslot_set_timeout(mailslot *slot, uint32_t timeout_ms);

/*
 * Tell what the slot looks like. (MS: GetMailslotInfo) Exact, and changes nothing.
 * Does not wait, except for a writer's turn when the queue changes too fast to be
 * seen without, at most a second. info may be NULL: then it only checks the
 * handle. Differs: writers may ask too, and anybody of the same user by name.
 *
 * EINVAL        info->size is not sizeof(mailslot_info); not a slot's name
 * EOPNOTSUPP    a slot of another machine
 * EBADF         not a slot, or not a writer, of this process
 * EPIPE         mailslot_writer_get_info: the owner has gone
 * ETIMEDOUT     the queue changed too fast, and the turn did not come in that second
 * EBADMSG       the slot's memory was damaged
 * ENOMEM        no memory
 * EACCES        the slot belongs to another user
 * ENAMETOOLONG ENOENT EMFILE ENFILE
 *               mailslot_get_info_by_name: as mailslot_open
 */
MAILSLOT_API int mailslot_get_info(mailslot *slot, mailslot_info *info);
MAILSLOT_API int mailslot_writer_get_info(mailslot_writer *writer, mailslot_info *info);
MAILSLOT_API int mailslot_get_info_by_name(const char *name, mailslot_info *info);

/*
 * Open a slot for sending. (MS: CreateFile) Never creates it; does not wait, except,
 * for a slot of another user, up to a second for the owner's thread to answer. The
 * caller owns *ret_writer and closes it.
 *
 * EINVAL        not a slot's name
 * ENAMETOOLONG  the name is too long
 * ENOENT        nobody owns that name
 * EACCES        the slot belongs to another user, who does not let this one send, or
 *               whose process died and left a file that others cannot look into;
 *               mailslot_get_owner says who
 * ETIMEDOUT     a slot of another user, whose owner was stopped
 * EINTR         a signal handler ran while it waited for that owner
 * EBADMSG       the file of that name is not a slot, or is damaged
 * EHOSTUNREACH  a slot of another machine, and no gateway serves this one
 * ENOMEM EMFILE ENFILE  no memory or no descriptor
 * Of a slot of another machine EACCES, ETIMEDOUT and EBADMSG speak of the gateway.
 */
MAILSLOT_API int mailslot_open(const char *name, mailslot_writer **ret_writer);

/*
 * Close a writer; what it sent stays. Returns NULL. NULL is allowed. Does not
 * wait. In a forked child it only frees the child's memory.
 */
MAILSLOT_API mailslot_writer *mailslot_writer_close(mailslot_writer *writer);

/*
 * Send one message. (MS: WriteFile) Success means that it is in the slot, whole.
 *
 * Does not depend on the reader: a full slot gives EAGAIN, or with a timeout is
 * waited for. (A writer that is far ahead of an owner that is reading spins until the
 * owner has caught up, once in 2 MiB or more, for four milliseconds at most, about what
 * the memory would take that it needs otherwise.) Writers take turns; a writer that was
 * stopped in its turn is waited for a second, many that take turns for ten, and each
 * for timeout_ms if that is longer. MAILSLOT_DEFAULT is EINVAL.
 *
 * EMSGSIZE   larger than the slot accepts, whatever is queued
 * EAGAIN     the slot, or this user's share of another user's slot, is full and the
 *            timeout is 0; or that slot can take none of this user's messages now
 * ETIMEDOUT  it stayed full; or another writer was stopped in its turn, or many took
 *            theirs, or the owner that is another user was stopped
 * EPIPE      the slot (or the gateway, on the way to another machine) has died; the
 *            writer stays dead, so close it and open again
 * ENOSPC     the file system of the slots is full
 * ENOMEM     no memory
 * EMFILE ENFILE  no descriptor, for a slot of another user
 * EFBIG      a large message for a slot of another user, and a limit on file sizes
 *            (RLIMIT_FSIZE) below it
 * EACCES     a slot of another user, who does not let this one send any more
 * EINTR      a signal handler ran during the wait
 * EBADMSG    the slot's memory was damaged
 * ENOSYS     as mailslot_create
 * EINVAL     NULL data with a size; timeout out of range
 * EBADF      not a writer of this process
 * After each of them nothing of the message is queued, and after all but EPIPE,
 * EBADMSG and EBADF the writer can go on.
 */
MAILSLOT_API int mailslot_writer_send(mailslot_writer *writer, const void *data,
                                      size_t size, int64_t timeout_ms);

/*
 * Send several messages, in order, in one turn (one turn a MiB). *ret_sent says
 * how many are in the slot; it is written on failure too, when message number
 * *ret_sent met the error. The timeout counts for the whole call. ret_sent may be
 * NULL. Errors: as mailslot_writer_send; EINVAL also for NULL messages with a
 * count.
 */
MAILSLOT_API int mailslot_writer_send_all(mailslot_writer *writer,
                                          const mailslot_buffer *messages, size_t count,
                                          int64_t timeout_ms, size_t *ret_sent);

/*
 * Say from which machine the messages come that this writer sends from now on, for a
 * process that brings them from there, as the gateway does. Readers find it in
 * mailslot_message. host: 1 to MAILSLOT_HOST_MAX bytes, which are copied; NULL: this
 * machine. is_verified: whether somebody has checked that. Anybody who may send may say
 * so: what it is worth depends on the user that the message comes from. A message with
 * a host takes up to 272 bytes more of the queue, and the largest one is up to 264
 * bytes smaller. Does not wait.
 *
 * EINVAL        host is empty or too long, or has a control character
 * EOPNOTSUPP    the writer is that of a slot of another machine
 * EBADF         not a writer of this process
 */
MAILSLOT_API int mailslot_writer_set_origin(mailslot_writer *writer, const char *host,
                                            int is_verified);

/*
 * How many messages the slot has accepted, and when it was created, which tells it from
 * others of its name. Who notes that before each send finds out, in another process
 * after a crash, whether its last message got there: it did if the count is another,
 * provided that nobody else sent what counts. Of a slot of another user that is each
 * message of this user: those before the writer connected, and its own since. Of a slot
 * of this user it is each message that tells a host (mailslot_writer_set_origin) if
 * this writer has set one, and else each message. The count of a user that has neither
 * messages in another user's slot nor writers may begin anew when 512 others come.
 * Waits up to a second for the owner of another user's slot if it has to connect again.
 *
 * EAGAIN       this user's share of another user's slot is full, and it has to connect
 * EOPNOTSUPP   a slot of another machine
 * EPIPE        the slot has died; the writer stays dead
 * EBADF EINVAL not a writer of this process; NULL
 * ETIMEDOUT    as mailslot_get_info, or as mailslot_open
 * EACCES EINTR EBADMSG ENOMEM EMFILE ENFILE  as mailslot_open
 */
MAILSLOT_API int mailslot_writer_get_accepted(mailslot_writer *writer,
                                              int64_t *ret_created_ns,
                                              uint64_t *ret_accepted);

/*
 * Open, send, close: for one message now and then. Errors: as mailslot_open and
 * mailslot_writer_send; ENOENT for EPIPE, or EHOSTUNREACH when it was the gateway.
 */
MAILSLOT_API int mailslot_send(const char *name, const void *data, size_t size,
                               int64_t timeout_ms);

/*
 * Which user the slot of that name belongs to, alive or dead: its file, which needs no
 * permission to be looked at; of a slot of another machine, this machine's gateway. For
 * the message that goes with EACCES. Does not wait. EINVAL, ENAMETOOLONG: as
 * mailslot_open, or NULL ret_uid; ENOENT: there is no file.
 */
MAILSLOT_API int mailslot_get_owner(const char *name, uint32_t *ret_uid);

/*
 * Which of the rules for names a text breaks, where the calls say no more than EINVAL
 * or ENAMETOOLONG: a constant text in English, to go behind "not a name: ". NULL if it
 * is a name, local or of another machine. Does not wait.
 */
MAILSLOT_API const char *mailslot_name_fault(const char *name);

/*
 * The symbol of an error ("ENOENT") and what it means for a mailslot ("no process
 * owns this slot"). Take what a call returned, or its positive value. Static text,
 * never NULL; any thread. An errno value unknown here has the symbol "EUNKNOWN".
 */
MAILSLOT_API const char *mailslot_error_name(int error);
MAILSLOT_API const char *mailslot_error_text(int error);

/*
 * The clock that timeouts count on, in milliseconds from an unspecified start: for
 * going on after EINTR with the time that remains. Any thread.
 */
MAILSLOT_API int64_t mailslot_now_ms(void);

#ifdef __cplusplus
}
#endif

#endif
