/* Numbers as they were printed: PyTorch shows four decimals, NumPy eight digits, and what is pasted has no more. */
#ifndef CORE_CHECK_PRINTED_H
#define CORE_CHECK_PRINTED_H

#include <stdbool.h>
#include <stddef.h>

/* From so few on a number is typed, not printed; up to so many it was printed, and not all that there is. More than so
 * many significant digits are as good as float32, which has another name. */
enum { PRINTED_LEAST = 3, PRINTED_MOST = 10, PRINTED_AS_FLOAT32 = 7 };

struct printed {
    int decimals; /* none of the numbers has more; 0: they have */
    int digits;   /* none has more significant digits; 0: they have. Where decimals says it, this says nothing */
    /* those that are not 0, and how many of either they have together */
    double numbers, decimals_of_all, digits_of_all;
};

/* What tells numbers that were printed, into *printed, which begins as {0}: for several tensors one after the other.
 * False once some number has more of either than was printed. */
bool printed_add(struct printed *printed, size_t n, const double *values);

/* Whether all numbers so far were printed, with at least PRINTED_LEAST of either; settles which of the two is told. */
bool printed_settle(struct printed *printed);

/* Half a unit of the last place that a number was printed with: what it may be off by. */
double printed_half_unit(const struct printed *printed, double number);

#endif
