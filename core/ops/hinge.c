#include "core/ops/rows.h"

static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call->in[LOSS_PREDICTION]);
    double sum = 0;
    int code = call->backend->hinge(rows.count, rows.width, call->x[LOSS_PREDICTION], call->x[LOSS_TARGET], &sum);
    return code == CODE_OK ? loss_put(call, sum) : code;
}

static int backward(const struct op_call *call)
{
    if (call->dx[LOSS_PREDICTION] == NULL) return CODE_OK;
    struct rows rows = rows_of(call->in[LOSS_PREDICTION]);
    double scale;
    int code = loss_scale(call, &scale);
    if (code != CODE_OK) return code;
    return call->backend->hinge_gradient(scale, rows.count, rows.width, call->x[LOSS_PREDICTION], call->x[LOSS_TARGET],
                                         call->dx[LOSS_PREDICTION]);
}

const struct op op_hinge = {
    .name = "hinge",
    .summary = "sum over the wrong classes of max(0, y_hat[j] - y_hat[class] + 1)",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .plan = class_loss_plan,
    .forward = forward,
    .backward = backward,
    .target = TARGET_CLASSES,
    .mean_over_batch = true,
    .kink = KINK_MARGIN,
    .cases = class_loss_cases,
};
