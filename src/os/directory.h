/* SPDX-License-Identifier: MIT */
/* Walking through a directory. */
#ifndef MS_OS_DIRECTORY_H
#define MS_OS_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

/* Gets the name of each entry; returns whether to go on. */
typedef bool (*ms_directory_visit)(const char *name, void *context);

/* Whether the entry is a regular file of that user. */
bool ms_directory_has_file_of(const char *path, uint32_t uid);

/* Returns 0 or a negative errno. Entries that come or go meanwhile may be missed. */
int ms_directory_walk(const char *directory, ms_directory_visit visit, void *context);

#endif
