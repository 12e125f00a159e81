#include "core/ops/elementwise.h"

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    (void)error;
    const struct shape *in = shape->in[0];
    size_t samples = in->rank > 0 ? in->dim[0] : 1, elements = op_elements(in);
    plan->out = shape_of(2, (size_t[]){samples, elements / samples});
    plan->work = (double)elements;
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    return call->backend->axpby(op_elements(call->out), 1, call->x[0], 0, call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    return call->backend->axpby(op_elements(call->out), 1, call->dy, 0, call->dx[0]);
}

const struct op op_flatten = {
    .name = "flatten",
    .summary = "all axes of a sample as one, in row-major order",
    .kind = OP_LAYER,
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_sums,
    .plain = PLAIN_SAME,
    .arranges = true,
    .cases = unary_cases,
};
