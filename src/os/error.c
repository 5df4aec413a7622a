/* SPDX-License-Identifier: MIT */
/* Errors of the system. */
#include "os/error.h"

#include <errno.h>

int ms_error(int error) {
    switch (error) {
    case EDQUOT:
        return -ENOSPC;
    case ENOBUFS:
    case ENOLCK:
        return -ENOMEM;
    case EPERM:
    case EROFS:
    case EBUSY:  /* something is mounted there, */
    case EISDIR: /* or a directory is in the way */
        return -EACCES;
    case EIO:
        return -EBADMSG;
    default:
        return -error;
    }
}
