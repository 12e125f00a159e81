#include "core/ops/elementwise.h"

const struct op op_l1 = {
    .name = "l1",
    .summary = "|y_hat - y|",
    .kind = OP_LOSS,
    .plan = elementwise_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .loss = LOSS_absolute_error,
    .kink = KINK_ERROR,
};
