/* SPDX-License-Identifier: MIT */
#include "gateway/waiting.h"

#include <stdlib.h>

/* The index of that name; else of a free place; else MS_WAITING_HOSTS. */
static size_t find_host(const struct ms_waiting *waiting,
                        const struct ms_netbios_name *name) {
    size_t found = MS_WAITING_HOSTS;
    for (size_t i = 0; i < MS_WAITING_HOSTS; i++) {
        if (!waiting->hosts[i].first) {
            found = i;
        } else if (ms_netbios_name_equals(&waiting->hosts[i].name, name)) {
            return i;
        }
    }
    return found;
}

bool ms_waiting_add(struct ms_waiting *waiting, const struct ms_netbios_name *name,
                    const struct ms_letter *letter) {
    size_t i = find_host(waiting, name);
    if (i == MS_WAITING_HOSTS ||
        (waiting->hosts[i].first && waiting->hosts[i].count == MS_WAITING_LETTERS)) {
        return false;
    }
    struct ms_letter *copy = malloc(sizeof *copy);
    if (!copy) {
        return false;
    }
    *copy = *letter;
    copy->next = NULL;
    if (waiting->hosts[i].first) {
        waiting->hosts[i].last->next = copy;
        waiting->hosts[i].count++;
    } else {
        waiting->hosts[i].name = *name;
        waiting->hosts[i].first = copy;
        waiting->hosts[i].count = 1;
    }
    waiting->hosts[i].last = copy;
    return true;
}

struct ms_letter *ms_waiting_take(struct ms_waiting *waiting,
                                  const struct ms_netbios_name *name) {
    size_t i = find_host(waiting, name);
    if (i == MS_WAITING_HOSTS || !waiting->hosts[i].first) {
        return NULL;
    }
    struct ms_letter *first = waiting->hosts[i].first;
    waiting->hosts[i].first = NULL;
    return first;
}

void ms_waiting_clear(struct ms_waiting *waiting) {
    for (size_t i = 0; i < MS_WAITING_HOSTS; i++) {
        struct ms_letter *letter = waiting->hosts[i].first;
        while (letter) {
            struct ms_letter *next = letter->next;
            free(letter);
            letter = next;
        }
        waiting->hosts[i].first = NULL;
    }
}
