#include "core/ops/elementwise.h"

/* What the work estimate takes for an element of a map or a loss, there and back: the time of an exponential or an
 * error function, in operations of a large product, some hundred of which are done in that time. */
#define WORK_PER_ELEMENT 500.0

int elementwise_plan(const double *attributes, const struct shape *in, struct op_plan *plan, struct error *error)
{
    (void)attributes;
    (void)error;
    plan->out = *in;
    plan->work = WORK_PER_ELEMENT * (double)op_elements(in);
    return CODE_OK;
}

bool elementwise_map(const struct op *op, const double *attributes, enum map *map, double *attribute)
{
    if (op->forward != elementwise_forward) return false;
    *map = op->map_by_choice ? op->map + (unsigned)attributes[0] : op->map;
    *attribute = op->map_by_choice ? 0 : attributes[0];
    return true;
}

int elementwise_forward(const struct op_call *call)
{
    enum map map;
    double a;
    if (!elementwise_map(call->op, call->attributes, &map, &a)) return CODE_DEVICE;
    return call->backend->map(map, a, call->batch * op_elements(call->in), call->x, call->y);
}

int elementwise_backward(const struct op_call *call)
{
    if (call->dx == NULL) return CODE_OK;
    enum map map;
    double a;
    if (!elementwise_map(call->op, call->attributes, &map, &a)) return CODE_DEVICE;
    return call->backend->map_gradient(map, a, call->batch * op_elements(call->in), call->x, call->y, call->dy,
                                       call->dx);
}

int elementwise_loss_forward(const struct op_call *call)
{
    double sum = 0;
    int code = call->backend->loss(call->op->loss, call->attributes[0], call->batch * op_elements(call->in), call->x,
                                   call->target, &sum);
    *call->loss = call->scale * sum;
    return code;
}

int elementwise_loss_backward(const struct op_call *call)
{
    return call->backend->loss_gradient(call->op->loss, call->attributes[0], call->scale,
                                        call->batch * op_elements(call->in), call->x, call->target, call->dx);
}
