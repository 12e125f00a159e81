/* Whether a hypothesis reproduces what was handed in, and how much that is worth. */
#ifndef CORE_DIAGNOSIS_MATCH_H
#define CORE_DIAGNOSIS_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/check/compare.h"

/* How well numbers agree: to the rounding of float64 or of float32, or within the tolerance of the check. */
enum fit { FIT_EXACT, FIT_FLOAT32, FIT_TOLERANCE, FIT_NONE };

struct match {
    enum fit fit;
    double residual; /* the largest difference */
    bool with_l2;    /* ... where a factor on the loss is on the part of the regularization, too */
    /* Decimal digits by which the hypothesis is nearer than the reference, summed over the elements that the reference
     * does not account for, less those by which it is further off anywhere: what it would take for a coincidence. */
    double digits;
    bool shape; /* what was handed in has a shape that only one mistake makes: evidence for that beyond all counting */
};

struct matching {
    double scale; /* the largest magnitude of the reference gradients: what rounding errors may be measured by */
    double clip;  /* limit to which predictions are clipped before they are compared; infinite where there is none */
};

/* Compares what was handed in with what a hypothesis predicts, by the tensor's tolerance. bound: a difference beyond
 * which nothing fits, where the comparison may end; match_bound's, or infinite. */
struct match match_numbers(const struct matching *matching, struct tolerance tolerance, size_t n, const double *student,
                           const double *predicted, const double *reference, double bound);

/* Whether what a mistake makes differs from what is right by more than rounding: else nobody could see it. */
bool match_differs(size_t n, const double *right, const double *made);

/* The largest difference from any prediction that fits, for a tensor whose largest magnitude handed in is `largest`. */
double match_bound(const struct matching *matching, struct tolerance tolerance, double largest);

#endif
