#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"
#include "core/ops/writing.h"

static const struct op_case cases[] = {UNARY_CASES,
                                       {.count = 1, .in = {{2, {3, 4}}}, .set = {{"alpha", 0.3}}},
                                       {.count = 1, .in = {{3, {3, 2, 3}}}, .set = {{"alpha", 1.7}}},
                                       {.count = 0}};

/* Left of 0 the derivative is h + alpha. */
enum { WITHOUT, ONE_FOR_ALPHA, OFFSETS };

static bool offset(const struct step_call *call, struct alternative *made)
{
    for (size_t i = 0; i < call->rows * call->in; i++) {
        double left = made->variant == WITHOUT ? call->y[i] : call->y[i] + 1;
        made->value[i] = call->dy[i] * (call->x[i] > 0 ? 1 : left);
    }
    return true;
}

static const char *offset_words(size_t variant)
{
    return variant == WITHOUT ? "h" : "h + 1";
}

const struct mistake mistake_elu_offset = {
    .id = "elu_offset",
    .step = STEP_INPUT,
    .rank = 11,
    .summary = "ELU: h or h + 1 where its derivative is h + alpha",
    .message = "Where {z} is negative, the derivative of {f} was taken to be {used}, h being {h}. Right is h + alpha, "
               "which is alpha * exp({z}).",
    .hint = "The derivative of alpha * (exp(z) - 1) is alpha * exp(z), which is the output plus alpha.",
    .wrong = "dz = dh * np.where(z > 0, 1, h)",
    .right = "dz = dh * np.where(z > 0, 1, h + alpha)",
    .alternative = offset,
    .variants = OFFSETS,
    .variant_words = offset_words,
};

static bool write(struct op_writing *w)
{
    char alpha[WRITING_NUMBER];
    writing_number(w->attributes[0], alpha);
    return w->input == WRITING_OUTPUT ? writing_put(w, "np.where({x} > 0, {x}, %s * np.expm1({x}))", alpha)
                                      : writing_put(w, "{dy} * np.where({x} > 0, 1, {y} + %s)", alpha);
}

const struct op op_elu = {
    .name = "elu",
    .summary = "x for x > 0, else alpha * (exp(x) - 1)",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "alpha", .kind = ATTRIBUTE_REAL, .fallback = 1, .least = -HUGE_VAL}},
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .write = write,
    .map = MAP_elu,
    .slope_of_output = "np.where(h > 0, 1, h + alpha)",
    .kink = KINK_INPUT,
    .mistakes = (const struct mistake *const[]){&mistake_output_formula_at_input, &mistake_elu_offset, NULL},
    .cases = cases,
};
