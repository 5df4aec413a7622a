/* SPDX-License-Identifier: MIT */
/* Memory mappings. A forked child gets none of them. */
#ifndef MS_OS_MEMORY_H
#define MS_OS_MEMORY_H

#include <stddef.h>

/* Map the first head + tail bytes of a file, shared, with gap bytes of zeros between
 * them that are private to this process. Each is a multiple of the page. Left out of
 * core dumps and of children. Returns 0 or a negative errno. */
int ms_memory_map(int fd, size_t head, size_t gap, size_t tail, void **ret_memory);

/* Zeroed private memory that is zeroed again in a forked child, where it is how a
 * handle knows that it was copied. Returns 0 or a negative errno. */
int ms_memory_allocate(size_t size, void **ret_memory);

/* Map the start of a file, for a moment: a forked child would have it, too. */
int ms_memory_map_start(int fd, size_t size, void **ret_memory);

/* Have the memory of a mapped file in place before it is written to: much cheaper than
 * page by page. No more than a hint. */
void ms_memory_populate(void *memory, size_t size);

/* Memory of a mapped file that is written, read once and then given back: the kernel
 * need not note what was in use when it goes. In turn it is the first to be swapped
 * out, however much it is in use. No more than a hint. */
void ms_memory_use_once(void *memory, size_t size);

/* Undo any of them. */
void ms_memory_unmap(void *memory, size_t size);

#endif
