/* A copy of a value, through which no gradient flows back. */
#include "core/ops/op.h"

static const struct slot slots[] = {{.symbol = "x", .role = SLOT_CONSTANT}, {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    (void)error;
    shape_copy(&plan->out, shape->in[0]);
    plan->work = (double)op_elements(shape->in[0]);
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    return call->backend->axpby(op_elements(call->out), 1, call->x[0], 0, call->y);
}

static int backward(const struct op_call *call)
{
    (void)call;
    return CODE_OK;
}

static const struct op_case cases[] = {{.count = 1, .in = {{2, {3, 4}}}}, {.count = 1, .in = {{0}}}, {.count = 0}};

const struct op op_detach = {
    .name = "detach",
    .summary = "x itself, as a constant",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .written = "{x}",
    .cases = cases,
};
