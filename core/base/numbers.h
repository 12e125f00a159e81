/* Sums and maxima over many numbers, as fast as memory hands them over: in several partial results, since one alone
 * waits for its own last step; and the order of sizes. */
#ifndef CORE_BASE_NUMBERS_H
#define CORE_BASE_NUMBERS_H

#include <stddef.h>

/* The largest |value|, NaNs aside; 0 of none. */
double numbers_largest(size_t n, const double *values);

/* The sum of a[i] * b[i]. */
double numbers_dot(size_t n, const double *a, const double *b);

/* The order of two size_t, for qsort. */
int numbers_compare_sizes(const void *a, const void *b);

#endif
