/* Numbers that somebody wrote down. */
#ifndef CORE_DIAGNOSIS_WRITTEN_H
#define CORE_DIAGNOSIS_WRITTEN_H

#include <stdbool.h>

/* Whether a is b, but for what a fit or rounding to float32 may be off by. */
bool written_near(double a, double b);

/* A limit or a learning rate as it is written down: the number of at most two significant digits that x is near to, NaN
 * where there is none. */
double written_round(double x);

/* That number of at most two digits which lies between two, or near to one of them; NaN where there is none, or where
 * the two are so far apart that one may lie there by chance. */
double written_between(double least, double most);

#endif
