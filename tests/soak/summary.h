/* SPDX-License-Identifier: MIT */
/* The summary: what became of the messages of streams that are over. */
#ifndef SOAK_SUMMARY_H
#define SOAK_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

/* Add up streams that are over and free their places; in the end, all. */
void summary_settle(bool is_end);

/* One line: on a terminal in place of the one before. */
void summary_show_progress(int64_t time_ms);

/* `files` are left. Returns whether all is well. */
bool summary_print(int64_t time_ms, const char *seed, int files);

#endif
