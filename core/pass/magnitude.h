/* How far off rounding may leave a pass: running error analysis, to first order, op by op. Each value, and each
 * gradient, has the sum of the magnitudes that went into it: computed in any order, with a rounding to eps at each
 * step, it is off by about eps times that. For z = x @ W + b it is |x| @ |W| + |b|, and what x is off by times |W|; for
 * dW it is |x|.T @ |dz|, dz's own included. (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 3.3.) */
#ifndef CORE_PASS_MAGNITUDE_H
#define CORE_PASS_MAGNITUDE_H

#include "core/pass/pass.h"

struct magnitudes {
    double **values, **gradients; /* by value of the graph, per element, in units of eps; NULL where there is none */
    int *unit;   /* by value: a power of two, its exponent, that all terms of its sums are multiples of, where what goes
                    into them is exact; else MAGNITUDE_NO_UNIT */
    bool *exact; /* by value: no element's sum is rounded in any order, as with small whole numbers */
};

/* So many roundings of its magnitude a number may be off by in whatever order it was computed. */
#define MAGNITUDE_ROUNDINGS 16

enum { MAGNITUDE_NO_UNIT = -(1 << 20) };

/* Whether one element is what it is in whatever order its sum is taken. */
bool magnitude_is_exact(const struct magnitudes *magnitudes, const struct value *value, size_t element);

/* Of a pass in float64 on the CPU, after forward and backward. CODE_OUT_OF_MEMORY; errors of the ops. Its memory is the
 * arena's; the pass is left as it was. */
int magnitudes_of(struct arena *arena, const struct pass *pass, struct magnitudes *magnitudes, struct error *error);

#endif
