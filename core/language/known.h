/* The numbers of a program's values while it is still being read. What is given to it is known, parameters and data, so
 * that all that is computed from them can be known, too, where a program asks: `if y[0] == 1`, x[mask], a bound of a
 * loop. What is built then is what the program does with these numbers, as with a library that records what it runs. */
#ifndef CORE_LANGUAGE_KNOWN_H
#define CORE_LANGUAGE_KNOWN_H

#include "core/language/compute.h"

/* The numbers of an array into *numbers; they are the evaluation's. What they cost is taken from what may be done, and
 * that somebody goes through them; each value is computed once. */
int known_numbers(struct evaluation *e, struct array *array, const double **numbers);

/* The same of an array's one element; CODE_PROGRAM_ERROR where it has others. */
int known_number(struct evaluation *e, struct array *array, double *number);

#endif
