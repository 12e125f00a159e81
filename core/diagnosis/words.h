/* Messages and hints: a mistake's templates with the names and formulas of the place, in the request's convention. */
#ifndef CORE_DIAGNOSIS_WORDS_H
#define CORE_DIAGNOSIS_WORDS_H

#include "core/check/check.h"
#include "core/diagnosis/found.h"
#include "core/diagnosis/symbols.h"

/* The template with its words in braces filled in, from the arena; NULL when memory is short. */
const char *words_text(struct arena *arena, const struct check *check, const struct found *found, const char *template);

/* The layer that a mistake took something from in place of its own; LAYER_LOSS where it is no such mistake. */
size_t words_other(const struct check *check, const struct found *found);

/* All that is said of what was done: the message, of which tensors alone it is true, and where else it was done. From
 * the arena; NULL when memory is short. */
const char *words_told(struct arena *arena, const struct check *check, const struct found *found);

/* The words in braces of the message, each once, and what stands there; how many they are. */
enum { WORDS_MAX = 12 };
struct word {
    char key[SYMBOL_MAX], text[PHRASE_MAX];
};
size_t words_list(const struct check *check, const struct found *found, struct word words[WORDS_MAX]);

#endif
