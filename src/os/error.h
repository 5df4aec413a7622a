/* SPDX-License-Identifier: MIT */
/* Errors of the system: fewer than it has, each with one meaning for the caller. */
#ifndef MS_OS_ERROR_H
#define MS_OS_ERROR_H

/* The negative errno for an errno of a call that concerns files, memory or sockets. */
int ms_error(int error);

#endif
