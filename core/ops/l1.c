#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

/* Where the slope is that of |e|, as far from the target; the quadratic middle that smooth_l1 and huber have keeps its
 * sign. */
static bool without_sign(const struct loss_call *call, struct loss_direction *d)
{
    const struct op_call *loss = call->call;
    const double far = HUGE_VAL, target = 0;
    double steepest = 1;
    loss->backend->loss_gradient(loss->op->loss, loss->attributes[0], 1, 1, &far, &target, &steepest);
    direction_right(call, d);
    for (size_t i = 0; i < call->elements; i++)
        if (loss->op->loss == LOSS_absolute_error || fabs(d->value[i]) >= steepest * (1 - 1e-12))
            d->value[i] = steepest;
    direction_add_scale(d, call->factor);
    return true;
}

const struct mistake mistake_l1_sign_lost = {
    .id = "l1_sign_lost",
    .step = STEP_LOSS,
    .rank = 7,
    .summary = "the sign of the error is missing from the gradient of an absolute error",
    .message = "The gradient of {loss} was computed without the sign of the error: it is positive everywhere.",
    .hint = "d|e|/de is +1 where the output is too large and -1 where it is too small.",
    .wrong = "dy_hat = np.ones_like(e) / e.size",
    .right = "dy_hat = np.sign(e) / e.size",
    .direction = without_sign,
};

const struct op op_l1 = {
    .name = "l1",
    .summary = "|y_hat - y|",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .of_difference = true,
    .plan = loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .sent = {"{dy} * np.sign({y_hat} - {y})"},
    .loss = LOSS_absolute_error,
    .kink = KINK_ERROR,
    .mistakes = (const struct mistake *const[]){&mistake_l1_sign_lost, NULL},
    .cases = loss_cases,
};
