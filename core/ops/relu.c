#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

/* Left of 0 the slope is that of a leaky ReLU; a ReLU has no attribute, and 0 in its place. */
static double left_slope(const struct step_call *call)
{
    return call->call->attributes[0];
}

static bool at_zero(const struct step_call *call, struct alternative *made)
{
    double left = left_slope(call);
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->x[i] >= 0 ? call->dy[i] : call->dy[i] * left;
    return true;
}

const struct mistake mistake_relu_gradient_at_zero = {
    .id = "relu_gradient_at_zero",
    .step = STEP_INPUT,
    .rank = 5,
    .summary = "a ReLU passes the gradient on where its input is exactly 0",
    .message = "The gradient went through {f} where its input {z} is exactly 0. In the convention here, PyTorch's, 0 "
               "belongs to the negative side: {dz} = {dh} * {mask}.",
    .hint = "Compare with > instead of >=. With zero biases and an input of zeros, exact zeros do happen.",
    .wrong = "dz = dh * (z >= 0)",
    .right = "dz = dh * (z > 0)",
    .source = "uptake/numpynet#35",
    .alternative = at_zero,
};

static bool mask_from_gradient(const struct step_call *call, struct alternative *made)
{
    double left = left_slope(call);
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] > 0 ? call->dy[i] : call->dy[i] * left;
    return true;
}

const struct mistake mistake_mask_from_gradient = {
    .id = "mask_from_gradient",
    .step = STEP_INPUT,
    .rank = 6,
    .summary = "a ReLU masks by the sign of the gradient instead of its input",
    .message = "{f}'s mask was taken from the incoming gradient: {dz} = {dh} * {mask_dh}. It belongs to the "
               "forward value: {dz} = {dh} * {mask}.",
    .hint = "Which units were active is decided in the forward pass; take the mask from {z}.",
    .wrong = "dz = dh * (dh > 0)",
    .right = "dz = dh * (z > 0)",
    .alternative = mask_from_gradient,
    .nonlinear = true,
};

const struct op op_relu = {
    .name = "relu",
    .summary = "max(0, x); its gradient at 0 is 0",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_relu,
    .dies = true,
    .kink = KINK_INPUT,
    .mistakes = (const struct mistake *const[]){&mistake_relu_gradient_at_zero, &mistake_mask_from_gradient, NULL},
    .cases = unary_cases,
};
