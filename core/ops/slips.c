/* Slips in a derivative's formula that several activations share: the right idea, and a sign, a square or a factor that
 * went wrong. */
#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/rows.h"

/* The formulas, and whose derivative they are taken for. */
enum slip { MINUS_SQUARE, PLUS_SQUARE, ONE_MINUS, DIFFERENCE, ARCTAN, SLIPS };

static const char *slip_words(size_t variant)
{
    static const char *const words[SLIPS] = {[MINUS_SQUARE] = "-h**2",
                                             [PLUS_SQUARE] = "1 + h**2",
                                             [ONE_MINUS] = "1 - h",
                                             [DIFFERENCE] = "h - (1 - h)",
                                             [ARCTAN] = "1 / (1 + z**2)"};
    return words[variant];
}

/* An op with no map of its own has none by being no elementwise one: a softmax, whose 1 - h is as common. */
static bool may_slip(const struct op *op, size_t variant)
{
    bool sigmoid = op->map == MAP_sigmoid, tanh = op->map == MAP_tanh;
    bool is_softmax = !sigmoid && !tanh;
    if (variant == ONE_MINUS) return true;
    return !is_softmax && (variant == DIFFERENCE ? sigmoid : tanh);
}

static double slip_at(size_t variant, double z, double h)
{
    switch (variant) {
    case MINUS_SQUARE:
        return -h * h;
    case PLUS_SQUARE:
        return 1 + h * h;
    case ONE_MINUS:
        return 1 - h;
    case DIFFERENCE:
        return h - (1 - h);
    default:
        return 1 / (1 + z * z);
    }
}

static bool slip(const struct step_call *call, struct alternative *made)
{
    if (!may_slip(call->call->op, made->variant)) return false;
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] * slip_at(made->variant, call->x[i], call->y[i]);
    return true;
}

const struct mistake mistake_squared_derivative_slip = {
    .id = "squared_derivative_slip",
    .step = STEP_INPUT,
    .rank = 12,
    .summary = "a slip in the derivative's formula: 1 + h**2, 1 - h, h - (1-h) for 1 - h**2 or h * (1-h)",
    .message = "The derivative of {f} was taken to be {used}, where h is {h} and z is {z}: a slip in its formula. The "
               "chain rule asks for {dz} = {dh} * {f}'({z}).",
    .hint = "Of a tanh it is 1 - h**2, of a sigmoid h * (1 - h), h being the output: check signs and squares.",
    .wrong = "dz = dh * (1 + h**2)",
    .right = "dz = dh * (1 - h**2)",
    .source = "sausheong/gonn#8",
    .alternative = slip,
    .variants = SLIPS,
    .variant_words = slip_words,
};
