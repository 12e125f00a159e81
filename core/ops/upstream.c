/* No loss of its own: the gradient that arrives at the output is given, as in an exercise about one layer. */
#include "core/ops/elementwise.h"

static int forward(const struct op_call *call)
{
    double sum = 0;
    int code = call->backend->dot(op_elements(call->in[LOSS_PREDICTION]), call->x[LOSS_PREDICTION],
                                  call->x[LOSS_TARGET], &sum);
    return code == CODE_OK ? loss_put(call, sum) : code;
}

static int backward(const struct op_call *call)
{
    if (call->dx[LOSS_PREDICTION] == NULL) return CODE_OK;
    double scale;
    int code = loss_scale(call, &scale);
    if (code != CODE_OK) return code;
    return call->backend->axpby(op_elements(call->in[LOSS_PREDICTION]), scale, call->x[LOSS_TARGET], 0,
                                call->dx[LOSS_PREDICTION]);
}

const struct op op_upstream = {
    .name = "upstream",
    .summary = "sum(y_hat * upstream), upstream being the gradient that arrives at the output",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .plan = loss_plan,
    .forward = forward,
    .backward = backward,
    .sent = {"{dy} * {y}"},
    .term_unit = op_unit_of_products,
    .target = TARGET_UPSTREAM,
    .cases = loss_cases,
};
