/* The same elements in another shape, which numbers are: its rank, its lengths. */
#include "core/ops/numbers.h"
#include "core/ops/writing.h"

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    if (number_shape(shape, shape->attributes, &plan->out, error) != CODE_OK) return error->code;
    if (op_elements(&plan->out) != op_elements(shape->in[0]))
        return error_set(error, CODE_SHAPE_MISMATCH, "reshape: an array of shape %s has no place in shape %s",
                         shape_text(shape->in[0], a), shape_text(&plan->out, b));
    plan->work = 2 * (double)op_elements(shape->in[0]);
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    return backend_copy(call->backend, op_elements(call->out), call->x[0], call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    return backend_copy(call->backend, op_elements(call->out), call->dy, call->dx[0]);
}

static bool write(struct op_writing *w)
{
    w->whole = w->moves = true;
    return w->input == WRITING_OUTPUT ? writing_reshape(w, "{x}", w->in[0], w->out)
                                      : writing_reshape(w, "{dy}", w->out, w->in[0]);
}

static const struct op_case cases[] = {{.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(3, 2, 2, 3)},
                                       {.count = 1, .in = {{3, {3, 2, 2}}}, CASE_NUMBERS(1, 12)},
                                       {.count = 1, .in = {{2, {1, 1}}}, CASE_NUMBERS(0)},
                                       {.count = 1, .in = {{0}}, CASE_NUMBERS(2, 1, 1)},
                                       {.count = 1, .in = {{1, {6}}}, CASE_NUMBERS(8, 1, 2, 1, 1, 3, 1, 1, 1)},
                                       {.count = 0}};

const struct op op_reshape = {
    .name = "reshape",
    .summary = "the same elements in another shape, in row-major order",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .term_unit = op_unit_of_sums,
    .write = write,
    .plain = PLAIN_SAME,
    .arranges = true,
    .cases = cases,
};
