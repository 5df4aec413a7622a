/* SPDX-License-Identifier: MIT */
#include "gateway/log.h"

#include "os/clock.h"
#include "os/process.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE 1024
#define QUIET_NS INT64_C(60000000000)

static struct {
    uint64_t count;
    uint64_t logged; /* how many there were when it was last logged */
    int64_t next_log_ns;
} drops[MS_DROP_COUNT];

static uint64_t traffic_counts[MS_TRAFFIC_COUNT];

/* One write, so that lines of several processes stay whole. */
static void write_line(enum ms_level level, const char *text) {
    static const char *const names[] = {
        [MS_ERROR] = "error", [MS_WARNING] = "warning", [MS_NOTICE] = "notice"};
    char line[LINE_SIZE + 64];
    if (ms_process_variable("JOURNAL_STREAM")) {
        snprintf(line, sizeof line, "<%d>%s\n", (int)level, text);
    } else {
        snprintf(line, sizeof line, "mailslot-gateway: %s: %s\n", names[level], text);
    }
    fputs(line, stderr);
}

/* What others chose is shown, so it must not be able to forge lines. */
static void make_printable(char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            *text = '?';
        }
    }
}

static void log_list(enum ms_level level, const char *format, va_list list) {
    char text[LINE_SIZE];
    vsnprintf(text, sizeof text, format, list);
    make_printable(text);
    write_line(level, text);
}

void ms_log(enum ms_level level, const char *format, ...) {
    va_list list;
    va_start(list, format);
    log_list(level, format, list);
    va_end(list);
}

const char *ms_drop_text(enum ms_drop drop) {
    static const char *const texts[MS_DROP_WIRE] = {
        [MS_DROP_NONE] = "not dropped",
        [MS_DROP_NOT_EXPORTED] = "the slot is not exported",
        [MS_DROP_FILTER] = "the filter refused it",
        [MS_DROP_SENDER_RATE] = "the sender sends too fast",
        [MS_DROP_SLOT_RATE] = "too much comes for the slot",
        [MS_DROP_SLOT_BYTES] = "too much lies unread in the slot",
        [MS_DROP_NO_SLOT] = "nobody owns the slot",
        [MS_DROP_SLOT_FULL] = "the slot is full",
        [MS_DROP_SLOT_REFUSED] = "the slot does not take it",
        [MS_DROP_SUBNET] = "it comes from a network that is not configured",
        [MS_DROP_OUTBOX_DAMAGED] = "not a message of the library's",
        [MS_DROP_NO_ROAD] = "no road leads there",
        [MS_DROP_TOO_LONG] = "too long for the road",
        [MS_DROP_NOT_CARRIED] = "the road cannot carry such a name",
        [MS_DROP_UNKNOWN_HOST] = "nobody answers to the name of the host",
        [MS_DROP_TOO_MANY_WAIT] = "too many wait for the address of the host",
        [MS_DROP_NETWORK] = "the network refused it",
    };
    return drop < MS_DROP_WIRE ? texts[drop]
                               : ms_reason_text((enum ms_reason)(drop - MS_DROP_WIRE));
}

void ms_drop(enum ms_drop drop, const char *format, ...) {
    drops[drop].count++;
    int64_t now_ns = ms_clock_now_ns();
    if (now_ns < drops[drop].next_log_ns) {
        return;
    }
    char which[LINE_SIZE / 2];
    va_list list;
    va_start(list, format);
    vsnprintf(which, sizeof which, format, list);
    va_end(list);
    ms_log(MS_WARNING, "dropped %s: %s (%llu since this was last said)", which,
           ms_drop_text(drop),
           (unsigned long long)(drops[drop].count - drops[drop].logged));
    drops[drop].logged = drops[drop].count;
    drops[drop].next_log_ns = now_ns + QUIET_NS;
}

void ms_drop_quietly(enum ms_drop drop) {
    drops[drop].count++;
}

void ms_count(enum ms_traffic traffic) {
    traffic_counts[traffic]++;
}

void ms_log_counters(void) {
    ms_log(MS_NOTICE, "counters: %llu came in, %llu went out",
           (unsigned long long)traffic_counts[MS_TRAFFIC_IN],
           (unsigned long long)traffic_counts[MS_TRAFFIC_OUT]);
    for (int i = 0; i < MS_DROP_COUNT; i++) {
        if (drops[i].count) {
            ms_log(MS_NOTICE, "counters: %llu dropped: %s",
                   (unsigned long long)drops[i].count, ms_drop_text((enum ms_drop)i));
        }
    }
}
