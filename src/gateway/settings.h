/* SPDX-License-Identifier: MIT */
/*
 * Reading the tables of a configuration file: types and ranges are checked, and what is
 * wrong is told with file, line and key. All of it runs inside a protected call, as it
 * raises Lua errors.
 */
#ifndef MS_GATEWAY_SETTINGS_H
#define MS_GATEWAY_SETTINGS_H

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A table on its way through the file. It lies at `index` of the stack. */
struct ms_settings {
    lua_State *L;
    const struct ms_script *script;
    int index;
    const char *prefix; /* of its keys: "lan.", or "" */
    int first_line;     /* where in the file it is; 0: not known */
    int last_line;
};

/* The file. */
struct ms_script {
    const char *path;
    const char *text;
};

/* Raises "FILE:LINE: PREFIXKEY TEXT". */
_Noreturn void ms_settings_fail(const struct ms_settings *settings, const char *key,
                                const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Raises for the first key that is not in the list, which ends with NULL. */
void ms_settings_check_keys(const struct ms_settings *settings,
                            const char *const known[]);

/* The same for the key on top of the stack. */
void ms_settings_check_key(const struct ms_settings *settings,
                           const char *const known[]);

/* Each leaves what it is to write as it was if the key is absent, and returns whether
 * it is there. */
bool ms_settings_text(const struct ms_settings *settings, const char *key,
                      char *ret_text, size_t capacity);
bool ms_settings_integer(const struct ms_settings *settings, const char *key,
                         int64_t least, int64_t most, int64_t *ret_value);
bool ms_settings_number(const struct ms_settings *settings, const char *key,
                        double least, double most, double *ret_value);
bool ms_settings_flag(const struct ms_settings *settings, const char *key,
                      bool *ret_flag);

/* Calls `take` for each text of a list, in order; it copies or raises. */
bool ms_settings_list(const struct ms_settings *settings, const char *key,
                      void (*take)(const struct ms_settings *settings, const char *key,
                                   const char *text, void *context),
                      void *context);

/* Pushes a table, if the key is there. Its keys have the prefix `prefix`. */
bool ms_settings_table(const struct ms_settings *settings, const char *key,
                       const char *prefix, struct ms_settings *ret_table);

#endif
