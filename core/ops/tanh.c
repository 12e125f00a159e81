#include "core/ops/elementwise.h"

const struct op op_tanh = {
    .name = "tanh",
    .summary = "tanh(x)",
    .kind = OP_ACTIVATION,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_tanh,
};
