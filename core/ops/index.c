/* What lists of indices name of x, as x[:, i, j]. Numbers: the first axis that is indexed, and how many are; the list
 * of each of them is one more input. x [outer..., N1, ..., Nk, inner...] and lists of shape S make [outer..., S...,
 * inner...]. */
#include "core/ops/elementary_mistakes.h"
#include "core/ops/indexing.h"
#include "core/ops/writing.h"

enum { X, LISTS };

static const struct slot slots[] = {
    {.symbol = "x", .role = SLOT_INPUT}, {.symbol = "i", .role = SLOT_CONSTANT, .repeated = true}, {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    if (indexing_plan(shape, LISTS, &plan->out, error) != CODE_OK) return error->code;
    plan->work = 4 * (double)op_elements(&plan->out) + (double)op_elements(shape->in[X]) +
                 4 * (double)(shape->count - LISTS) * (double)op_elements(shape->in[LISTS]);
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    const struct indexed indexed = indexing_of(call, LISTS);
    int code = indexing_check(call, LISTS, &indexed);
    return code == CODE_OK ? backend_index_read(call->backend, &indexed, call->x + LISTS, call->x[X], call->y) : code;
}

static int explain(const struct op_call *call, struct error *error)
{
    const struct indexed indexed = indexing_of(call, LISTS);
    return indexing_explain(call, LISTS, &indexed, number_axis_of(call->attributes[INDEXING_FIRST], call->in[X]),
                            error);
}

static int backward(const struct op_call *call)
{
    if (call->dx[X] == NULL) return CODE_OK;
    const struct indexed indexed = indexing_of(call, LISTS);
    int code = backend_fill(call->backend, op_elements(call->in[X]), 0, call->dx[X]);
    return code == CODE_OK ? backend_index_add(call->backend, &indexed, call->x + LISTS, call->dy, call->dx[X]) : code;
}

static bool write(struct op_writing *w)
{
    char place[WRITING_MAX / 4];
    size_t first = number_axis_of(w->attributes[INDEXING_FIRST], w->in[X]);
    if (w->input == WRITING_OUTPUT) return writing_index(first, place) && writing_put(w, "{x}[%s]", place);
    w->adds = true;
    return writing_index(first, place) &&
           writing_put(w, first > 0 || w->count > 2 ? "np.add.at({dx}, (%s), {dy})" : "np.add.at({dx}, %s, {dy})",
                       place);
}

static const struct op_case cases[] = {
    {.count = 2, .in = {{2, {4, 3}}, {1, {5}}}, CASE_NUMBERS(0, 1), .constants_from = -4, .constants_below = 4},
    {.count = 2, .in = {{2, {4, 3}}, {2, {2, 2}}}, CASE_NUMBERS(0, 1), .constants_below = 4},
    {.count = 2, .in = {{1, {5}}, {0}}, CASE_NUMBERS(-1, 1), .constants_from = -5, .constants_below = 5},
    {.count = 2, .in = {{2, {3, 4}}, {1, {6}}}, CASE_NUMBERS(1, 1), .constants_from = -4, .constants_below = 4},
    {.count = 3,
     .in = {{2, {3, 4}}, {1, {5}}, {1, {5}}},
     CASE_NUMBERS(0, 2),
     .constants_from = -3,
     .constants_below = 3},
    {.count = 3,
     .in = {{4, {2, 3, 2, 2}}, {1, {4}}, {1, {4}}},
     CASE_NUMBERS(1, 2),
     .constants_from = -2,
     .constants_below = 2},
    {.count = 3,
     .in = {{3, {2, 3, 4}}, {2, {2, 2}}, {2, {2, 2}}},
     CASE_NUMBERS(-2, 2),
     .constants_from = -3,
     .constants_below = 3},
    {.count = 4, .in = {{3, {2, 3, 2}}, {0}, {0}, {0}}, CASE_NUMBERS(0, 3), .constants_from = -2, .constants_below = 2},
    {.count = 2, .in = {{2, {2, 20}}, {1, {3}}}, CASE_NUMBERS(0, 1), .constants_from = -2, .constants_below = 2},
    {.count = 2, .in = {{6, {1, 2, 2, 1, 2, 2}}, {3, {1, 2, 2}}}, CASE_NUMBERS(2, 1), .constants_below = 2},
    {.count = 0}};

const struct op op_index = {
    .name = "index",
    .summary = "what lists of indices name of x, one list for each of some axes",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .mistakes = mistakes_of_indices,
    .write = write,
    .cases = cases,
};
