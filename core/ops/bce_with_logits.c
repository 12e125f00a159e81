#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

extern const struct op op_sigmoid;

const struct op op_bce_with_logits = {
    .name = "bce_with_logits",
    .summary = "binary cross-entropy of sigmoid(y_hat) and y, on logits",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .plan = loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .sent = {"{dy} * (sigmoid({y_hat}) - {y})"},
    .loss = LOSS_bce_with_logits,
    .goes_with = &op_sigmoid,
    .mistakes =
        (const struct mistake *const[]){&mistake_mse_shortcut, &mistake_missing_bce_term, &mistake_bce_term_sign, NULL},
    .cases = loss_cases,
};
