#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/rows.h"

static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call->out);
    return call->backend->softmax(true, rows.count, rows.width, call->x[0], call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    struct rows rows = rows_of(call->out);
    return call->backend->softmax_gradient(true, rows.count, rows.width, call->y, call->dy, call->dx[0]);
}

static void made_of(const struct op_call *call, double *terms)
{
    softmax_made_of(call, true, terms);
}

/* dh + p * sum(dh), for dh - p * sum(dh) */
static bool plus(const struct step_call *call, struct alternative *made)
{
    struct rows rows = rows_of(call->call->out);
    if (call->part) return false;
    for (size_t i = 0; i < rows.count; i++) {
        const double *dy = call->dy + i * rows.width, *y = call->y + i * rows.width;
        double sum = 0;
        for (size_t j = 0; j < rows.width; j++)
            sum += dy[j];
        for (size_t j = 0; j < rows.width; j++)
            made->value[i * rows.width + j] = dy[j] + exp(y[j]) * sum;
    }
    return true;
}

const struct mistake mistake_log_softmax_sign = {
    .id = "log_softmax_sign",
    .step = STEP_INPUT,
    .rank = 12,
    .summary = "log_softmax: dh + p * sum(dh) for dh - p * sum(dh)",
    .message = "The sum over the classes was added where it has to be subtracted: {dz} = {dh} + exp({h}) * sum({dh}). "
               "Right is {dz} = {dh} - exp({h}) * sum({dh}) for each sample.",
    .hint = "The logarithm of a softmax is z - log(sum(exp(z))): the second term comes with a minus.",
    .wrong = "dz = dh + np.exp(h) * dh.sum(axis=1, keepdims=True)",
    .right = "dz = dh - np.exp(h) * dh.sum(axis=1, keepdims=True)",
    .alternative = plus,
};

const struct op op_log_softmax = {
    .name = "log_softmax",
    .summary = "x - log(sum(exp(x))) over the last axis",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = rows_plan,
    .over_rows = true,
    .forward = forward,
    .backward = backward,
    .written = "log_softmax({x})",
    .sent = {"{dy} - np.exp({y}) * {dy}.sum(-1, keepdims=True)"},
    .made_of = made_of,
    .mistakes = (const struct mistake *const[]){&mistake_softmax_jacobian_diagonal, &mistake_log_softmax_sign, NULL},
    .cases = unary_cases,
};
