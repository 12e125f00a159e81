#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

/* The input as the output repeated along the axes that are gone: what every backend does by itself. */
static struct spread spread_of(const struct op_call *call, const struct reduced *r)
{
    const struct shape *in = call->in[0];
    struct spread spread = {.rank = in->rank > 0 ? in->rank : 1, .dim = {1}};
    size_t stride = 1;
    for (size_t axis = in->rank; axis-- > 0;) {
        spread.dim[axis] = in->dim[axis];
        spread.stride[axis] = r->axes[axis] ? 0 : stride;
        if (!r->axes[axis]) stride *= in->dim[axis];
    }
    return spread;
}

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    int code = reduction_plan(shape, plan, error);
    plan->saved[REDUCTION_ROOM] = plan->saved[REDUCTION_GRADIENT] = 0;
    return code;
}

static int forward(const struct op_call *call)
{
    const struct reduced r = reduction_of(call->op, call->attributes, call->in[0]);
    if (!r.reordered && call->backend->fold != NULL)
        return call->backend->fold(FOLD_sum, 0, &r.rows, call->x[0], call->y);
    if (!r.reordered && r.rows.outer == 1) return call->backend->sum_rows(r.rows.n, r.rows.inner, call->x[0], call->y);
    const struct spread spread = spread_of(call, &r);
    return call->backend->sum_spread(&spread, call->x[0], call->y);
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    const struct reduced r = reduction_of(call->op, call->attributes, call->in[0]);
    const struct spread spread = spread_of(call, &r);
    return call->backend->spread(&spread, call->dy, call->dx[0]);
}

static bool write(struct op_writing *w)
{
    struct reduction_words words;
    if (!reduction_words(w, &words)) return false;
    return w->input == WRITING_OUTPUT ? writing_put(w, "{x}.sum(%s)", words.axes) : writing_put(w, "{dy}");
}

static const struct op_case cases[] = {REDUCTION_CASES(0), REDUCTION_CASES_OF_ONE, {.count = 0}};

const struct op op_sum = {
    .name = "sum",
    .summary = "the sum along some axes",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .write = write,
    .term_unit = op_unit_of_sums,
    .fold = FOLD_sum,
    .mistakes = mistakes_of_averages,
    .cases = cases,
};
