/* SPDX-License-Identifier: MIT */
/* What the peers over AF_UNIX sockets share. An end begins with its descriptor. */
#ifndef BENCH_UNIX_H
#define BENCH_UNIX_H

#include "bench.h"

#define UNIX_SIZE_MAX ((size_t)128 << 10)

void *unix_bind(int type, const char *name, bool is_plain);
void *unix_connect(int type, const char *name, size_t size);
bool unix_send(void *end, const void *data, size_t size, bool may_wait);
int unix_descriptor(void *end);
void unix_close(void *end);
void unix_remove(const char *name);

#endif
