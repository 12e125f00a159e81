#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

const struct op op_nll = {
    .name = "nll",
    .summary = "-y_hat[class], on log-probabilities",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .plan = class_loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .sent = {"-{dy} * {y}"},
    .loss = LOSS_nll,
    .target = TARGET_CLASSES,
    .mean_over_batch = true,
    .mistakes = (const struct mistake *const[]){&mistake_mse_shortcut, NULL},
    .cases = class_loss_cases,
};
