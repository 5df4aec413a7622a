/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target where there is no fuzzer: on the files of the folder that it is
 * given, which a fuzzer has found to reach all that it could, and on random inputs: the
 * same ones each time, and with MAILSLOT_TEST_LONG=1 many others, too, as far as there
 * is time. Every other input has only the bytes that mean something in names.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FEW 20000
#define MANY 2000000
#define LARGEST 8192
#define SECONDS_FEW 10
#define SECONDS_MANY 60

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

static void run_file(const char *path, uint8_t *data) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    LLVMFuzzerTestOneInput(data, fread(data, 1, LARGEST, file));
    fclose(file);
}

/* Returns how many files there are. */
static uint32_t run_folder(const char *folder, uint8_t *data) {
    char path[4096];
    uint32_t count = 0;
    DIR *stream = opendir(folder);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            run_file(path, data);
            count++;
        }
    }
    if (stream) {
        closedir(stream);
    }
    return count;
}

int main(int argc, char **argv) {
    const char *is_long = getenv("MAILSLOT_TEST_LONG");
    uint32_t count = is_long && strcmp(is_long, "1") == 0 ? MANY : FEW;
    uint8_t *data = malloc(LARGEST);
    if (argc != 2 || !data || run_folder(argv[1], data) == 0) {
        fprintf(stderr, "the corpus is missing\n");
        return EXIT_FAILURE;
    }
    time_t end = time(NULL) + (count == MANY ? SECONDS_MANY : SECONDS_FEW);
    for (uint32_t number = 0; number < count && time(NULL) < end; number++) {
        if (number == FEW) {
            state = (uint64_t)time(NULL);
            printf("random inputs from %llu\n", (unsigned long long)state);
            fflush(stdout);
        }
        LLVMFuzzerTestOneInput(data, make_input(data, number));
    }
    free(data);
    return EXIT_SUCCESS;
}
