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

#endif
