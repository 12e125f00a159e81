/* Messages and hints: a mistake's templates with the names and formulas of the place, in the request's convention. */
#ifndef CORE_MISTAKE_TEXT_H
#define CORE_MISTAKE_TEXT_H

#include "core/diagnose.h"

/* The template with its words in braces filled in, from the arena; NULL when memory is short. */
const char *mistake_text(struct arena *arena, const struct check *check, const struct found *found,
                         const char *template);

#endif
