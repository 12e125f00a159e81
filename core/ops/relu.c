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

/* Left of 0 the slope of the right, and the other way round; at 0 as on either side. */
enum { ZERO_IS_LEFT, ZERO_IS_RIGHT, INVERTED };

static bool inverted(const struct step_call *call, struct alternative *made)
{
    double left = left_slope(call);
    for (size_t i = 0; i < call->rows * call->in; i++) {
        bool is_left = made->variant == ZERO_IS_LEFT ? call->x[i] <= 0 : call->x[i] < 0;
        made->value[i] = is_left ? call->dy[i] : call->dy[i] * left;
    }
    return true;
}

static const char *inverted_words(size_t variant)
{
    return variant == ZERO_IS_LEFT ? "z <= 0" : "z < 0";
}

const struct mistake mistake_inverted_mask = {
    .id = "inverted_mask",
    .step = STEP_INPUT,
    .rank = 8,
    .summary = "a ReLU passes the gradient on where its input is negative",
    .message = "{f}'s mask is the wrong way round, {used}: the gradient went through where {z} is negative. Right is"
               " {dz} = {dh} * {mask}.",
    .hint = "The units that were active in the forward pass are those that a gradient goes through.",
    .wrong = "dz = dh * (z <= 0)",
    .right = "dz = dh * (z > 0)",
    .alternative = inverted,
    .variants = INVERTED,
    .variant_words = inverted_words,
};

static bool half(const struct step_call *call, struct alternative *made)
{
    double left = left_slope(call);
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] * (call->x[i] > 0 ? 1 : call->x[i] < 0 ? left : (1 + left) / 2);
    return true;
}

const struct mistake mistake_half_at_zero = {
    .id = "half_at_zero",
    .step = STEP_INPUT,
    .rank = 9,
    .summary = "a ReLU passes half of the gradient on where its input is exactly 0, as central differences do",
    .message = "Where the input {z} of {f} is exactly 0, its derivative was taken to be the mean of both sides, as "
               "central differences have it. In the convention here, PyTorch's, 0 belongs to the negative side: {dz} = "
               "{dh} * {mask}.",
    .hint = "A numerical gradient across a kink is the mean of the slopes on both sides: check away from it.",
    .wrong = "dz = dh * np.heaviside(z, 0.5)",
    .right = "dz = dh * (z > 0)",
    .source = "pytorch/pytorch#114234",
    .alternative = half,
};

const struct op op_relu = {
    .name = "relu",
    .summary = "max(0, x); its gradient at 0 is 0",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .written = "np.maximum({x}, 0)",
    .sent = {"{dy} * ({x} > 0)"},
    .map = MAP_relu,
    .dies = true,
    .kink = KINK_INPUT,
    .mistakes = (const struct mistake *const[]){&mistake_relu_gradient_at_zero, &mistake_mask_from_gradient,
                                                &mistake_inverted_mask, &mistake_half_at_zero, NULL},
    .cases = unary_cases,
};
