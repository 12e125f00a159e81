#include "core/ops/elementwise.h"

const struct op op_sigmoid = {
    .name = "sigmoid",
    .summary = "1 / (1 + exp(-x))",
    .kind = OP_ACTIVATION,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_sigmoid,
};
