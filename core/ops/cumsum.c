/* Sums of all up to each element along an axis, which the number is. */
#include "core/ops/elementary_mistakes.h"
#include "core/ops/numbers.h"

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    size_t axis;
    if (number_axis(shape, shape->attributes[0], shape->in[0], &axis, error) != CODE_OK) return error->code;
    plan->out = *shape->in[0];
    plan->work = 4 * (double)op_elements(shape->in[0]);
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    const struct rows_of_fold rows = rows_along(call->in[0], number_axis_of(call->attributes[0], call->in[0]));
    return backend_cumsum(call->backend, false, &rows, call->x[0], call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    const struct rows_of_fold rows = rows_along(call->in[0], number_axis_of(call->attributes[0], call->in[0]));
    return backend_cumsum(call->backend, true, &rows, call->dy, call->dx[0]);
}

static const struct op_case cases[] = {{.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(1)},
                                       {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(-2)},
                                       {.count = 1, .in = {{1, {7}}}, CASE_NUMBERS(0)},
                                       {.count = 1, .in = {{3, {2, 3, 4}}}, CASE_NUMBERS(1)},
                                       {.count = 0}};

const struct op op_cumsum = {
    .name = "cumsum",
    .summary = "along an axis the sums of all elements up to each of them",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_sums,
    .mistakes = mistakes_of_cumsum,
    .cases = cases,
};
