/* A term of the loss that no list of layers names: what `l2` adds for one parameter. */
#include "core/ops/op.h"

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    (void)error;
    plan->out = shape_of(0, NULL);
    plan->work = 4 * (double)op_elements(shape->in[0]);
    return CODE_OK;
}

/* l2/2 * sum(W**2) */
static int forward(const struct op_call *call)
{
    double squares = 0;
    int code = call->backend->dot(op_elements(call->in[0]), call->x[0], call->x[0], &squares);
    if (call->scalar != NULL) *call->scalar = call->attributes[0] / 2 * squares;
    return code;
}

/* dW = l2 * W, on top of what is there */
static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    return call->backend->axpby(op_elements(call->in[0]), call->attributes[0], call->x[0], call->add[0], call->dx[0]);
}

const struct op op_l2_penalty = {
    .name = "l2",
    .summary = "l2/2 * sum(W**2)",
    .kind = OP_LOSS,
    .attributes = {{.name = "l2", .kind = ATTRIBUTE_REAL}},
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_products,
    .adds = true,
};
