/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target on random inputs, where there is no fuzzer: the same ones each
 * time, and with MAILSLOT_TEST_LONG=1 many others, too. Every other input has only the
 * bytes that mean something in names.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FEW 20000
#define MANY 2000000
#define LARGEST 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 1;

/* xorshift64* */
static uint32_t next_random(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/* As many small ones as large ones. */
static size_t next_size(void) {
    return next_random() % (1 + LARGEST / (1U << next_random() % 13));
}

static size_t make_input(uint8_t *data, uint32_t number) {
    static const char text[] = "\\\\//..::  aAzZ09*?\x01\x7f\xc3mailslot";
    static const char *const prefixes[] = {
        "", "", "", "", "", "\\\\.\\mailslot\\", "", "//BOX/mailslot/"};
    size_t size = next_size();
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)next_random();
        if (number % 2) {
            data[i] = (uint8_t)text[data[i] % sizeof text];
        }
    }
    const char *prefix = prefixes[number % 8];
    if (strlen(prefix) <= size) {
        memcpy(data, prefix, strlen(prefix));
    }
    return size;
}

int main(void) {
    const char *is_long = getenv("MAILSLOT_TEST_LONG");
    uint32_t count = is_long && strcmp(is_long, "1") == 0 ? MANY : FEW;
    uint8_t *data = malloc(LARGEST);
    for (uint32_t number = 0; data && number < count; number++) {
        if (number == FEW) {
            state = (uint64_t)time(NULL);
            printf("random inputs from %llu\n", (unsigned long long)state);
            fflush(stdout);
        }
        LLVMFuzzerTestOneInput(data, make_input(data, number));
    }
    free(data);
    return data ? EXIT_SUCCESS : EXIT_FAILURE;
}
