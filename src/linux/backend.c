/* SPDX-License-Identifier: MIT */
/* What the library asks of the system besides slots. */
#include "backend.h"

#include "os/clock.h"
#include "os/process.h"

_Static_assert(MS_HOST_NAME_SIZE <= MS_HOST_NAME_MAX + 1, "a host name fits");

void ms_backend_host_name(char ret_name[MS_HOST_NAME_MAX + 1]) {
    ms_process_host_name(ret_name);
}

int64_t ms_backend_now_ms(void) {
    return ms_clock_now_ns() / 1000000;
}
