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

const struct op op_log_softmax = {
    .name = "log_softmax",
    .summary = "x - log(sum(exp(x))) over the last axis",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = rows_plan,
    .forward = forward,
    .backward = backward,
    .mistakes = (const struct mistake *const[]){&mistake_softmax_jacobian_diagonal, NULL},
    .cases = unary_cases,
};
