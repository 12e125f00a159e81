#include "core/ops/elementwise.h"

/* What the work estimate takes for an element of a map or a loss, there and back: the time of an exponential or an
 * error function, in operations of a large product, some hundred of which are done in that time. */
#define WORK_PER_ELEMENT 500.0

const struct op_case unary_cases[] = {UNARY_CASES, {.count = 0}};
const struct op_case loss_cases[] = {LOSS_CASES, {.count = 0}};
const struct op_case class_loss_cases[] = {{.count = 2, .in = {{2, {3, 4}}}},
                                           {.count = 2, .in = {{2, {3, 2}}}},
                                           {.count = 2, .in = {{2, {1, 5}}}},
                                           {.count = 2, .in = {{2, {4, 7}}}},
                                           {.count = 0}};

int elementwise_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    (void)error;
    shape_copy(&plan->out, shape->in[0]);
    plan->work = WORK_PER_ELEMENT * (double)op_elements(shape->in[0]);
    return CODE_OK;
}

int loss_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    (void)error;
    plan->out.rank = 0;
    plan->work = WORK_PER_ELEMENT * (double)op_elements(shape->in[LOSS_PREDICTION]);
    return CODE_OK;
}

int class_loss_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *prediction = shape->in[LOSS_PREDICTION];
    char text[SHAPE_TEXT_MAX];
    struct shape sample = {.rank = prediction->rank > 0 ? prediction->rank - 1 : 0};
    for (size_t i = 0; i < sample.rank; i++)
        sample.dim[i] = prediction->dim[i + 1];
    if (prediction->rank != 2)
        return error_set(error, CODE_SHAPE_MISMATCH,
                         "%s needs one score per class, but the network's output has shape %s", shape->op->name,
                         shape_text(&sample, text));
    return loss_plan(shape, plan, error);
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
    return call->backend->map(map, a, op_elements(call->out), call->x[0], call->y);
}

int elementwise_backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    enum map map;
    double a;
    if (!elementwise_map(call->op, call->attributes, &map, &a)) return CODE_DEVICE;
    return call->backend->map_gradient(map, a, op_elements(call->out), call->x[0], call->y, call->dy, call->dx[0]);
}

int elementwise_nothing_back(const struct op_call *call)
{
    (void)call;
    return CODE_OK;
}

/* ---- losses ---- */

int loss_put(const struct op_call *call, double sum)
{
    double loss = loss_factor(call->op, call->attributes, call->in[LOSS_PREDICTION]) * sum;
    if (call->scalar != NULL) *call->scalar = loss;
    return call->y != NULL ? call->backend->upload(1, &loss, call->y) : CODE_OK;
}

int loss_scale(const struct op_call *call, double *scale)
{
    double arrives = 1;
    int code = call->dy != NULL ? call->backend->download(1, call->dy, &arrives) : CODE_OK;
    *scale = arrives * loss_factor(call->op, call->attributes, call->in[LOSS_PREDICTION]);
    return code;
}

int elementwise_loss_forward(const struct op_call *call)
{
    double sum = 0;
    int code = call->backend->loss(call->op->loss, call->attributes[0], op_elements(call->in[LOSS_PREDICTION]),
                                   call->x[LOSS_PREDICTION], call->x[LOSS_TARGET], &sum);
    return code == CODE_OK ? loss_put(call, sum) : code;
}

int elementwise_loss_backward(const struct op_call *call)
{
    if (call->dx[LOSS_PREDICTION] == NULL) return CODE_OK;
    double scale;
    int code = loss_scale(call, &scale);
    if (code != CODE_OK) return code;
    return call->backend->loss_gradient(call->op->loss, call->attributes[0], scale,
                                        op_elements(call->in[LOSS_PREDICTION]), call->x[LOSS_PREDICTION],
                                        call->x[LOSS_TARGET], call->dx[LOSS_PREDICTION]);
}
