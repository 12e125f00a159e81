/* Along an axis of x the elements that indices name, an index for each element of the output: np.take_along_axis. The
 * number is the axis; x and the indices differ in its length alone. */
#include "core/ops/indexing.h"

enum { X, INDEX };

static const struct slot slots[] = {
    {.symbol = "x", .role = SLOT_INPUT}, {.symbol = "i", .role = SLOT_CONSTANT}, {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *in = shape->in[X], *index = shape->in[INDEX];
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    size_t axis;
    if (number_axis(shape, shape->attributes[0], in, &axis, error) != CODE_OK) return error->code;
    bool fit = in->rank == index->rank;
    for (size_t i = 0; fit && i < in->rank; i++)
        fit = i == axis || in->dim[i] == index->dim[i];
    if (!fit)
        return error_set(
            error, CODE_SHAPE_MISMATCH,
            "take_along_axis: indices differ from the array in axis %zu alone, but they have shapes %s and %s", axis,
            shape_text(index, a), shape_text(in, b));
    plan->out = *index;
    plan->work = (double)op_elements(in) + 10 * (double)op_elements(index);
    return CODE_OK;
}

static struct indexed indexed_of(const struct op_call *call)
{
    const size_t axis = number_axis_of(call->attributes[0], call->in[X]);
    const struct rows_of_fold rows = rows_along(call->in[X], axis);
    return (struct indexed){.along = true,
                            .outer = rows.outer,
                            .axes = 1,
                            .dim = {rows.n},
                            .inner = rows.inner,
                            .count = call->out->dim[axis]};
}

static int forward(const struct op_call *call)
{
    const struct indexed indexed = indexed_of(call);
    int code = indexing_check(call, INDEX, &indexed);
    return code == CODE_OK ? backend_index_read(call->backend, &indexed, call->x + INDEX, call->x[X], call->y) : code;
}

static int explain(const struct op_call *call, struct error *error)
{
    const struct indexed indexed = indexed_of(call);
    return indexing_explain(call, INDEX, &indexed, number_axis_of(call->attributes[0], call->in[X]), error);
}

static int backward(const struct op_call *call)
{
    if (call->dx[X] == NULL) return CODE_OK;
    const struct indexed indexed = indexed_of(call);
    int code = backend_fill(call->backend, op_elements(call->in[X]), 0, call->dx[X]);
    return code == CODE_OK ? backend_index_add(call->backend, &indexed, call->x + INDEX, call->dy, call->dx[X]) : code;
}

static const struct op_case cases[] = {
    {.count = 2, .in = {{2, {3, 4}}, {2, {3, 2}}}, CASE_NUMBERS(1), .constants_from = -4, .constants_below = 4},
    {.count = 2, .in = {{2, {3, 4}}, {2, {5, 4}}}, CASE_NUMBERS(0), .constants_from = -3, .constants_below = 3},
    {.count = 2, .in = {{2, {3, 4}}, {2, {3, 1}}}, CASE_NUMBERS(-1), .constants_below = 4},
    {.count = 2, .in = {{1, {3}}, {1, {6}}}, CASE_NUMBERS(0), .constants_from = -3, .constants_below = 3},
    {.count = 2, .in = {{3, {2, 3, 4}}, {3, {2, 4, 4}}}, CASE_NUMBERS(-2), .constants_from = -3, .constants_below = 3},
    {.count = 0}};

const struct op op_take_along_axis = {
    .name = "take_along_axis",
    .summary = "along an axis of x the elements that indices name, one for each element of the output",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .cases = cases,
};
