/* Statements whose names all stand for known numbers: what one of them is then. */
#ifndef CORE_LANGUAGE_CALCULATION_H
#define CORE_LANGUAGE_CALCULATION_H

#include "core/language/evaluation.h"

/* A number, or many, by the name that the statements have for it. Of what a program calls so one after the other,
 * "h[2]" is the name of one: `version` 2 of "h". */
struct known_numbers {
    const char *name;
    size_t length;  /* of the name */
    size_t version; /* SIZE_MAX: it is the only one */
    const struct shape *shape;
    const double *numbers;
};

/* Evaluates the text, which may use `count` known numbers and write over them, and gives the numbers of what it calls
 * by the name and version of `wanted`, or NULL where it cannot be evaluated within the allowance, what that is has
 * another shape than wanted's, or memory is short, of which *short_of_memory tells. Takes what it needs from the
 * allowance. */
const double *calculation_run(struct arena *arena, const char *text, const struct known_numbers *known, size_t count,
                              const struct known_numbers *wanted, struct allowance *allowance, bool *short_of_memory);

#endif
