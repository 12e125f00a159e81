/* Elements of the input in other places: numbers are a view of it (core/ops/numbers.h), whose shape the output has. It
 * serves axes in another order, slices with steps, flips, axes that are repeated, diagonals, axes of length 1 that come
 * or go. */
#include "core/ops/elementary_mistakes.h"
#include "core/ops/numbers.h"
#include "core/ops/writing.h"

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    struct strided view;
    if (number_view_of(shape, shape->attributes, shape->in[0], &view, error) != CODE_OK) return error->code;
    plan->out = view_shape(&view);
    plan->work = 2 * (double)op_elements(&plan->out) + (double)op_elements(shape->in[0]);
    return CODE_OK;
}

/* Whether the view is the whole input, some axes of it repeated: what every backend does by itself. */
static bool repeats(const struct strided *view, size_t n, struct spread *spread)
{
    size_t stride = 1;
    *spread = (struct spread){.rank = view->rank};
    for (size_t axis = view->rank; axis-- > 0;) {
        spread->dim[axis] = view->dim[axis];
        spread->stride[axis] = view->dim[axis] > 1 ? (size_t)view->stride[axis] : 0;
        if (spread->stride[axis] == 0) continue;
        if (spread->stride[axis] != stride) return false;
        stride *= view->dim[axis];
    }
    return view->rank > 0 && view->offset == 0 && stride == n;
}

static int forward(const struct op_call *call)
{
    const struct strided view = number_view(call->attributes);
    struct spread spread;
    if (call->backend->view_read == NULL && repeats(&view, op_elements(call->in[0]), &spread))
        return call->backend->spread(&spread, call->x[0], call->y);
    return backend_view_read(call->backend, &view, call->x[0], call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    const struct strided view = number_view(call->attributes);
    const size_t n = op_elements(call->in[0]);
    const bool apart = view_is_apart(&view);
    struct spread spread;
    if (!apart && repeats(&view, n, &spread)) return call->backend->sum_spread(&spread, call->dy, call->dx[0]);
    int code = CODE_OK;
    if (!apart || view_elements(&view) < n) code = backend_fill(call->backend, n, 0, call->dx[0]);
    if (code != CODE_OK) return code;
    if (apart) return backend_view_write(call->backend, &view, call->dy, call->dx[0]);
    return backend_view_add(call->backend, &view, call->dy, call->dx[0]);
}

/* Axes in another order, the whole repeated, or a part that subscripts name. */
static bool write(struct op_writing *w)
{
    const struct strided view = number_view(w->attributes);
    size_t axes[TENSOR_RANK_MAX];
    char place[WRITING_MAX / 2];
    struct spread spread;
    if (writing_order(&view, w->in[0], axes)) {
        w->whole = w->moves = true;
        return writing_transposed(w, w->input == WRITING_OUTPUT ? "{x}" : "{dy}", view.rank, axes,
                                  w->input != WRITING_OUTPUT);
    }
    if (repeats(&view, op_elements(w->in[0]), &spread) && writing_is_broadcast(&view, w->in[0])) {
        char shape[WRITING_MAX / 2];
        if (w->input != WRITING_OUTPUT) return writing_put(w, "{dy}");
        return writing_shape(w->out, shape) && writing_put(w, "np.broadcast_to({x}, %s)", shape);
    }
    if (!writing_place(&view, w->in[0], place) || place[0] == '\0') return false;
    w->adds = w->input != WRITING_OUTPUT;
    return w->adds ? writing_put(w, "{dx}%s += {dy}", place) : writing_put(w, "{x}%s", place);
}

static const struct op_case cases[] = {
    /* other orders of axes */
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(2, 4, 3, 1, 4, 0)},
    {.count = 1, .in = {{3, {2, 3, 4}}}, CASE_NUMBERS(3, 4, 2, 3, 1, 12, 4, 0)},
    {.count = 1, .in = {{3, {2, 3, 4}}}, CASE_NUMBERS(3, 3, 2, 4, 4, 12, 1, 0)},
    {.count = 1, .in = {{4, {2, 3, 2, 3}}}, CASE_NUMBERS(4, 3, 2, 3, 2, 1, 3, 6, 18, 0)},
    {.count = 1, .in = {{2, {20, 5}}}, CASE_NUMBERS(2, 5, 20, 1, 5, 0)}, /* more than fit into one square */
    {.count = 1,
     .in = {{8, {2, 1, 2, 1, 2, 1, 2, 2}}},
     CASE_NUMBERS(8, 2, 2, 1, 2, 1, 2, 1, 2, 1, 2, 4, 4, 8, 8, 16, 16, 0)},
    /* slices, with steps and flipped */
    {.count = 1, .in = {{2, {4, 5}}}, CASE_NUMBERS(2, 2, 3, 5, 1, 6)},
    {.count = 1, .in = {{2, {5, 6}}}, CASE_NUMBERS(2, 2, 3, 12, 2, 1)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(2, 3, 4, -4, -1, 11)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(2, 3, 2, -4, 2, 8)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(1, 4, 1, 4)}, /* a row */
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(1, 3, 4, 1)}, /* a column */
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(0, 7)},       /* an element */
    {.count = 1, .in = {{0}}, CASE_NUMBERS(0, 0)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(4, 1, 3, 1, 4, 12, 4, 4, 1, 0)},
    /* axes that are repeated, of the whole and of slices */
    {.count = 1, .in = {{0}}, CASE_NUMBERS(2, 2, 3, 0, 0, 0)},
    {.count = 1, .in = {{1, {3}}}, CASE_NUMBERS(2, 4, 3, 0, 1, 0)},
    {.count = 1, .in = {{2, {3, 1}}}, CASE_NUMBERS(2, 3, 4, 1, 0, 0)},
    {.count = 1, .in = {{2, {2, 3}}}, CASE_NUMBERS(4, 3, 2, 2, 3, 0, 3, 0, 1, 0)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(3, 3, 2, 4, 4, 0, -1, 3)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(3, 2, 2, 5, 8, 2, 0, 0)},
    /* diagonals, and what overlaps: windows */
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(1, 3, 5, 0)},
    {.count = 1, .in = {{3, {2, 3, 3}}}, CASE_NUMBERS(2, 2, 3, 9, 4, 0)},
    {.count = 1, .in = {{1, {7}}}, CASE_NUMBERS(2, 5, 3, 1, 1, 0)},
    {.count = 1, .in = {{2, {4, 5}}}, CASE_NUMBERS(4, 3, 4, 2, 2, 5, 1, 5, 1, 0)},
    {.count = 0}};

const struct op op_view = {
    .name = "view",
    .summary = "elements of x in other places: its axes in another order, slices, flips, axes that are repeated",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .arranges = true,
    .term_unit = op_unit_of_sums,
    .mistakes = mistakes_of_views,
    .write = write,
    .cases = cases,
};
