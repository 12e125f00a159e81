/* Which values are not rounded at all: sums of whole multiples of a power of two, as of small whole numbers, that are
 * the same in whatever order they are taken. What lies at a kink so lies there for everybody. */
#ifndef CORE_PASS_EXACTNESS_H
#define CORE_PASS_EXACTNESS_H

#include "core/pass/pass.h"

struct exactness {
    double eps; /* of the arithmetic: DBL_EPSILON or FLT_EPSILON */
    /* by value of the graph: whether no element is rounded; a power of two, its exponent, that all of its elements, and
     * all terms of its sums, are multiples of, where what goes into them is exact */
    bool *exact;
    int *of_elements, *of_terms;
};

/* Room for that many values. False when memory is short. */
bool exactness_new(struct arena *arena, size_t values, double eps, struct exactness *exactness);

/* A value that is given; and what a node makes of values that are known, `terms` being the magnitudes that each of its
 * numbers is a sum of, by element. */
void exactness_given(struct exactness *exactness, const struct pass *pass, const struct value *value);
void exactness_made(struct exactness *exactness, const struct pass *pass, const struct node *node, const double *terms);

/* Whether an element of a value is what it is in whatever order its sum is taken. */
bool exactness_of(const struct exactness *exactness, size_t value, double terms);

#endif
