#include "core/ops/elementwise.h"

const struct op op_softplus = {
    .name = "softplus",
    .summary = "log(1 + exp(x)); x itself above 20",
    .kind = OP_ACTIVATION,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_softplus,
    .kink = KINK_INPUT, /* a step of 2e-9 there */
    .kink_at = 20,
};
