#include <math.h>

#include "core/ops/elementwise.h"

const struct op op_elu = {
    .name = "elu",
    .summary = "x for x > 0, else alpha * (exp(x) - 1)",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "alpha", .kind = ATTRIBUTE_REAL, .fallback = 1, .least = -HUGE_VAL}},
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_elu,
    .kink = KINK_INPUT,
};
