#include "core/ops/elementwise.h"

static const struct op_case cases[] = {
    UNARY_CASES, {.count = 1, .in = {{2, {3, 7}}}, .low = 19, .high = 21}, {.count = 0}};

const struct op op_softplus = {
    .name = "softplus",
    .summary = "log(1 + exp(x))",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_softplus,
    .cases = cases,
};
