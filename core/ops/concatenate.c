/* The inputs one behind the other; the number is the axis. */
#include "core/ops/concat.h"
#include "core/ops/mistake.h"
#include "core/ops/numbers.h"
#include "core/ops/writing.h"

static const struct slot slots[] = {{.symbol = "a", .role = SLOT_INPUT, .repeated = true}, {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    size_t axis;
    if (number_axis(shape, shape->attributes[0], shape->in[0], &axis, error) != CODE_OK) return error->code;
    return concat_plan(shape, axis, "", plan, error);
}

static bool write(struct op_writing *w)
{
    size_t axis = number_axis_of(w->attributes[0], w->in[0]), start = 0;
    char before[WRITING_MAX / 4];
    if (w->input == WRITING_OUTPUT) return writing_put(w, "np.concatenate([{a}], axis=%zu)", axis);
    for (long k = 0; k < w->input; k++)
        start += w->in[k]->dim[axis];
    w->whole = w->moves = true;
    return writing_slices(axis, before) &&
           writing_put(w, "{dy}[%s%zu:%zu]", before, start, start + w->in[w->input]->dim[axis]);
}

static const struct op_case cases[] = {
    {.count = 2, .in = {{2, {3, 4}}, {2, {2, 4}}}, CASE_NUMBERS(0)},
    {.count = 3, .in = {{2, {3, 1}}, {2, {3, 3}}, {2, {3, 1}}}, CASE_NUMBERS(1)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(0)},
    {.count = 4, .in = {{1, {3}}, {1, {1}}, {1, {2}}, {1, {3}}}, CASE_NUMBERS(-1)},
    {.count = 2, .in = {{3, {2, 2, 3}}, {3, {2, 1, 3}}}, CASE_NUMBERS(-2)},
    {.count = 2, .in = {{8, {1, 1, 2, 1, 1, 2, 1, 2}}, {8, {1, 1, 2, 1, 1, 3, 1, 2}}}, CASE_NUMBERS(5)},
    {.count = 0}};

const struct op op_concatenate = {
    .name = "concatenate",
    .summary = "the inputs one behind the other along an axis",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .write = write,
    .forward = concat_forward,
    .backward = concat_backward,
    .term_unit = op_unit_of_sums,
    .mistakes = (const struct mistake *const[]){&mistake_gradient_at_wrong_index, NULL},
    .cases = cases,
};
