/* A copy of x in which something else stands at what lists of indices name. Numbers: as those of index, and what is
 * done with v, which has the shape of what is named: it takes the place of what was there; it is added, every time that
 * an element is named (np.add.at); or it is added as x[i] += v does: of what is named more than once the last one
 * counts. */
#include "core/ops/indexing.h"
#include "core/ops/writing.h"

enum { X, V, LISTS };
enum { DOES = INDEXING_NUMBERS };
enum { ASSIGNS, ADDS, ADDS_ONCE };
enum { ROOM, GRADIENT };

static const struct slot slots[] = {{.symbol = "x", .role = SLOT_INPUT},
                                    {.symbol = "v", .role = SLOT_INPUT},
                                    {.symbol = "i", .role = SLOT_CONSTANT, .repeated = true},
                                    {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    struct shape named;
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    const double does = shape->attributes[DOES];
    if (indexing_plan(shape, LISTS, &named, error) != CODE_OK) return error->code;
    if (!shape_equal(&named, shape->in[V]))
        return error_set(error, CODE_SHAPE_MISMATCH,
                         "index_put: an array of shape %s cannot stand at what indices name, which has shape %s",
                         shape_text(shape->in[V], a), shape_text(&named, b));
    if (!number_is_whole(does, ASSIGNS, ADDS_ONCE))
        return error_set(error, CODE_OUT_OF_RANGE, "index_put: there is no way %g to put something", does);
    plan->out = *shape->in[X];
    plan->saved[ROOM] = does == ADDS ? 0 : op_elements(&named);
    plan->saved[GRADIENT] = does == ADDS ? 0 : op_elements(&plan->out);
    plan->work = 4 * (double)op_elements(&plan->out) + 6 * (double)op_elements(&named) +
                 4 * (double)(shape->count - LISTS) * (double)op_elements(shape->in[LISTS]);
    return CODE_OK;
}

static int forward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    const struct indexed indexed = indexing_of(call, LISTS);
    const void *const *lists = call->x + LISTS, *v = call->x[V];
    int code = indexing_check(call, LISTS, &indexed);
    if (code == CODE_OK) code = backend_copy(b, op_elements(call->out), call->x[X], call->y);
    if (code == CODE_OK && call->attributes[DOES] == ADDS_ONCE) {
        code = backend_index_read(b, &indexed, lists, call->x[X], call->saved[ROOM]);
        if (code == CODE_OK) code = b->axpby(op_elements(call->in[V]), 1, v, 1, call->saved[ROOM]);
        v = call->saved[ROOM];
    }
    if (code != CODE_OK) return code;
    return call->attributes[DOES] == ADDS ? backend_index_add(b, &indexed, lists, v, call->y)
                                          : backend_index_write(b, &indexed, lists, v, call->y);
}

static int explain(const struct op_call *call, struct error *error)
{
    const struct indexed indexed = indexing_of(call, LISTS);
    return indexing_explain(call, LISTS, &indexed, number_axis_of(call->attributes[INDEXING_FIRST], call->in[X]),
                            error);
}

/* Of what is named more than once all comes from the last: what is taken out of a copy of dy goes there. What is left
 * of it has come through from x, where v did not take its place. */
static int backward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    const struct indexed indexed = indexing_of(call, LISTS);
    const void *const *lists = call->x + LISTS;
    const size_t n = op_elements(call->out);
    const double does = call->attributes[DOES];
    int code = CODE_OK;
    if (call->dx[X] == NULL && call->dx[V] == NULL) return CODE_OK; /* there need be no dy either */
    if (does != ASSIGNS && call->dx[X] != NULL) code = backend_copy(b, n, call->dy, call->dx[X]);
    if (code == CODE_OK && does == ADDS && call->dx[V] != NULL)
        code = backend_index_read(b, &indexed, lists, call->dy, call->dx[V]);
    if (code != CODE_OK || does == ADDS || (does == ADDS_ONCE && call->dx[V] == NULL)) return code;
    void *taken = does == ASSIGNS && call->dx[X] != NULL ? call->dx[X] : call->saved[GRADIENT];
    code = backend_copy(b, n, call->dy, taken);
    if (code != CODE_OK) return code;
    if (call->dx[V] != NULL) return backend_index_take(b, &indexed, lists, taken, call->dx[V]);
    return call->dx[X] != NULL ? backend_index_take(b, &indexed, lists, taken, call->saved[ROOM]) : CODE_OK;
}

static bool write(struct op_writing *w)
{
    char place[WRITING_MAX / 4];
    if (w->input == WRITING_OUTPUT) return false;
    if (!writing_index(number_axis_of(w->attributes[INDEXING_FIRST], w->in[X]), place)) return false;
    w->whole = w->moves = true;
    if (w->input == V) return writing_put(w, "{dy}[%s]", place);
    w->clears = w->attributes[DOES] == ASSIGNS;
    return w->clears ? writing_put(w, "{dx}[%s] = 0", place) : writing_put(w, "{dy}");
}

static const struct op_case cases[] = {
    {.count = 3,
     .in = {{2, {4, 3}}, {2, {5, 3}}, {1, {5}}},
     CASE_NUMBERS(0, 1, ASSIGNS),
     .constants_from = -4,
     .constants_below = 4},
    {.count = 3,
     .in = {{2, {4, 3}}, {2, {5, 3}}, {1, {5}}},
     CASE_NUMBERS(0, 1, ADDS),
     .constants_from = -4,
     .constants_below = 4},
    {.count = 3,
     .in = {{2, {4, 3}}, {2, {5, 3}}, {1, {5}}},
     CASE_NUMBERS(0, 1, ADDS_ONCE),
     .constants_from = -4,
     .constants_below = 4},
    {.count = 4,
     .in = {{3, {2, 3, 3}}, {2, {2, 4}}, {1, {4}}, {1, {4}}},
     CASE_NUMBERS(1, 2, ASSIGNS),
     .constants_from = -2,
     .constants_below = 2},
    {.count = 4,
     .in = {{3, {2, 3, 3}}, {2, {2, 4}}, {1, {4}}, {1, {4}}},
     CASE_NUMBERS(-2, 2, ADDS),
     .constants_from = -2,
     .constants_below = 2},
    {.count = 4,
     .in = {{3, {2, 3, 3}}, {2, {2, 4}}, {1, {4}}, {1, {4}}},
     CASE_NUMBERS(1, 2, ADDS_ONCE),
     .constants_from = -2,
     .constants_below = 2},
    {.count = 3, .in = {{1, {4}}, {0}, {0}}, CASE_NUMBERS(0, 1, ASSIGNS), .constants_below = 4},
    {.count = 3, .in = {{2, {2, 4}}, {3, {2, 2, 2}}, {2, {2, 2}}}, CASE_NUMBERS(-1, 1, ADDS), .constants_below = 4},
    {.count = 0}};

const struct op op_index_put = {
    .name = "index_put",
    .summary = "a copy of x in which v takes the place of what lists of indices name, or is added to it",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .explain = explain,
    .write = write,
    .cases = cases,
};
