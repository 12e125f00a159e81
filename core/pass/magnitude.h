/* How far off rounding may leave a pass. Each number has what it is made of: of z = x @ W + b that is |x| @ |W| + |b|,
 * and whoever adds that up in another order is off by about a rounding of it. What becomes of such roundings on their
 * way is found out by passes in which each number is off by a little of that, up or down at random: how far off the
 * others are. (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 3.3; D. S. Parker, Monte Carlo Arithmetic,
 * 1997.) A bound of the worst case would do for few layers: in a deep network it is more than the gradients themselves.
 */
#ifndef CORE_PASS_MAGNITUDE_H
#define CORE_PASS_MAGNITUDE_H

#include "core/pass/exactness.h"

struct magnitudes {
    struct exactness exactness;
    /* by value of the graph, per element, in units of eps: how far off it may be; NULL where there is none */
    double **values, **gradients;
    double **terms; /* likewise: what a value is made of */
};

/* So many times that a number may be off by in whatever order it was computed. */
#define MAGNITUDE_ROUNDINGS 64

/* So much memory it takes, in passes: four lists by value and four by gradient, and room for the largest node. */
#define MAGNITUDE_PASSES 6

/* Whether one element is what it is in whatever order its sum is taken. */
bool magnitude_is_exact(const struct magnitudes *magnitudes, const struct value *value, size_t element);

/* Of a pass in float64 on the CPU, after forward and backward; eps says which numbers are exact. CODE_OUT_OF_MEMORY,
 * CODE_CANCELLED; errors of the ops. Its memory is the arena's, MAGNITUDE_PASSES times what the pass has; it takes the
 * time of about 20 such passes. The pass is left as it was. */
int magnitudes_of(struct arena *arena, const struct pass *pass, double eps, struct magnitudes *magnitudes,
                  struct error *error);

#endif
