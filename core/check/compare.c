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

/* Whether both are the same number of units of so many decimals, or half a unit apart at most. */
static bool same_decimals(double s, double r, double decimals)
{
    double unit = pow(10, decimals), units = round(s * unit);
    return isfinite(units) && units == round(r * unit);
}

/* ||s - r|| / (||s|| + ||r||), of finite numbers; divided by the largest, so that no square overflows or vanishes. */
static double relative_norm(size_t n, const double *student, const double *reference)
{
    double largest = 0, off = 0, s = 0, r = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fmax(fabs(student[i]), fabs(reference[i])));
    if (largest == 0) return 0;
    for (size_t i = 0; i < n; i++) {
        double a = student[i] / largest, b = reference[i] / largest;
        off += (a - b) * (a - b);
        s += a * a;
        r += b * b;
    }
    return sqrt(off) / (sqrt(s) + sqrt(r));
}

/* By the rules that look at one element at a time. */
static bool is_near(double s, double r, double difference, const struct tolerance_rule *rule,
                    struct tolerance tolerance)
{
    if (!(difference <= DBL_MAX)) return false;
    if (rule->kind == TOLERANCE_RELATIVE_ERROR) return difference == 0 || relative_difference(s, r) <= rule->limit;
    if (difference <= tolerance.atol + tolerance.rtol * fabs(r)) return true;
    return rule->kind == TOLERANCE_DECIMALS && same_decimals(s, r, rule->limit);
}

struct comparison compare_elements(size_t n, const double *student, const double *reference,
                                   const struct tolerance_rule *rule, struct tolerance tolerance, const double *allowed)
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
        bool passes = is_near(s, r, difference, rule, tolerance) || (allowed != NULL && difference <= allowed[i]);
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
    if (rule->kind != TOLERANCE_RELATIVE_NORM || c.not_finite > 0 || c.compared == 0) return c;
    if (relative_norm(n, student, reference) <= rule->limit)
        c.mismatches = 0;
    else if (c.mismatches == 0)
        c.mismatches = 1; /* each is near enough, and all of them together are not: the worst stands for them */
    return c;
}

void compare_mark(size_t n, const double *student, const double *reference, const struct tolerance_rule *rule,
                  struct tolerance tolerance, bool *wrong)
{
    for (size_t i = 0; i < n; i++)
        wrong[i] = !is_near(student[i], reference[i], fabs(student[i] - reference[i]), rule, tolerance);
}
