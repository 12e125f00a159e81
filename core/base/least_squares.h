/* Least squares by the normal equations: few unknowns, many equations. */
#ifndef CORE_BASE_LEAST_SQUARES_H
#define CORE_BASE_LEAST_SQUARES_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Solves a x = b by Cholesky's method, in place: of a [n, n], the products of the columns with each other, the lower
 * triangle is used and lost, and b [n], those with the right side, becomes x. A column of zeros has 0. False where the
 * columns depend on each other, up to rounding. */
bool least_squares_solve(size_t n, double *a, double *b);

/* The x between low and high, both [n], that comes nearest; a and b as above, and kept. Where columns depend on each
 * other, one of the many: all but as many as there are independent ones lie at a bound or at 0, which must be between
 * the bounds. (Lawson and Hanson, Solving Least Squares Problems, chapter 23; Stark and Parker 1995.) False when memory
 * is short. */
bool least_squares_between(struct arena *arena, size_t n, const double *a, const double *b, const double *low,
                           const double *high, double *x);

#endif
