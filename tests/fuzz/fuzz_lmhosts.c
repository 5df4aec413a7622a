/* SPDX-License-Identifier: MIT */
/* Any bytes as a line of lmhosts. */
#include "wire/lmhosts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void check_entry(const struct ms_lmhosts *lmhosts, const char *line,
                        size_t size) {
    for (size_t i = 0; i < MS_NETBIOS_NAME_MAX; i++) {
        uint8_t c = lmhosts->name.bytes[i];
        require(!(c >= 'a' && c <= 'z'));
    }
    if (lmhosts->domain) {
        require(lmhosts->domain > line && lmhosts->domain < line + size);
        require(lmhosts->domain_size >= 1);
        require(lmhosts->domain_size <= MS_NETBIOS_NAME_MAX);
        require(lmhosts->domain_size <= (size_t)(line + size - lmhosts->domain));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ms_lmhosts lmhosts;
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_lmhosts_parse((const char *)data, size, &lmhosts, &reason) < 0) {
        require(reason == MS_REASON_ADDRESS || reason == MS_REASON_NAME ||
                reason == MS_REASON_KEYWORD);
    } else if (lmhosts.is_entry) {
        check_entry(&lmhosts, (const char *)data, size);
    }
    return 0;
}
