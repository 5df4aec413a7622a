/* SPDX-License-Identifier: MIT */
#include "gateway/nats_notes.h"

#include "gateway/log.h"
#include "os/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUIET_NS INT64_C(600000000000)

void ms_nats_say(struct ms_nats_notes *notes, const char *format, ...) {
    char text[MS_NATS_NOTE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    int64_t now_ns = ms_clock_now_ns();
    size_t oldest = 0;
    for (size_t i = 0; i < MS_NATS_NOTES_COUNT; i++) {
        if (strcmp(notes->notes[i].text, text) == 0 &&
            now_ns - notes->notes[i].said_ns < QUIET_NS) {
            return;
        }
        if (notes->notes[i].said_ns < notes->notes[oldest].said_ns) {
            oldest = i;
        }
    }
    memcpy(notes->notes[oldest].text, text, sizeof text);
    notes->notes[oldest].said_ns = now_ns;
    ms_log(MS_WARNING, "nats: %s", text);
}

void ms_nats_forget(struct ms_nats_notes *notes) {
    memset(notes, 0, sizeof *notes);
}
