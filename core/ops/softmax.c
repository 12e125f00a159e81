#include "core/ops/mistake.h"
#include "core/ops/rows.h"

static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call->out);
    return call->backend->softmax(false, rows.count, rows.width, call->x[0], call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    struct rows rows = rows_of(call->out);
    return call->backend->softmax_gradient(false, rows.count, rows.width, call->y, call->dy, call->dx[0]);
}

static bool diagonal(const struct step_call *call, struct alternative *made)
{
    for (size_t i = 0; i < call->rows * call->in; i++)
        made->value[i] = call->dy[i] * call->y[i] * (1 - call->y[i]);
    return true;
}

const struct mistake mistake_softmax_jacobian_diagonal = {
    .id = "softmax_jacobian_diagonal",
    .step = STEP_INPUT,
    .rank = 3,
    .summary = "a softmax differentiated element by element: dz = dh * h * (1-h)",
    .message = "The softmax was treated as if each output depended on its own input alone: {dz} = {dh} * {h} * "
               "(1 - {h}). Every output depends on every input; right is {h} * ({dh} - sum({dh} * {h})) for "
               "each sample.",
    .hint = "The Jacobian of a softmax has entries off its diagonal too; they subtract a sum over the "
            "classes.",
    .wrong = "dz = dh * h * (1 - h)",
    .right = "dz = h * (dh - (dh * h).sum(axis=1, keepdims=True))",
    .source = "wkcn/mobula#3",
    .alternative = diagonal,
};

const struct op op_softmax = {
    .name = "softmax",
    .summary = "exp(x) / sum(exp(x)) over the last axis",
    .kind = OP_ACTIVATION,
    .slots = unary_slots,
    .plan = rows_plan,
    .forward = forward,
    .backward = backward,
    .probabilities = true,
    .mistakes = (const struct mistake *const[]){&mistake_softmax_jacobian_diagonal, NULL},
    .cases = unary_cases,
};
