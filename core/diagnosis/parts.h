/* A factor that nobody writes down, as those that people do: a flipped sign, a missing two, another average. */
#ifndef CORE_DIAGNOSIS_PARTS_H
#define CORE_DIAGNOSIS_PARTS_H

#include "core/diagnosis/search.h"

enum { PARTS_MAX = 3 };

/* The choices that tell what a choice of a solution does: itself, or a flipped sign and what else its factor
 * is, where that has a name. */
size_t parts_of(const struct search *s, const struct choice *choice, struct choice parts[PARTS_MAX]);

/* At how many nodes a step is made as a choice has it. */
size_t parts_places(const struct search *s, const struct choice *choice);

#endif
