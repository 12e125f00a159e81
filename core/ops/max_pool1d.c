#include "core/ops/pooling.h"

static const struct op_case cases[] = {POOLING_CASES_1D, {.count = 0}};

const struct op op_max_pool1d = {
    .name = "max_pool1d",
    .summary = "the largest in each window; of several the first one has the gradient: PyTorch's MaxPool1d",
    .kind = OP_LAYER,
    .attributes = {POOLING_ATTRIBUTES_1D},
    .slots = unary_slots,
    .plan = pooling_plan_1d,
    .forward = pooling_forward,
    .backward = pooling_backward,
    .fold = FOLD_max,
    .kink = KINK_TIES,
    .sides = pooling_sides,
    .cases = cases,
};
