#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/rows.h"

static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call->out);
    return call->backend->softmax(false, rows.count, rows.width, call->x[0], call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    struct rows rows = rows_of(call->out);
    return call->backend->softmax_gradient(false, rows.count, rows.width, call->y, call->dy, call->dx[0]);
}

void softmax_made_of(const struct op_call *call, bool logarithm, double *terms)
{
    struct rows rows = rows_of(call->out);
    const double *dy = call->dy, *y = call->y;
    for (size_t i = 0; i < rows.count; i++, dy += rows.width, y += rows.width, terms += rows.width) {
        double sum = 0;
        for (size_t j = 0; j < rows.width; j++)
            sum += fabs(dy[j]) * (logarithm ? 1 : y[j]);
        for (size_t j = 0; j < rows.width; j++)
            terms[j] += logarithm ? fabs(dy[j]) + exp(y[j]) * sum : y[j] * (fabs(dy[j]) + sum);
    }
}

static void made_of(const struct op_call *call, double *terms)
{
    softmax_made_of(call, false, terms);
}

extern const struct op op_softmax;

enum { OF_SOFTMAX, OF_ITS_LOGARITHM, DIAGONALS };

static bool diagonal(const struct step_call *call, struct alternative *made)
{
    bool plain = call->call->op == &op_softmax;
    if (plain != (made->variant == OF_SOFTMAX)) return false;
    for (size_t i = 0; i < call->rows * call->in; i++) {
        double h = call->y[i];
        made->value[i] = call->dy[i] * (plain ? h * (1 - h) : -expm1(h));
    }
    return true;
}

static const char *diagonal_words(size_t variant)
{
    return variant == OF_SOFTMAX ? "h * (1 - h)" : "1 - exp(h)";
}

const struct mistake mistake_softmax_jacobian_diagonal = {
    .id = "softmax_jacobian_diagonal",
    .step = STEP_INPUT,
    .rank = 3,
    .summary = "a softmax differentiated element by element: dz = dh * h * (1-h)",
    .message = "The {f} was treated as if each output depended on its own input alone: {dz} = {dh} times {used}, "
               "h being {h}. Every output depends on every input, so what comes back to one is a sum over all.",
    .hint = "The Jacobian of a softmax has entries off its diagonal too; they subtract a sum over the "
            "classes.",
    .wrong = "dz = dh * h * (1 - h)",
    .right = "dz = h * (dh - (dh * h).sum(axis=1, keepdims=True))",
    .source = "wkcn/mobula#3",
    .alternative = diagonal,
    .variants = DIAGONALS,
    .variant_words = diagonal_words,
};

const struct op op_softmax = {
    .name = "softmax",
    .summary = "exp(x) / sum(exp(x)) over the last axis",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = rows_plan,
    .forward = forward,
    .backward = backward,
    .written = "softmax({x})",
    .sent = {"{y} * ({dy} - ({dy} * {y}).sum(-1, keepdims=True))"},
    .made_of = made_of,
    .probabilities = true,
    .over_rows = true,
    .mistakes =
        (const struct mistake *const[]){&mistake_softmax_jacobian_diagonal, &mistake_squared_derivative_slip, NULL},
    .cases = unary_cases,
};
