#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"
#include "core/ops/writing.h"

static const struct op_case cases[] = {UNARY_CASES,
                                       {.count = 1, .in = {{2, {3, 4}}}, .set = {{"negative_slope", 0.3}}},
                                       {.count = 1, .in = {{3, {3, 2, 3}}}, .set = {{"negative_slope", 1.7}}},
                                       {.count = 0}};

static bool times_input(const struct step_call *call, struct alternative *made)
{
    double slope = call->call->attributes[0];
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] * (call->x[i] > 0 ? 1 : slope * call->x[i]);
    return true;
}

const struct mistake mistake_slope_times_input = {
    .id = "slope_times_input",
    .step = STEP_INPUT,
    .rank = 11,
    .summary = "leaky ReLU: slope * z where its derivative is the slope",
    .message =
        "Where {z} is negative, the derivative of {f} was taken to be slope * {z}, which is the function itself. "
        "Right is {dz} = {dh} * {mask}.",
    .hint = "The derivative of a * z with respect to z is a.",
    .wrong = "dz = dh * np.where(z > 0, 1, 0.01 * z)",
    .right = "dz = dh * np.where(z > 0, 1, 0.01)",
    .source = "pluskid/Mocha.jl#94",
    .alternative = times_input,
};

static bool write(struct op_writing *w)
{
    char slope[WRITING_NUMBER];
    writing_number(w->attributes[0], slope);
    return w->input == WRITING_OUTPUT ? writing_put(w, "np.where({x} > 0, {x}, %s * {x})", slope)
                                      : writing_put(w, "{dy} * np.where({x} > 0, 1, %s)", slope);
}

const struct op op_leaky_relu = {
    .name = "leaky_relu",
    .summary = "x for x > 0, else negative_slope * x",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "negative_slope", .kind = ATTRIBUTE_REAL, .fallback = 0.01, .least = -HUGE_VAL}},
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .write = write,
    .map = MAP_leaky_relu,
    .kink = KINK_INPUT,
    .mistakes = (const struct mistake *const[]){&mistake_relu_gradient_at_zero, &mistake_mask_from_gradient,
                                                &mistake_inverted_mask, &mistake_half_at_zero,
                                                &mistake_slope_times_input, NULL},
    .cases = cases,
};
