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

/* ---- another sum ---- */

/* What is subtracted from dh before it is multiplied by h. */
enum { SUM_WITHOUT_H, SUM_ADDED, SUM_ALONG_OTHER_AXIS, SUMS };

/* For rows [before, n, width] the sums of dh * h over n, in place of those over the width. */
static bool subtract_other(const struct step_call *call, double *value)
{
    const struct shape *out = call->call->out;
    if (out->rank < 2) return false;
    size_t width = out->dim[out->rank - 1], n = out->dim[out->rank - 2], block = n * width;
    if (n < 2) return false;
    for (size_t at = 0; at < call->rows * call->in; at += block)
        for (size_t j = 0; j < width; j++) {
            double sum = 0;
            for (size_t i = at + j; i < at + block; i += width)
                sum += call->dy[i] * call->y[i];
            for (size_t i = at + j; i < at + block; i += width)
                value[i] = call->y[i] * (call->dy[i] - sum);
        }
    return true;
}

static bool other_sum(const struct step_call *call, struct alternative *made)
{
    if (call->part || call->in < 2) return false;
    if (made->variant == SUM_ALONG_OTHER_AXIS) return subtract_other(call, made->value);
    for (size_t row = 0; row < call->rows; row++) {
        const double *h = call->y + row * call->in, *dh = call->dy + row * call->in;
        double *dz = made->value + row * call->in, sum = 0;
        for (size_t j = 0; j < call->in; j++)
            sum += made->variant == SUM_WITHOUT_H ? dh[j] : -dh[j] * h[j];
        for (size_t j = 0; j < call->in; j++)
            dz[j] = h[j] * (dh[j] - sum);
    }
    return true;
}

static const char *sum_words(size_t variant)
{
    return variant == SUM_WITHOUT_H ? "the sum of dh, without h"
           : variant == SUM_ADDED   ? "the sum of dh * h, but added"
                                    : "the sum of dh * h over another axis";
}

static const struct mistake mistake_softmax_other_sum = {
    .id = "wrong_activation_derivative",
    .step = STEP_INPUT,
    .rank = 5,
    .summary = "a softmax's derivative with another sum than that of dh * h over the classes, subtracted",
    .message = "The softmax's gradient takes dh, the gradient of {h}, less the sum of dh * h over the classes. {dz} "
               "was computed with {used}.",
    .in_line = "The softmax's gradient takes dh, the gradient of {h}, less the sum of dh * h over the classes. {dz} "
               "was computed with {used}.",
    .hint = "Every output depends on every input of its row: the sum is over the axis that the softmax is taken over.",
    .alternative = other_sum,
    .variants = SUMS,
    .variant_words = sum_words,
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
    .mistakes = (const struct mistake *const[]){&mistake_softmax_jacobian_diagonal, &mistake_softmax_other_sum,
                                                &mistake_squared_derivative_slip, NULL},
    .cases = unary_cases,
};
