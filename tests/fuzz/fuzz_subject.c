/* SPDX-License-Identifier: MIT */
/* Any text as a subject: what is accepted is, encoded again, the same text. */
#include "wire/subject.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ms_subject subject;
    char again[MS_SUBJECT_MAX];
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_subject_decode((const char *)data, size, &subject, &reason) < 0) {
        require(reason < MS_REASON_COUNT);
        return 0;
    }
    require(strlen(subject.target) > 0 && strlen(subject.from) > 0);
    require(strlen(subject.slot) > 0 && !strchr(subject.slot, '/'));
    require((size_t)ms_subject_encode(&subject, again, sizeof again) == size);
    require(memcmp(again, data, size) == 0);
    return 0;
}
