#include "core/check/compare.h"

#include <float.h>
#include <math.h>

/* Below this |a|+|b| CS231n's relative error is an absolute one. */
#define RELATIVE_FLOOR 1e-8

/* Halves, so that neither the difference nor the sum of two finite numbers overflows; the quotient is the
 * same. */
static double relative_difference(double a, double b)
{
    double sum = fabs(a / 2) + fabs(b / 2);
    return fabs(a / 2 - b / 2) / fmax(sum, RELATIVE_FLOOR / 2);
}

struct comparison compare_elements(size_t n, const double *student, const double *reference, struct tolerance tolerance)
{
    struct comparison c = {0};
    for (size_t i = 0; i < n; i++) {
        double s = student[i], r = reference[i];
        if (!isfinite(s)) {
            if (c.not_finite++ == 0) c.first_not_finite = i;
            c.mismatches++;
            continue;
        }
        double difference = fabs(s - r);
        bool passes = difference <= tolerance.atol + tolerance.rtol * fabs(r) && difference <= DBL_MAX;
        if (!passes) c.mismatches++;
        if (!(difference <= DBL_MAX)) difference = DBL_MAX;
        if (c.compared++ == 0 || difference > c.max_abs_diff) {
            c.max_abs_diff = difference;
            c.worst = i;
        }
        if (difference > 0 && isfinite(r)) { /* equal numbers, the usual case, need no division */
            double relative = relative_difference(s, r);
            if (relative > c.max_rel_diff) c.max_rel_diff = relative;
        }
    }
    return c;
}
