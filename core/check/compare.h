/* The verdict: a student's numbers against the reference's. */
#ifndef CORE_CHECK_COMPARE_H
#define CORE_CHECK_COMPARE_H

#include "core/check/tolerance.h"

struct comparison {
    size_t mismatches;       /* elements outside the tolerance, those that are not finite included */
    size_t not_finite;       /* the student's NaN and infinities */
    size_t first_not_finite; /* offset of the first of them */
    size_t compared;         /* finite elements: where 0, the three below mean nothing */
    double max_abs_diff;     /* over finite elements; a difference that overflows counts as the largest float64 */
    double max_rel_diff;     /* max |a-b| / max(|a|+|b|, 1e-8): CS231n's relative error */
    size_t worst;            /* offset of the largest absolute difference, the first of equals */
};

/* Compares n elements in the same layout by a rule, which comes to `tolerance` for this tensor (tolerance_of). An
 * element passes, too, where it differs by no more than `allowed` says, unless that is NULL; and only where a
 * comparison says so that is false for NaN: nothing that is not a number can pass, and nothing matches a reference that
 * is not finite. */
struct comparison compare_elements(size_t n, const double *student, const double *reference,
                                   const struct tolerance_rule *rule, struct tolerance tolerance,
                                   const double *allowed);

/* Which of n elements are outside the tolerance, or not finite, into wrong[n]: each by itself, so that a rule about the
 * whole tensor may have none where that fails. */
void compare_mark(size_t n, const double *student, const double *reference, const struct tolerance_rule *rule,
                  struct tolerance tolerance, bool *wrong);

#endif
