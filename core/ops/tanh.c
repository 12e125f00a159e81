#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

static bool without_parentheses(const struct step_call *call, struct alternative *made)
{
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] - call->y[i] * call->y[i];
    return true;
}

const struct mistake mistake_operator_precedence = {
    .id = "operator_precedence",
    .step = STEP_INPUT,
    .rank = 16,
    .summary = "tanh: dh - h**2 for dh * (1 - h**2)",
    .message = "{dz} was computed as {dh} * 1 - {h}**2, which is {dh} - {h}**2: the parentheses are missing. "
               "Right is {dz} = {dh} * (1 - {h}**2).",
    .hint = "Put parentheses around the whole derivative before you multiply.",
    .wrong = "dz = dh * 1 - h**2",
    .right = "dz = dh * (1 - h**2)",
    .source = "apache/tvm#7340",
    .alternative = without_parentheses,
    .nonlinear = true,
    .unscaled = true,
};

const struct op op_tanh = {
    .name = "tanh",
    .summary = "tanh(x)",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .written = "np.tanh({x})",
    .sent = {"{dy} * (1 - {y}**2)"},
    .map = MAP_tanh,
    .slope_of_output = "(1 - h**2)",
    .saturates_below = -0.99,
    .saturates_above = 0.99,
    .mistakes =
        (const struct mistake *const[]){&mistake_output_formula_at_input, &mistake_operator_precedence,
                                        &mistake_squared_derivative_slip, &mistake_product_for_elementwise, NULL},
    .cases = unary_cases,
};
