/* SPDX-License-Identifier: MIT */
/*
 * The registry: from names to regions. A slot is the file `mailslot.<folded name>`
 * in /dev/shm, or in the directory that MAILSLOT_DIR names. A file does not make a
 * slot: whether its owner lives is what counts (layout I8), and a dead owner's
 * file is removed by whoever meets it.
 *
 * Looking at a file and then removing its name is a race: meanwhile somebody else
 * may have removed it and put a living slot there. So a name is removed only by
 * who holds the file's removal_lock and has seen, holding it, that the name still
 * means that file (layout I9). The lock is robust, and lies in the file that goes,
 * so it leaves nothing behind either.
 */
#ifndef MS_LINUX_REGISTRY_H
#define MS_LINUX_REGISTRY_H

#include "linux/region.h"
#include "name.h"

#define MS_PATH_SIZE 3072

/* The directory of the slots. */
const char *ms_registry_directory(void);

/* Where that slot's file is. Returns 0; -EINVAL when MAILSLOT_DIR is not absolute;
 * -ENAMETOOLONG when it is too long. */
int ms_registry_path(const struct ms_name *name, char ret_path[MS_PATH_SIZE]);

/* Where the letterbox of the slot at that path is, whose file has that inode. Returns 0
 * or -ENAMETOOLONG. */
int ms_registry_letterbox(const char *path, uint64_t inode,
                          char ret_path[MS_PATH_SIZE]);

/* Give a new region its name, in place of a dead slot if there is one.
 * -EEXIST: a living slot has it. Other errors: as mailslot_create. */
int ms_registry_publish(const struct ms_region *region, const char *path);

/* Map a living slot of this user. -ENOENT: there is none, and no dead one is left.
 * Other errors: as mailslot_open. */
int ms_registry_find(const char *path, struct ms_region *ret_region);

/* How long to wait for a process that was stopped while it held a lock, for who needs
 * the name. */
#define MS_PATIENCE_NS INT64_C(1000000000)

/* Remove a dead or dying slot: marks it closed, gives its memory back even though
 * writers still map it, unless one is stopped in its turn, and removes its name.
 * Returns 0; -ETIMEDOUT when another process was stopped while it did the same; or
 * -EACCES. */
int ms_registry_remove(struct ms_header *header, int fd, const char *path,
                       int64_t patience_ns);

/* Remove dead slots of this user: looks at some of the files in the directory. */
void ms_registry_sweep(void);

#endif
