/* Wrong ways back through functions of one number that are no activations: powers, roots, exponentials, logarithms. */
#include <math.h>
#include <string.h>

#include "core/ops/elementwise.h"
#include "core/ops/elementary_mistakes.h"

/* ---- x**p, of which squares, roots and reciprocals are some ---- */

/* The exponent: the op's number, where it is not a function of its own. */
static double exponent_of(const struct op_call *call)
{
    if (call->op->forward != elementwise_forward) return call->attributes[0];
    return call->op->map == MAP_square ? 2 : call->op->map == MAP_sqrt ? 0.5 : -1;
}

/* dx = dy * factor * x**power: each factor with each power, but for the right ones; and with base and exponent
 * exchanged. */
enum { FACTORS = 5, POWERS = 5, EXCHANGED = FACTORS * POWERS, VARIANTS };

static bool of_power(const struct step_call *step, struct alternative *made)
{
    double p = exponent_of(step->call);
    for (size_t i = 0; made->variant == EXCHANGED && i < op_elements(step->call->out); i++)
        made->value[i] = step->dy[i] * step->x[i] * pow(p, step->x[i] - 1);
    if (made->variant == EXCHANGED) return p > 0;
    const double factors[FACTORS] = {p, 1, -p, p - 1, 2}, powers[POWERS] = {p - 1, p, 1, 0, p + 1};
    double factor = factors[made->variant / POWERS], power = powers[made->variant % POWERS];
    bool right = factor == p && power == p - 1;
    for (size_t i = 0; i < made->variant; i++) /* the same as one before, of some exponents */
        right = right || (factors[i / POWERS] == factor && powers[i % POWERS] == power);
    bool is_factor = power == p - 1; /* then it is but a factor on what is right, which has words of its own: */
    if (right || (is_factor && factor != 1)) return false;
    for (size_t i = 0; i < op_elements(step->call->out); i++)
        made->value[i] = step->dy[i] * factor * pow(step->x[i], power);
    return true;
}

const struct mistake mistake_power_rule = {
    .id = "power_rule",
    .step = STEP_INPUT,
    .rank = 3,
    .summary = "the power rule: the exponent or the reduced power is missing",
    .message = "What comes back through a power is not its derivative: for y = x**p it is dx = dy * p * x**(p - 1).",
    .in_line = "What comes back to {value} through the power is not its derivative: for y = x**p it is "
               "dx = dy * p * x**(p - 1), here with p = {exponent}.",
    .hint = "The exponent comes down as a factor, and the power is one less.",
    .wrong = "dx = dy * x**(p - 1)",
    .right = "dx = dy * p * x**(p - 1)",
    .alternative = of_power,
    .variants = VARIANTS,
};

/* ---- exp, log, abs ---- */

static bool times_input(const struct step_call *step, struct alternative *made)
{
    bool wanted = step->call->op->map == MAP_exp || step->call->op->map == MAP_log;
    for (size_t i = 0; wanted && i < op_elements(step->call->out); i++)
        made->value[i] = step->dy[i] * step->x[i];
    return wanted;
}

static bool as_power(const struct step_call *step, struct alternative *made)
{
    for (size_t i = 0; i < op_elements(step->call->out); i++)
        made->value[i] = step->dy[i] * step->x[i] * exp(step->x[i] - 1);
    return step->call->op->map == MAP_exp;
}

static const struct mistake mistake_exp_as_power = {
    .id = "power_rule",
    .step = STEP_INPUT,
    .rank = 6,
    .summary = "the power rule on an exponential: dx = dy * x * exp(x - 1)",
    .in_line = "What comes back to {value} was computed by the rule for powers; exp is its own derivative.",
    .hint = "In x**n the base varies, in e**x the exponent does: exp is its own derivative.",
    .alternative = as_power,
};

enum { NOT_INVERTED, MINUS_SQUARE, INVERSE_OF_OUTPUT };

static bool of_log(const struct step_call *step, struct alternative *made)
{
    for (size_t i = 0; i < op_elements(step->call->out); i++) {
        double x = step->x[i];
        double slope = made->variant == NOT_INVERTED   ? -1 / x
                       : made->variant == MINUS_SQUARE ? -1 / (x * x)
                                                       : 1 / step->y[i];
        made->value[i] = step->dy[i] * slope;
    }
    return step->call->op->map == MAP_log;
}

static const struct mistake mistake_of_log = {
    .id = "wrong_activation_derivative",
    .step = STEP_INPUT,
    .rank = 8,
    .summary = "a slip in the derivative of the logarithm: -1 / x, -1 / x**2, 1 / log(x)",
    .in_line = "What comes back to {value} through the logarithm has another derivative than 1 / x.",
    .hint = "The derivative of log(x) is 1 / x.",
    .alternative = of_log,
    .variants = 3,
};

static const struct mistake mistake_times_input = {
    .id = "wrong_activation_derivative",
    .step = STEP_INPUT,
    .rank = 6,
    .summary = "dx = dy * x for an exponential or a logarithm",
    .in_line = "What comes back to {value} was multiplied by {value} itself, which is not the derivative of {f}.",
    .hint = "exp is its own derivative; that of log(x) is 1 / x.",
    .alternative = times_input,
};

const struct mistake *const mistakes_of_powers[] = {&mistake_power_rule, NULL};
const struct mistake *const mistakes_of_exponentials[] = {&mistake_times_input, &mistake_exp_as_power, &mistake_of_log,
                                                          NULL};
