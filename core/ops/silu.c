#include "core/ops/elementwise.h"

const struct op op_silu = {
    .name = "silu",
    .summary = "x * sigmoid(x)",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_silu,
    .cases = unary_cases,
};
