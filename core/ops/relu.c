#include "core/ops/elementwise.h"

const struct op op_relu = {
    .name = "relu",
    .summary = "max(0, x); its gradient at 0 is 0",
    .kind = OP_ACTIVATION,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_relu,
    .kink = KINK_INPUT,
};
