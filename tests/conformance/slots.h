/* SPDX-License-Identifier: MIT */
/* What the conformance tests do with slots again and again. */
#ifndef MAILSLOT_SLOTS_H
#define MAILSLOT_SLOTS_H

#include "support.h"

#include <errno.h>
#include <string.h>

/* What a result holds before a call that must not write it. */
#define UNTOUCHED_SIZE ((size_t)0x5a5a5a5a)
#define UNTOUCHED_SLOT ((mailslot *)(uintptr_t)UNTOUCHED_SIZE)
#define UNTOUCHED_WRITER ((mailslot_writer *)(uintptr_t)UNTOUCHED_SIZE)

/* The call must return exactly this. */
#define EXPECT(expected, call)                                                   \
    do {                                                                         \
        int expect_r = (call);                                                   \
        ck_assert_msg(expect_r == (expected), "%s gives %d (%s), not %s", #call, \
                      expect_r, mailslot_error_name(expect_r), #expected);       \
    } while (0)

static inline mailslot *new_slot_with(const char *name, uint32_t max_message_size,
                                      uint32_t timeout_ms, uint64_t max_bytes) {
    mailslot_options options = MAILSLOT_OPTIONS_INIT;
    options.max_message_size = max_message_size;
    options.timeout_ms = timeout_ms;
    options.max_bytes = max_bytes;
    mailslot *slot = NULL;
    EXPECT(0, mailslot_create(name, &options, &slot));
    ck_assert_ptr_nonnull(slot);
    return slot;
}

static inline mailslot *new_slot(const char *name) {
    mailslot *slot = NULL;
    EXPECT(0, mailslot_create(name, NULL, &slot));
    ck_assert_ptr_nonnull(slot);
    return slot;
}

static inline mailslot_writer *new_writer(const char *name) {
    mailslot_writer *writer = NULL;
    EXPECT(0, mailslot_open(name, &writer));
    ck_assert_ptr_nonnull(writer);
    return writer;
}

static inline mailslot_info info_of(mailslot *slot) {
    mailslot_info info = MAILSLOT_INFO_INIT;
    EXPECT(0, mailslot_get_info(slot, &info));
    return info;
}

static inline void send_text(mailslot_writer *writer, const char *text) {
    EXPECT(0, mailslot_writer_send(writer, text, strlen(text), 0));
}

/* The next message is there already and is this text. */
static inline void expect_text(mailslot *slot, const char *text) {
    char buffer[512];
    size_t size = UNTOUCHED_SIZE;
    EXPECT(0, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_mem_eq(buffer, text, size);
}

/* mailslot_peek shows this text next. */
static inline void expect_shown(mailslot *slot, const char *text) {
    mailslot_message message;
    EXPECT(0, mailslot_peek(slot, 0, &message));
    ck_assert_uint_eq(message.size, strlen(text));
    ck_assert_mem_eq(message.data, text, message.size);
}

static inline void expect_nothing(mailslot *slot) {
    char buffer[1];
    size_t size = UNTOUCHED_SIZE;
    EXPECT(-EAGAIN, mailslot_read(slot, buffer, sizeof buffer, 0, &size));
    ck_assert_uint_eq(size, UNTOUCHED_SIZE);
}

static inline void expect_count(mailslot *slot, uint64_t count) {
    ck_assert_uint_eq(info_of(slot).count, count);
}

static inline void expect_between(int64_t value, int64_t least, int64_t most) {
    ck_assert_int_ge(value, least);
    ck_assert_int_le(value, most);
}

#endif
