/* SPDX-License-Identifier: MIT */
#include "gateway/limit.h"

bool ms_bucket_take(struct ms_bucket *bucket, double rate, double burst,
                    int64_t now_ns) {
    double seconds = (double)(now_ns - bucket->time_ns) / 1e9;
    double missing = bucket->missing - seconds * rate;
    bucket->missing = missing > 0 ? missing : 0;
    bucket->time_ns = now_ns;
    if (bucket->missing + 1 > burst) {
        return false;
    }
    bucket->missing += 1;
    return true;
}

struct ms_bucket *ms_senders_find(struct ms_senders *senders, uint64_t id) {
    struct ms_sender *oldest = &senders->senders[0];
    for (size_t i = 0; i < MS_SENDERS_COUNT; i++) {
        struct ms_sender *sender = &senders->senders[i];
        if (sender->id == id) {
            return &sender->bucket;
        }
        if (sender->bucket.time_ns < oldest->bucket.time_ns) {
            oldest = sender;
        }
    }
    *oldest = (struct ms_sender){.id = id};
    return &oldest->bucket;
}
