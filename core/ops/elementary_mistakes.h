/* What can be done wrong on the way back through elementary ops: lists for op->mistakes, each ending with NULL. */
#ifndef CORE_OPS_ELEMENTARY_MISTAKES_H
#define CORE_OPS_ELEMENTARY_MISTAKES_H

#include "core/ops/mistake.h"

/* core/ops/binary_mistakes.c: a + b and a - b, a * b, a / b, a**b, the larger and the smaller */
extern const struct mistake *const mistakes_of_sums[],
    *const mistakes_of_products[], *const mistakes_of_quotients[], *const mistakes_of_raised[],
                                                                       *const mistakes_of_larger[];

/* core/ops/function_mistakes.c: x**p with a number p, roots and reciprocals among them; exp and log */
extern const struct mistake *const mistakes_of_powers[], *const mistakes_of_exponentials[];

/* core/ops/reduction_mistakes.c: sum and mean, the variance, max and min, other folds, cumulative sums */
extern const struct mistake *const mistakes_of_averages[],
    *const mistakes_of_variance[], *const mistakes_of_extremes[], *const mistakes_of_folds[],
                                                                      *const mistakes_of_cumsum[];

/* core/ops/matmul_mistakes.c */
extern const struct mistake *const mistakes_of_matmul[];

/* core/ops/indexing_mistakes.c: x[i] with lists of indices; views; where */
extern const struct mistake *const mistakes_of_indices[], *const mistakes_of_views[], *const mistakes_of_where[];

#endif
