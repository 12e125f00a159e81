/* Where an error says that something is wrong: "/layers/3/name". */
#ifndef TESTS_PLACE_H
#define TESTS_PLACE_H

#include <stdio.h>

#include "core/base/error.h"

/* The steps of the error, in a buffer that the next call overwrites. */
static inline const char *place_of(const struct error *error)
{
    static char text[2 * ERROR_NAMES_MAX + 24 * ERROR_STEPS_MAX];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < error->step_count; i++) {
        struct error_step step = error_step_at(error, i);
        char *to = text + used;
        size_t room = sizeof text - used;
        int n = step.name != NULL ? snprintf(to, room, "/%s", step.name) : snprintf(to, room, "/%zu", step.index);
        used += n > 0 && (size_t)n < room ? (size_t)n : 0;
    }
    return text;
}

#endif
