/* Numbers of float32 as programs write them that know of float32: the shortest decimals that are read as the same
 * float32, or nine digits. As float64 they are no float32 numbers. */
#ifndef CORE_CHECK_FLOAT32_TEXT_H
#define CORE_CHECK_FLOAT32_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether numbers (of many, some of them) are that, and have more digits than is common in print. *chance is multiplied
 * with how likely as many other decimals with as many digits would be so, too: those of few digits all are. */
bool float32_text(size_t n, const double *values, double *chance);

#endif
