/* SPDX-License-Identifier: MIT */
/* Walking through a directory. */
#include "os/directory.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

bool ms_directory_has_file_of(const char *path, uint32_t uid) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == uid;
}

int ms_directory_walk(const char *directory, ms_directory_visit visit, void *context) {
    DIR *stream = opendir(directory);
    if (!stream) {
        return -errno;
    }
    const struct dirent *entry;
    do {
        /* The stream is this call's own. */
        entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
    } while (entry && visit(entry->d_name, context));
    closedir(stream);
    return 0;
}
