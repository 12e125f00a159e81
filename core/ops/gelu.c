#include "core/ops/elementwise.h"

static const char *const approximations[] = {"none", "tanh", NULL};

static enum map formula(const struct op_call *call)
{
    return call->attributes[0] > 0 ? MAP_gelu_tanh : MAP_gelu;
}

static int forward(const struct op_call *call)
{
    return call->backend->map(formula(call), 0, call->batch * op_elements(call->in), call->x, call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx == NULL) return CODE_OK;
    return call->backend->map_gradient(formula(call), 0, call->batch * op_elements(call->in), call->x, call->y,
                                       call->dy, call->dx);
}

const struct op op_gelu = {
    .name = "gelu",
    .summary = "x * Phi(x), Phi being the normal distribution function; or its approximation by tanh",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "approximate", .kind = ATTRIBUTE_CHOICE, .choices = approximations}},
    .plan = elementwise_plan,
    .forward = forward,
    .backward = backward,
};
