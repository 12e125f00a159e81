#include "core/ops/elementwise.h"

static bool on_probabilities(const double *attributes)
{
    (void)attributes;
    return true;
}

const struct op op_bce = {
    .name = "bce",
    .summary = "-(y * log(y_hat) + (1 - y) * log(1 - y_hat)), on probabilities, each log at least -100",
    .kind = OP_LOSS,
    .plan = elementwise_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .loss = LOSS_bce,
    .on_probabilities = on_probabilities,
    .test_low = 0.05,
    .test_high = 0.95,
};
