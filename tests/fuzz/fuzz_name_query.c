/* SPDX-License-Identifier: MIT */
/* Any packet as a query for a name, and as an answer to one. */
#include "wire/name_query.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* A query has nothing that is not told: but for flags it is encoded to the same bytes.
 */
static bool check_query(const uint8_t *data, size_t size) {
    struct ms_name_query query;
    uint8_t again[MS_NAME_QUERY_SIZE];
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_name_query_decode(data, size, &query, &reason) < 0) {
        require(reason < MS_REASON_COUNT);
        return false;
    }
    require(size == sizeof again);
    require(ms_name_query_encode(&query, again, sizeof again) == MS_NAME_QUERY_SIZE);
    require(memcmp(again, data, 2) == 0);
    require(memcmp(again + 4, data + 4, sizeof again - 4) == 0);
    return true;
}

static void check_again(const struct ms_name_answer *answer) {
    uint8_t bytes[512];
    struct ms_name_answer again;
    enum ms_reason reason;
    int size = ms_name_answer_encode(answer, bytes, sizeof bytes);
    require(size > 0);
    require(ms_name_answer_decode(bytes, (size_t)size, &again, &reason) == 0);
    require(again.count == answer->count && again.seconds == answer->seconds);
    require(memcmp(again.addresses, answer->addresses, sizeof again.addresses) == 0);
}

static bool check_answer(const uint8_t *data, size_t size) {
    struct ms_name_answer answer;
    enum ms_reason reason = MS_REASON_COUNT;
    if (ms_name_answer_decode(data, size, &answer, &reason) < 0) {
        require(reason < MS_REASON_COUNT);
        return false;
    }
    bool has_addresses = answer.error == 0 && !answer.is_group;
    require(answer.count <= MS_NAME_ADDRESSES_MAX);
    require((answer.count > 0) == has_addresses);
    for (size_t i = 0; i < answer.count; i++) {
        uint32_t first = answer.addresses[i] >> 24;
        require(first > 0 && first < 224);
    }
    if (has_addresses) {
        check_again(&answer);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool is_query = check_query(data, size);
    bool is_answer = check_answer(data, size);
    require(!is_query || !is_answer);
    return 0;
}
