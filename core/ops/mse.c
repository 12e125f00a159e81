#include "core/ops/elementwise.h"

const struct op op_mse = {
    .name = "mse",
    .summary = "(y_hat - y)**2",
    .kind = OP_LOSS,
    .plan = elementwise_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .loss = LOSS_squared_error,
};
