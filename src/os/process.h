/* SPDX-License-Identifier: MIT */
/* Who this process is and where it runs. */
#ifndef MS_OS_PROCESS_H
#define MS_OS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#define MS_HOST_NAME_SIZE 65

uint32_t ms_process_pid(void);
uint32_t ms_process_uid(void); /* effective */
uint32_t ms_process_gid(void); /* effective */

/* Threads of this process, by the kernel's number. */
uint32_t ms_process_thread(void); /* this one */
bool ms_process_has_thread(uint32_t thread);

/* A descriptor that tells when another process has ended; -1 when there is none to be
 * had, because the system or its policy lacks it. -ESRCH: it has ended already. */
int ms_process_watch(uint32_t pid);
bool ms_process_has_ended(int process); /* of such a descriptor; false for -1 */

/* How many processors this thread may run on. */
uint32_t ms_process_processors(void);

/* This machine's name. */
void ms_process_host_name(char ret_name[MS_HOST_NAME_SIZE]);

/* A variable of the environment, or NULL; NULL in set-user-id programs. */
const char *ms_process_variable(const char *name);

#endif
