/* A term of the loss that no list of layers names: what `l1` adds for one parameter. */
#include "core/ops/op.h"

/* Left from forward to backward: what the parameter is compared with, and room for its sign. */
enum { ZEROS, SIGN };

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    (void)error;
    size_t n = op_elements(shape->in[0]);
    plan->out = shape_of(0, NULL);
    plan->saved[ZEROS] = plan->saved[SIGN] = n;
    plan->work = 8 * (double)n;
    return CODE_OK;
}

/* l1 * sum(|W|), which is an absolute error with 0 for its target */
static int forward(const struct op_call *call)
{
    size_t n = op_elements(call->in[0]);
    double sum = 0;
    int code = call->backend->axpby(n, 0, call->x[0], 0, call->saved[ZEROS]);
    if (code == CODE_OK) code = call->backend->loss(LOSS_absolute_error, 0, n, call->x[0], call->saved[ZEROS], &sum);
    if (call->scalar != NULL) *call->scalar = call->attributes[0] * sum;
    return code;
}

/* dW = l1 * sign(W), 0 at 0, on top of what is there */
static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    size_t n = op_elements(call->in[0]);
    int code = call->backend->loss_gradient(LOSS_absolute_error, 0, call->attributes[0], n, call->x[0],
                                            call->saved[ZEROS], call->saved[SIGN]);
    if (code != CODE_OK) return code;
    return call->backend->axpby(n, 1, call->saved[SIGN], call->add[0], call->dx[0]);
}

const struct op op_l1_penalty = {
    .name = "l1",
    .summary = "l1 * sum(|W|)",
    .kind = OP_LOSS,
    .attributes = {{.name = "l1", .kind = ATTRIBUTE_REAL}},
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_sums,
    .adds = true,
    .kink = KINK_INPUT,
};
