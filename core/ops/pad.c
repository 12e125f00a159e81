/* The input with a constant around it. Numbers: the constant, the rank, and for each axis how many elements come before
 * and behind. */
#include "core/ops/numbers.h"

enum { VALUE, RANK, PAIRS };
#define PAD_MAX 4503599627370496.0 /* so that a length and two of these are whole as doubles, too */

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *in = shape->in[0];
    const double *pairs = shape->attributes + PAIRS;
    char text[SHAPE_TEXT_MAX];
    size_t size;
    if (shape->attributes[RANK] != (double)in->rank)
        return error_set(error, CODE_SHAPE_MISMATCH, "pad: widths are given for %g axes, but the array has shape %s",
                         shape->attributes[RANK], shape_text(in, text));
    plan->out = *in;
    for (size_t i = 0; i < in->rank; i++) {
        if (!number_is_whole(pairs[2 * i], 0, PAD_MAX) || !number_is_whole(pairs[2 * i + 1], 0, PAD_MAX))
            return error_set(error, CODE_OUT_OF_RANGE, "pad: widths are whole numbers from 0, not %g and %g",
                             pairs[2 * i], pairs[2 * i + 1]);
        if (__builtin_add_overflow(in->dim[i], (size_t)pairs[2 * i] + (size_t)pairs[2 * i + 1], &plan->out.dim[i]))
            return error_set(error, CODE_OUT_OF_RANGE, "pad: the output is too large");
    }
    if (!shape_size(&plan->out, &size)) return error_set(error, CODE_OUT_OF_RANGE, "pad: the output is too large");
    plan->work = 2 * (double)op_elements(in) + (double)size;
    return CODE_OK;
}

/* Where the input stands in the output. */
static struct strided inside(const struct op_call *call)
{
    struct strided view = {.rank = call->in[0]->rank};
    size_t stride = 1;
    for (size_t axis = view.rank; axis-- > 0;) {
        view.dim[axis] = call->in[0]->dim[axis];
        view.stride[axis] = (ptrdiff_t)stride;
        view.offset += stride * (size_t)call->attributes[PAIRS + 2 * axis];
        stride *= call->out->dim[axis];
    }
    return view;
}

static int forward(const struct op_call *call)
{
    const struct strided view = inside(call);
    int code = backend_fill(call->backend, op_elements(call->out), call->attributes[VALUE], call->y);
    return code == CODE_OK ? backend_view_write(call->backend, &view, call->x[0], call->y) : code;
}

static int backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    const struct strided view = inside(call);
    return backend_view_read(call->backend, &view, call->dy, call->dx[0]);
}

static const struct op_case cases[] = {
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(0, 2, 1, 1, 2, 0)},
    {.count = 1, .in = {{1, {3}}}, CASE_NUMBERS(-1.5, 1, 0, 2)},
    {.count = 1, .in = {{2, {3, 4}}}, CASE_NUMBERS(1, 2, 0, 0, 0, 0)},
    {.count = 1, .in = {{0}}, CASE_NUMBERS(1, 0)},
    {.count = 1, .in = {{4, {1, 2, 2, 3}}}, CASE_NUMBERS(0, 4, 0, 0, 0, 0, 1, 1, 1, 1)},
    {.count = 0}};

const struct op op_pad = {
    .name = "pad",
    .summary = "x with a constant around it",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .cases = cases,
};
