/* SPDX-License-Identifier: MIT */
/* The reasons in words. */
#include "wire/reason.h"

#include <stddef.h>

static const char *const texts[MS_REASON_COUNT] = {
    [MS_REASON_CUT] = "cut off",
    [MS_REASON_LENGTH] = "its length field is not its length",
    [MS_REASON_TYPE] = "not a datagram that carries a message",
    [MS_REASON_FRAGMENT] = "a fragment",
    [MS_REASON_NAME] = "a malformed NetBIOS name",
    [MS_REASON_POINTER] = "a compression pointer in a name",
    [MS_REASON_SCOPE] = "a name with a scope",
    [MS_REASON_OVERSIZE] = "more than 512 bytes of user data",
    [MS_REASON_ECHO] = "from this host's own name",
    [MS_REASON_NOT_OURS] = "for another name",
    [MS_REASON_DUPLICATE] = "a duplicate",
    [MS_REASON_PROTOCOL] = "not SMB",
    [MS_REASON_COMMAND] = "not SMB_COM_TRANSACTION",
    [MS_REASON_WORD_COUNT] = "WordCount is not 17",
    [MS_REASON_SETUP_COUNT] = "SetupCount is not 3",
    [MS_REASON_OPCODE] = "not a mailslot write",
    [MS_REASON_PARAMETERS] = "a mailslot write with parameters",
    [MS_REASON_PARTS] = "one part of several",
    [MS_REASON_SLOT_NAME] = "not the name of a mailslot",
    [MS_REASON_DATA] = "its data lies outside of it",
    [MS_REASON_DIRECTION] = "a question for an answer, or the reverse",
    [MS_REASON_OPERATION] = "not about finding a name",
    [MS_REASON_SECTIONS] = "an unexpected number of questions or records",
    [MS_REASON_RECORD] = "a malformed question or record",
    [MS_REASON_ADDRESS] = "not the address of a host",
    [MS_REASON_KEYWORD] = "a word that is not understood",
    [MS_REASON_SUBJECT] = "not a subject of mailslots",
    [MS_REASON_TOKEN] = "a malformed token in a subject",
    [MS_REASON_MAGIC] = "not an outbound message",
    [MS_REASON_VERSION] = "an unknown version of the envelope",
    [MS_REASON_DESTINATION] = "a destination that cannot be",
};

const char *ms_reason_text(enum ms_reason reason) {
    size_t number = (size_t)reason;
    return number < MS_REASON_COUNT ? texts[number] : "unknown";
}
