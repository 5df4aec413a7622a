/* SPDX-License-Identifier: MIT */
/*
 * What a consumer of NATS has delivered: one page in a file, that a gateway which is
 * killed leaves as it was, and its next life reads. So what the server hands out again
 * is known.
 *
 * A message goes into its slot between two stores, `doing` and `done`. Killed before
 * the first or behind the second, the gateway knows what became of it. In between it
 * knows what the slot had counted before (mailslot_writer_get_accepted, of a writer
 * with an origin: local senders do not count). The next life settles the question
 * before it delivers anything, and keeps the answer here. In the same life of the slot
 * another count says that the message got there, unless another gateway's message has
 * moved it. Where the slot has another owner by then, or none, that is not to be seen,
 * and the message is delivered. So each life of a slot gets it once at most, and it is
 * not lost with an owner that had not read it. A new owner gets what the old one had
 * read already only if gateway and owner died in the same moment.
 */
#ifndef MS_GATEWAY_NATS_JOURNAL_H
#define MS_GATEWAY_NATS_JOURNAL_H

#include "mailslot.h"

#include <stdbool.h>
#include <stdint.h>

struct ms_journal;

/* Another gateway, in one of its lives: a hash of its name, and its uuid. The first
 * word is 0 for a message that tells none. */
struct ms_journal_writer {
    uint64_t words[3];
};

/* A message in its stream: its number, and when the server took it. When a stream is
 * made anew its numbers begin again, but the time goes on. */
struct ms_journal_place {
    uint64_t sequence;
    int64_t time_ns;
};

/* 0 or a negative errno. What is in the file but not a journal is lost. */
int ms_journal_open(const char *path, struct ms_journal **ret_journal);

/* NULL is allowed. Returns NULL. The file stays. */
struct ms_journal *ms_journal_close(struct ms_journal *journal);

/* Is the message one of those that are done with? */
bool ms_journal_is_done(const struct ms_journal *journal,
                        const struct ms_journal_place *place);

/* Was it on its way into the slot when the gateway was killed? */
bool ms_journal_is_doing(const struct ms_journal *journal,
                         const struct ms_journal_place *place);

/* Was any, and is it not settled yet whether it arrived there? */
bool ms_journal_is_open_question(const struct ms_journal *journal);

/* Settle it, by what the slot is like before anything of this life is in it; NULL:
 * there is no such slot. */
void ms_journal_settle(struct ms_journal *journal, const mailslot_info *info);

/* Settled: it arrived there. */
bool ms_journal_has_arrived(const struct ms_journal *journal);

/* The message is given to the slot now, which looks like this. */
void ms_journal_begin(struct ms_journal *journal, const struct ms_journal_place *place,
                      const mailslot_info *info);

/* The slot did not take it. */
void ms_journal_cancel(struct ms_journal *journal);

/* It has, or the message has been dropped. */
void ms_journal_end(struct ms_journal *journal, const struct ms_journal_place *place,
                    const struct ms_journal_writer *writer, uint64_t number);

/* Has that writer's message come already? Its messages come in order. */
bool ms_journal_knows(const struct ms_journal *journal,
                      const struct ms_journal_writer *writer, uint64_t number);

#endif
