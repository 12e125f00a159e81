#include "core/ops/pooling.h"

static const struct op_case cases[] = {POOLING_CASES_1D, {.count = 0}};

const struct op op_avg_pool1d = {
    .name = "avg_pool1d",
    .summary = "the mean of each window, zeros around the input counted: PyTorch's AvgPool1d",
    .kind = OP_LAYER,
    .attributes = {POOLING_ATTRIBUTES_1D},
    .slots = unary_slots,
    .plan = pooling_plan_1d,
    .forward = pooling_forward,
    .backward = pooling_backward,
    .fold = FOLD_mean,
    .cases = cases,
};
