/* SPDX-License-Identifier: MIT */
/* Any message as one for the gateway: accepted, it is its head and its payload. */
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
    char destination[MS_OUTBOUND_DESTINATION_MAX + 1];
    uint8_t head[MS_OUTBOUND_HEAD_MAX];
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_outbound_decode(data, size, &outbound, &reason) < 0) {
        require(reason < MS_REASON_COUNT);
        return 0;
    }
    require(outbound.destination_size < sizeof destination);
    memcpy(destination, outbound.destination, outbound.destination_size);
    destination[outbound.destination_size] = '\0';
    int head_size = ms_outbound_encode_head(destination, head, sizeof head);
    require(head_size > 0 && (size_t)head_size + outbound.payload_size == size);
    require(memcmp(head, data, (size_t)head_size) == 0);
    require((const uint8_t *)outbound.payload == data + head_size);
    return 0;
}
