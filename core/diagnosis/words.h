/* Messages and hints: a mistake's templates with the names and formulas of the place, in the request's convention. */
#ifndef CORE_DIAGNOSIS_WORDS_H
#define CORE_DIAGNOSIS_WORDS_H

#include "core/check/check.h"
#include "core/diagnosis/found.h"

/* The template of what was done: the mistake's message, or that of a factor on single tensors. */
const char *words_message(const struct found *found);

/* The template with its words in braces filled in, from the arena; NULL when memory is short. */
const char *words_text(struct arena *arena, const struct check *check, const struct found *found, const char *template);

#endif
