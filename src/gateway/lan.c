/* SPDX-License-Identifier: MIT */
/* The lan road: remote mailslots as Windows and Samba have them. */
#include "gateway/gateway.h"

#include <errno.h>
#include <stdlib.h>

/* Bytes of slot name, rounded up to 4, and message (wire/mailslot_write.h). */
#define ROOM 432

struct lan {
    struct ms_road road;
};

static int send_mail(struct ms_road *road, const struct ms_mail *mail) {
    ms_drop(MS_DROP_NO_ROAD, "a message for \\\\%s (%s)", mail->host, road->name);
    return 0;
}

static void nothing(struct ms_road *road) {
    (void)road;
}

static void destroy(struct ms_road *road) {
    free(road);
}

int ms_lan_open(struct ms_gateway *gateway, struct ms_road **ret_road) {
    struct lan *lan = calloc(1, sizeof *lan);
    if (!lan) {
        return -ENOMEM;
    }
    (void)gateway;
    lan->road = (struct ms_road){.name = "lan",
                                 .room = ROOM,
                                 .send = send_mail,
                                 .reload = nothing,
                                 .close = nothing,
                                 .destroy = destroy};
    *ret_road = &lan->road;
    return 0;
}
