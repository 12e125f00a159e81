#include "core/ops/elementwise.h"

const struct op op_exp = {
    .name = "exp",
    .summary = "e**x",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_exp,
    .cases = unary_cases,
};
