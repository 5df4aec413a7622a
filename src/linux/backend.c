/* SPDX-License-Identifier: MIT */
/* What the library asks of the system besides slots. */
#include "backend.h"

#include "linux/registry.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

_Static_assert(MS_HOST_NAME_SIZE <= MS_HOST_NAME_MAX + 1, "a host name fits");

void ms_backend_host_name(char ret_name[MS_HOST_NAME_MAX + 1]) {
    ms_process_host_name(ret_name);
}

int ms_backend_owner(const struct ms_name *name, uint32_t *ret_uid) {
    char path[MS_PATH_SIZE];
    struct ms_file_status status;
    int r = ms_registry_path(name, path);
    if (r == 0) {
        r = ms_file_look(path, &status);
    }
    if (r == 0) {
        *ret_uid = status.uid;
    }
    return r;
}

int64_t ms_backend_now_ms(void) {
    return ms_clock_now_ns() / 1000000;
}
