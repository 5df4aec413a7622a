/* SPDX-License-Identifier: MIT */
/* Other users, as real processes of theirs. */
#ifndef MAILSLOT_CRASH_USERS_H
#define MAILSLOT_CRASH_USERS_H

#include "support.h"

#define USER_A 65534
#define USER_B 65533

/* Whether this process can become other users, for whom the test's directory is opened
 * then. If not, it says so. */
bool can_become_others(void);

/* In a child: be that user, and of the group with the same number. */
void become(uid_t user);

#endif
