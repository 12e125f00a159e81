#include "core/ops/mistake.h"
#include "core/ops/rows.h"

static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call);
    return call->backend->softmax(true, rows.count, rows.width, call->x, call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx == NULL) return CODE_OK;
    struct rows rows = rows_of(call);
    return call->backend->softmax_gradient(true, rows.count, rows.width, call->y, call->dy, call->dx);
}

const struct op op_log_softmax = {
    .name = "log_softmax",
    .summary = "x - log(sum(exp(x))) over the last axis",
    .kind = OP_ACTIVATION,
    .plan = elementwise_plan,
    .forward = forward,
    .backward = backward,
    .mistakes = (const struct mistake *const[]){&mistake_softmax_jacobian_diagonal, NULL},
};
