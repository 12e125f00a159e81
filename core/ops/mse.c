#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

static double half(const struct loss_call *call, size_t variant)
{
    (void)call;
    (void)variant;
    return 0.5;
}

const struct mistake mistake_missing_factor_two = {
    .id = "missing_factor_two",
    .step = STEP_LOSS,
    .rank = 2,
    .summary = "the 2 of d(e**2)/de is missing",
    .message = "The gradient of the squared error lacks its factor 2: it is half as large as it should be.",
    .hint = "d(e**2)/de = 2e. (Only half the squared error has the gradient e, without the 2.)",
    .wrong = "dy_hat = (y_hat - y) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "davisking/dlib#1169",
    .factor = half,
};

const struct op op_mse = {
    .name = "mse",
    .summary = "(y_hat - y)**2",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .of_difference = true,
    .plan = loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .sent = {"2 * {dy} * ({y_hat} - {y})"},
    .loss = LOSS_squared_error,
    .mistakes = (const struct mistake *const[]){&mistake_missing_factor_two, NULL},
    .cases = loss_cases,
};
