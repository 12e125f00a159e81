#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

/* Both terms of the product rule, and what is between them. */
enum inner { FIRST_TERM, SECOND_TERM, NO_FACTOR, NO_INNER, TANH_AND_DENSITY, NO_PARENTHESES, INNERS };

static const char *inner_words(size_t variant)
{
    static const char *const words[INNERS] = {
        [FIRST_TERM] = "only the first term of the product rule, without z times the derivative of the other factor",
        [SECOND_TERM] = "only the second term of the product rule, z times the derivative of the other factor",
        [NO_FACTOR] = "the other factor plus its derivative, without z",
        [NO_INNER] = "a tanh's derivative without that of what stands in it",
        [TANH_AND_DENSITY] = "the approximation by tanh in the first term and the exact density in the second",
        [NO_PARENTHESES] = "1 + e + z * e / (1 + e)**2 with e = exp(-z), without parentheses around the sum",
    };
    return words[variant];
}

/* The factor that z is multiplied by in the forward pass, and its derivative. */
static void factor_of(enum map map, double z, double *factor, double *slope)
{
    if (map == MAP_silu) {
        *factor = 1 / (1 + exp(-z));
        *slope = *factor * (1 - *factor);
    } else if (map == MAP_gelu) {
        *factor = erfc(-z * sqrt(0.5)) / 2;
        *slope = exp(-z * z / 2) / sqrt(2 * acos(-1));
    } else {
        double c = sqrt(2 / acos(-1)), t = tanh(c * (z + 0.044715 * z * z * z));
        *factor = (1 + t) / 2;
        *slope = (1 - t * t) / 2 * c * (1 + 3 * 0.044715 * z * z);
    }
}

static double inner_at(enum map map, size_t variant, double z)
{
    double factor, slope, c = sqrt(2 / acos(-1)), e = exp(-z);
    factor_of(map, z, &factor, &slope);
    switch (variant) {
    case FIRST_TERM:
        return factor;
    case SECOND_TERM:
        return z * slope;
    case NO_FACTOR:
        return factor + slope;
    case NO_INNER:
        return factor + z * slope / (c * (1 + 3 * 0.044715 * z * z));
    case TANH_AND_DENSITY:
        return factor + z * exp(-z * z / 2) / sqrt(2 * acos(-1));
    default:
        return 1 + e + z * e / ((1 + e) * (1 + e));
    }
}

static bool inner(const struct step_call *call, struct alternative *made)
{
    enum map map;
    double attribute;
    if (!elementwise_map(call->call->op, call->call->attributes, &map, &attribute)) return false;
    bool by_tanh = made->variant == NO_INNER || made->variant == TANH_AND_DENSITY;
    if (by_tanh ? map != MAP_gelu_tanh : made->variant == NO_PARENTHESES && map != MAP_silu) return false;
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] * inner_at(map, made->variant, call->x[i]);
    return true;
}

const struct mistake mistake_inner_derivative_missing = {
    .id = "inner_derivative_missing",
    .step = STEP_INPUT,
    .rank = 11,
    .summary = "silu, gelu: a term or an inner derivative of the product z * f(z) is missing",
    .message = "The derivative of {f} at {z} is not complete: it has {used}. The chain rule asks for {dz} = {dh} * "
               "{f}'({z}).",
    .hint = "z * f(z) has the derivative f(z) + z * f'(z), and where f is a function of a function, so is f'.",
    .wrong = "dz = dh * sigmoid(z)",
    .right = "dz = dh * (sigmoid(z) + z * sigmoid_prime(z))",
    .source = "chelsea0x3b/dfdx#915",
    .alternative = inner,
    .variants = INNERS,
    .variant_words = inner_words,
};

const struct op op_silu = {
    .name = "silu",
    .summary = "x * sigmoid(x)",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .written = "{x} * sigmoid({x})",
    .sent = {"{dy} * sigmoid({x}) * (1 + {x} * (1 - sigmoid({x})))"},
    .map = MAP_silu,
    .mistakes = (const struct mistake *const[]){&mistake_inner_derivative_missing, NULL},
    .cases = unary_cases,
};
