/* Products of matrices, as many as the axes before the last two have: y = a @ b, which takes no numbers. */
#include <string.h>

#include "core/ops/elementary_mistakes.h"
#include "core/ops/op.h"
#include "core/ops/writing.h"

static const struct slot slots[] = {
    {.symbol = "a", .role = SLOT_INPUT}, {.symbol = "b", .role = SLOT_INPUT}, {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *a = shape->in[0], *b = shape->in[1];
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    size_t last = a->rank - 1;
    bool fits = a->rank >= 2 && a->rank == b->rank && a->dim[last] == b->dim[last - 1] &&
                memcmp(a->dim, b->dim, (a->rank - 2) * sizeof *a->dim) == 0;
    if (!fits)
        return error_set(error, CODE_SHAPE_MISMATCH, "shapes %s and %s do not fit a product", shape_text(a, one),
                         shape_text(b, other));
    shape_copy(&plan->out, a);
    plan->out.dim[last] = b->dim[last];
    size_t size;
    if (!shape_size(&plan->out, &size)) return error_set(error, CODE_OUT_OF_RANGE, "the product is too large");
    plan->work = 6.0 * (double)size * (double)a->dim[last];
    return CODE_OK;
}

/* The dimensions of each product, and how many there are. */
struct matrices {
    size_t count, m, n, k;
};

static struct matrices matrices_of(const struct op_call *call)
{
    const struct shape *a = call->in[0], *b = call->in[1];
    struct matrices x = {.m = a->dim[a->rank - 2], .n = b->dim[b->rank - 1], .k = a->dim[a->rank - 1]};
    x.count = op_elements(a) / (x.m * x.k);
    return x;
}

/* The i-th of matrices of so many elements. */
static void *nth(const struct op_call *call, const void *memory, size_t i, size_t elements)
{
    return (char *)memory + i * elements * call->backend->element_size;
}

static int forward(const struct op_call *call)
{
    struct matrices x = matrices_of(call);
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < x.count; i++)
        code = call->backend->gemm(false, false, x.m, x.n, x.k, 1, nth(call, call->x[0], i, x.m * x.k),
                                   nth(call, call->x[1], i, x.k * x.n), 0, nth(call, call->y, i, x.m * x.n));
    return code;
}

/* da = dy @ b.T, db = a.T @ dy */
static int backward(const struct op_call *call)
{
    struct matrices x = matrices_of(call);
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < x.count; i++) {
        const void *a = nth(call, call->x[0], i, x.m * x.k), *b = nth(call, call->x[1], i, x.k * x.n),
                   *dy = nth(call, call->dy, i, x.m * x.n);
        if (call->dx[0] != NULL)
            code = call->backend->gemm(false, true, x.m, x.k, x.n, 1, dy, b, call->add[0],
                                       nth(call, call->dx[0], i, x.m * x.k));
        if (call->dx[1] != NULL && code == CODE_OK)
            code = call->backend->gemm(true, false, x.k, x.n, x.m, 1, a, dy, call->add[1],
                                       nth(call, call->dx[1], i, x.k * x.n));
    }
    return code;
}

static bool write(struct op_writing *w)
{
    const char *flipped = w->in[0]->rank > 2 ? ".swapaxes(-1, -2)" : ".T";
    w->whole = true;
    if (w->input == 0) return writing_put(w, "{dy} @ {b}%s", flipped);
    if (w->input == 1) return writing_put(w, "{a}%s @ {dy}", flipped);
    return writing_put(w, "{a} @ {b}");
}

static const struct op_case cases[] = {{.count = 2, .in = {{2, {3, 4}}, {2, {4, 2}}}},
                                       {.count = 2, .in = {{2, {1, 5}}, {2, {5, 1}}}},
                                       {.count = 2, .in = {{3, {2, 3, 2}}, {3, {2, 2, 4}}}},
                                       {.count = 2, .in = {{4, {2, 2, 1, 3}}, {4, {2, 2, 3, 2}}}},
                                       {.count = 0}};

const struct op op_matmul = {
    .name = "matmul",
    .summary = "a @ b over the last two axes; those before are the same",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .write = write,
    .adds = true,
    .term_unit = op_unit_of_products,
    .mistakes = mistakes_of_matmul,
    .cases = cases,
};
