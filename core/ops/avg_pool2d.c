#include "core/ops/pooling.h"

static const struct op_case cases[] = {POOLING_CASES_2D, {.count = 0}};

const struct op op_avg_pool2d = {
    .name = "avg_pool2d",
    .summary = "the mean of each window, zeros around the input counted: PyTorch's AvgPool2d",
    .kind = OP_LAYER,
    .attributes = {POOLING_ATTRIBUTES_2D},
    .slots = unary_slots,
    .plan = pooling_plan_2d,
    .forward = pooling_forward,
    .backward = pooling_backward,
    .fold = FOLD_mean,
    .cases = cases,
};
