#include "core/ops/op.h"

static int plan(const double *attributes, const struct shape *in, struct op_plan *plan, struct error *error)
{
    (void)attributes;
    (void)error;
    plan->out = shape_of(1, (size_t[]){op_elements(in)});
    plan->work = (double)op_elements(in);
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    return call->backend->axpby(call->batch * op_elements(call->in), 1, call->x, 0, call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx == NULL) return CODE_OK;
    return call->backend->axpby(call->batch * op_elements(call->in), 1, call->dy, 0, call->dx);
}

const struct op op_flatten = {
    .name = "flatten",
    .summary = "all axes of a sample as one, in row-major order",
    .kind = OP_LAYER,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .plain = PLAIN_SAME,
};
