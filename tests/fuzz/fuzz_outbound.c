/* SPDX-License-Identifier: MIT */
/* Any message as one for the gateway: accepted, it is its head and its data. */
#include "wire/outbound.h"

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
    struct ms_outbound outbound;
    uint8_t head[MS_OUTBOUND_HEAD_MAX];
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_outbound_decode(data, size, &outbound, &reason) < 0) {
        require(reason < MS_REASON_COUNT);
        return 0;
    }
    int head_size = ms_outbound_encode(outbound.host, outbound.slot, head);
    require(head_size > 0 && (size_t)head_size + outbound.size == size);
    require(memcmp(head, data, (size_t)head_size) == 0);
    require(outbound.data == data + head_size);
    return 0;
}
