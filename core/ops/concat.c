#include "core/ops/concat.h"

#include "core/ops/mistake.h"

enum { DIM };

static const struct slot slots[] = {
    {.symbol = "a", .role = SLOT_INPUT}, {.symbol = "b", .role = SLOT_INPUT, .repeated = true}, {.symbol = NULL}};

/* Whether two shapes are the same but for one axis. */
static bool fit(const struct shape *a, const struct shape *b, size_t axis)
{
    bool same = a->rank == b->rank;
    for (size_t i = 0; same && i < a->rank; i++)
        same = i == axis || a->dim[i] == b->dim[i];
    return same;
}

/* The axis, counted from the end where it is negative; as many as there are for one beyond. */
static size_t axis_of(const double *attributes, const struct shape *shape)
{
    double axis = attributes[DIM] < 0 ? attributes[DIM] + (double)shape->rank : attributes[DIM];
    return axis >= 0 && axis < (double)shape->rank ? (size_t)axis : shape->rank;
}

int concat_plan(const struct op_shape *shape, size_t axis, const char *order, struct op_plan *plan, struct error *error)
{
    const struct shape *first = shape->in[0];
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    plan->out = *first;
    for (size_t k = 1; k < shape->count; k++) {
        if (!fit(first, shape->in[k], axis)) {
            error_set(error, CODE_SHAPE_MISMATCH, "%s takes inputs that differ in axis %zu alone, not %s and %s%s",
                      shape->op->name, axis, shape_text(first, a), shape_text(shape->in[k], b), order);
            error_at_index(error, k);
            return error_at(error, "inputs");
        }
        if (__builtin_add_overflow(plan->out.dim[axis], shape->in[k]->dim[axis], &plan->out.dim[axis]))
            return error_set(error, CODE_OUT_OF_RANGE, "the inputs together are too large");
    }
    for (size_t k = 0; k < shape->count; k++)
        plan->work += 2 * (double)op_elements(shape->in[k]);
    return CODE_OK;
}

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *first = shape->in[0];
    size_t axis = axis_of(shape->attributes, first);
    char text[SHAPE_TEXT_MAX];
    if (axis == 0 || axis >= first->rank) {
        error_set(error, CODE_OUT_OF_RANGE,
                  "dim is %g: it must name an axis of the first input, %s (batch first), and not the batch",
                  shape->attributes[DIM], shape_text(first, text));
        return error_at(error, "dim");
    }
    return concat_plan(shape, axis, " (batch first)", plan, error);
}

/* Elements of one index of the axes before `dim`: what lies together in memory. */
static size_t run_of(const struct op_call *call, const struct shape *shape)
{
    size_t run = 1;
    for (size_t i = axis_of(call->attributes, shape); i < shape->rank; i++)
        run *= shape->dim[i];
    return run;
}

static void *at(const struct op_call *call, const void *memory, size_t elements)
{
    return (char *)memory + elements * call->backend->element_size;
}

/* Each input as [runs, its run], beside each other. */
int concat_forward(const struct op_call *call)
{
    size_t whole = run_of(call, call->out), begin = 0;
    int code = CODE_OK;
    for (size_t k = 0; code == CODE_OK && k < call->count; k++) {
        size_t run = run_of(call, call->in[k]);
        code = call->backend->copy_rows(op_elements(call->in[k]) / run, run, run, call->x[k], whole,
                                        at(call, call->y, begin));
        begin += run;
    }
    return code;
}

int concat_backward(const struct op_call *call)
{
    size_t whole = run_of(call, call->out), begin = 0;
    int code = CODE_OK;
    for (size_t k = 0; code == CODE_OK && k < call->count; k++) {
        size_t run = run_of(call, call->in[k]);
        if (call->dx[k] != NULL)
            code = call->backend->copy_rows(op_elements(call->in[k]) / run, run, whole, at(call, call->dy, begin), run,
                                            call->dx[k]);
        begin += run;
    }
    return code;
}

/* The slice of another input, so many further on. */
static bool another_slice(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    size_t other = (step->input + 1 + made->variant) % call->count, begin = 0;
    if (made->variant + 1 >= call->count) return false;
    size_t run = run_of(call, call->in[step->input]), whole = run_of(call, call->out);
    if (run_of(call, call->in[other]) != run) return false;
    for (size_t k = 0; k < other; k++)
        begin += run_of(call, call->in[k]);
    return call->backend->copy_rows(op_elements(call->in[step->input]) / run, run, whole, step->dy + begin, run,
                                    made->value) == CODE_OK;
}

enum { SLICES_MAX = 4 };

const struct mistake mistake_gradient_at_wrong_index = {
    .id = "gradient_at_wrong_index",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 4,
    .summary = "slices of a gradient are exchanged or shifted",
    .message = "What layer {layer} sends back to its inputs is in the wrong places: an input got the slice that belongs"
               " to another one.",
    .hint = "Cut the gradient where the inputs were put together, in the same order.",
    .wrong = "da, db = dc[:, n:], dc[:, :n]",
    .right = "da, db = dc[:, :n], dc[:, n:]",
    .alternative = another_slice,
    .variants = SLICES_MAX,
};

static const struct op_case cases[] = {
    {.count = 2, .in = {{2, {3, 4}}, {2, {3, 2}}}},
    {.count = 3, .in = {{2, {3, 1}}, {2, {3, 3}}, {2, {3, 1}}}},
    {.count = 2, .in = {{3, {3, 2, 3}}, {3, {3, 2, 3}}}},
    {.count = 3, .in = {{3, {3, 2, 3}}, {3, {3, 2, 1}}, {3, {3, 2, 2}}}, .set = {{"dim", 2}}},
    {.count = 2, .in = {{3, {2, 2, 3}}, {3, {2, 2, 1}}}, .set = {{"dim", -1}}},
    {.count = 2, .in = {{4, {2, 3, 1, 2}}, {4, {2, 3, 4, 2}}}, .set = {{"dim", 2}}},
    {.count = 0}};

const struct op op_concat = {
    .name = "concat",
    .summary = "the inputs one behind the other along the axis dim; axis 0 is the batch, -1 the last",
    .kind = OP_LAYER,
    .attributes =
        {{.name = "dim", .kind = ATTRIBUTE_SIZE, .fallback = 1, .least = -TENSOR_RANK_MAX, .most = TENSOR_RANK_MAX}},
    .slots = slots,
    .plan = plan,
    .forward = concat_forward,
    .backward = concat_backward,
    .term_unit = op_unit_of_sums,
    .mistakes = (const struct mistake *const[]){&mistake_gradient_at_wrong_index, NULL},
    .cases = cases,
};
