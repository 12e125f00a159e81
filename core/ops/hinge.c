#include "core/ops/rows.h"

static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call);
    double sum = 0;
    int code = call->backend->hinge(rows.count, rows.width, call->x, call->target, &sum);
    *call->loss = call->scale * sum;
    return code;
}

static int backward(const struct op_call *call)
{
    struct rows rows = rows_of(call);
    return call->backend->hinge_gradient(call->scale, rows.count, rows.width, call->x, call->target, call->dx);
}

const struct op op_hinge = {
    .name = "hinge",
    .summary = "sum over the wrong classes of max(0, y_hat[j] - y_hat[class] + 1)",
    .kind = OP_LOSS,
    .plan = elementwise_plan,
    .forward = forward,
    .backward = backward,
    .target = TARGET_CLASSES,
    .mean_over_batch = true,
    .kink = KINK_MARGIN,
};
