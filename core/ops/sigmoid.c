#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

/* The derivative's formula is one of the output; here the input stands for it. */
static bool formula_at_input(const struct step_call *call, struct alternative *made)
{
    if (call->call->op->map == MAP_elu) {
        for (size_t i = 0; i < call->rows * call->in; i++)
            made->value[i] = call->dy[i] * (call->x[i] > 0 ? 1 : call->x[i] + call->call->attributes[0]);
        return true;
    }
    return call->call->backend->map_gradient(call->call->op->map, 0, call->rows * call->in, call->x, call->x, call->dy,
                                             made->value) == CODE_OK;
}

const struct mistake mistake_output_formula_at_input = {
    .id = "output_formula_at_input",
    .step = STEP_INPUT,
    .rank = 9,
    .summary = "the derivative's formula in terms of the output, applied to the input",
    .message = "The formula of {f}'s derivative in terms of its output was given its input {z}: "
               "{formula_at_input}. It holds for {h}.",
    .hint = "h * (1 - h), 1 - h**2 and h + alpha want the activation's output; hand them {h}.",
    .wrong = "dz = dh * z * (1 - z)",
    .right = "dz = dh * h * (1 - h)",
    .source = "BoltzmannEntropy/interviews.ai#15",
    .alternative = formula_at_input,
};

static bool without_parentheses(const struct step_call *call, struct alternative *made)
{
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] * call->y[i] - call->y[i] * call->y[i];
    return true;
}

static const struct mistake mistake_precedence = {
    .id = "operator_precedence",
    .step = STEP_INPUT,
    .rank = 16,
    .summary = "sigmoid: dh * h - h**2 for dh * (h - h**2)",
    .message = "{dz} was computed as {dh} * {h} - {h}**2: the parentheses are missing. Right is {dz} = {dh} * ({h} - "
               "{h}**2).",
    .hint = "Put parentheses around the whole derivative before you multiply.",
    .wrong = "dz = dh * h - h**2",
    .right = "dz = dh * (h - h**2)",
    .alternative = without_parentheses,
    .nonlinear = true,
    .unscaled = true,
};

const struct op op_sigmoid = {
    .name = "sigmoid",
    .summary = "1 / (1 + exp(-x))",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .written = "sigmoid({x})",
    .sent = {"{dy} * {y} * (1 - {y})"},
    .map = MAP_sigmoid,
    .slope_of_output = "h * (1 - h)",
    .saturates_below = 0.01,
    .saturates_above = 0.99,
    .mistakes =
        (const struct mistake *const[]){&mistake_output_formula_at_input, &mistake_precedence,
                                        &mistake_squared_derivative_slip, &mistake_product_for_elementwise, NULL},
    .cases = unary_cases,
};
