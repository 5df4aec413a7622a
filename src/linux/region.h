/* SPDX-License-Identifier: MIT */
/* A region's file, and its mapping into this process. */
#ifndef MS_LINUX_REGION_H
#define MS_LINUX_REGION_H

#include "queue/layout.h"

#include <stdbool.h>

struct ms_region {
    int fd;
    size_t size; /* bytes of the file: header and ring */
    struct ms_header *header;
};

/* Make a region that nobody else can see yet, with an empty queue. Errors: as
 * mailslot_create. */
int ms_region_create(const char *directory, uint64_t capacity,
                     uint32_t max_message_size, struct ms_region *ret_region);

/* Map the region of an open file, of a slot of this user. Takes fd over on success.
 * -EBADMSG: not a region; -EACCES: of another user. */
int ms_region_map(int fd, struct ms_region *ret_region);

/* Map no more than the header, for who keeps none of its locks. The caller keeps fd.
 * Errors: as ms_region_map. */
int ms_region_map_header(int fd, struct ms_header **ret_header, uint64_t *ret_capacity);
void ms_region_unmap_header(struct ms_header *header);

/* Whether the slot is alive (layout I8), as far as its memory tells: the owner's death
 * is seen at once, but for an owner with so many locks that the kernel gives up. */
bool ms_region_is_alive(const struct ms_header *header);

/* Unmap and close. */
void ms_region_close(struct ms_region *region);

/* As above, but another thread keeps the owner's lock: its node stays mapped. */
void ms_region_abandon(struct ms_region *region);

#endif
