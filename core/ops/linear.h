/* What the files of the linear layer share: core/ops/linear.c, and its mistakes by what they are made in. */
#ifndef CORE_OPS_LINEAR_H
#define CORE_OPS_LINEAR_H

#include "core/ops/mistake.h"

enum { LINEAR_OUT_FEATURES, LINEAR_IN_FEATURES, LINEAR_WITH_BIAS, LINEAR_TRANSPOSED };
enum { LINEAR_X, LINEAR_WEIGHT, LINEAR_BIAS };

static inline const double *linear_weight(const struct step_call *call)
{
    return call->call->x[LINEAR_WEIGHT];
}

/* What somebody may have gone on with as the weight's gradient: what was handed in for it, that before l2's part was
 * added, or what it would be without a mistake of its own. */
enum { DW_AS_IT_IS, DW_UNREGULARIZED, DW_UNSPOILT, DW_READINGS };

/* One of them, less l2 times the weight; NULL where it is not known, or no other than the first. Its words: NULL for
 * the first. */
const double *linear_dW(const struct step_call *call, size_t reading, double *l2);
const char *linear_dW_words(size_t reading);

#endif
