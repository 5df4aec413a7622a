/* SPDX-License-Identifier: MIT */
/* Processors. */
#ifndef MS_OS_CPU_H
#define MS_OS_CPU_H

/* Between two looks at a word: gives way to the other thread of this core. */
static inline void ms_cpu_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

#endif
