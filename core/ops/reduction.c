#include "core/ops/reduction.h"

#include <stdio.h>
#include <string.h>

static size_t axes_of(const double *numbers)
{
    return numbers[0] > 0 ? (size_t)numbers[0] : 0;
}

/* Which axes go, into gone[]. */
static void find_axes(const double *numbers, const struct shape *in, bool *gone)
{
    for (size_t i = 0; i < in->rank; i++)
        gone[i] = numbers[0] < 0;
    for (size_t k = 0; k < axes_of(numbers); k++)
        gone[number_axis_of(numbers[1 + k], in)] = true;
}

/* Axes that stay, then those that go. */
static struct strided order_of(const struct shape *in, const bool *gone)
{
    struct strided order = {.rank = 0};
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < in->rank; i++)
            if (gone[i] == (turn == 1)) {
                order.dim[order.rank] = in->dim[i];
                order.stride[order.rank++] = (ptrdiff_t)rows_along(in, i).inner;
            }
    return order;
}

struct reduced reduction_of(const struct op *op, const double *numbers, const struct shape *in)
{
    struct reduced r = {.rows = {1, 1, 1}};
    if (op->fold == FOLD_variance) r.more = numbers[2 + axes_of(numbers)];
    find_axes(numbers, in, r.axes);
    for (size_t i = 0; i < in->rank; i++) {
        if (in->dim[i] == 1) continue;
        if (r.axes[i] && r.rows.inner > 1) r.reordered = true; /* there was one before, and then one that stays */
        if (r.axes[i])
            r.rows.n *= in->dim[i];
        else if (r.rows.n > 1)
            r.rows.inner *= in->dim[i];
        else
            r.rows.outer *= in->dim[i];
    }
    if (!r.reordered) return r;
    r.order = order_of(in, r.axes);
    r.rows.outer *= r.rows.inner;
    r.rows.inner = 1;
    return r;
}

/* The axes, once each, and whether they stay. */
static int check_numbers(const struct op_shape *shape, struct error *error)
{
    const double *numbers = shape->attributes, keeps = numbers[1 + axes_of(numbers)];
    const struct shape *in = shape->in[0];
    char text[SHAPE_TEXT_MAX];
    bool seen[TENSOR_RANK_MAX] = {false};
    if (!number_is_whole(numbers[0], -1, (double)in->rank))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: there are no %g axes in an array of shape %s", shape->op->name,
                         numbers[0], shape_text(in, text));
    for (size_t k = 0; k < axes_of(numbers); k++) {
        size_t axis;
        if (number_axis(shape, numbers[1 + k], in, &axis, error) != CODE_OK) return error->code;
        if (seen[axis])
            return error_set(error, CODE_OUT_OF_RANGE, "%s: axis %zu of an array of shape %s is given twice",
                             shape->op->name, axis, shape_text(in, text));
        seen[axis] = true;
    }
    if (!number_is_whole(keeps, 0, 1))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: keepdims is 0 or 1, not %g", shape->op->name, keeps);
    return CODE_OK;
}

int reduction_plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *in = shape->in[0];
    const size_t n = op_elements(in);
    if (check_numbers(shape, error) != CODE_OK) return error->code;
    const struct reduced r = reduction_of(shape->op, shape->attributes, in);
    const bool keeps = shape->attributes[1 + axes_of(shape->attributes)] > 0;
    plan->out.rank = 0;
    for (size_t i = 0; i < in->rank; i++)
        if (!r.axes[i] || keeps) plan->out.dim[plan->out.rank++] = r.axes[i] ? 1 : in->dim[i];
    plan->saved[REDUCTION_ROOM] = plan->saved[REDUCTION_GRADIENT] = r.reordered ? n : 0;
    plan->work = (r.reordered ? 8 : 4) * (double)n;
    return CODE_OK;
}

int reduction_forward(const struct op_call *call)
{
    const struct reduced r = reduction_of(call->op, call->attributes, call->in[0]);
    const void *x = call->x[0];
    int code = CODE_OK;
    if (r.reordered) {
        code = backend_view_read(call->backend, &r.order, x, call->saved[REDUCTION_ROOM]);
        x = call->saved[REDUCTION_ROOM];
    }
    return code == CODE_OK ? backend_fold(call->backend, call->op->fold, r.more, &r.rows, x, call->y) : code;
}

int reduction_backward(const struct op_call *call)
{
    if (call->dx[0] == NULL) return CODE_OK;
    const struct reduced r = reduction_of(call->op, call->attributes, call->in[0]);
    const void *x = r.reordered ? call->saved[REDUCTION_ROOM] : call->x[0];
    void *dx = r.reordered ? call->saved[REDUCTION_GRADIENT] : call->dx[0];
    int code = backend_fold_gradient(call->backend, call->op->fold, r.more, &r.rows, x, call->y, call->dy, dx);
    return code == CODE_OK && r.reordered ? backend_view_write(call->backend, &r.order, dx, call->dx[0]) : code;
}

void reduction_ties(const struct op_call *call, signed char *to)
{
    const struct shape *in = call->in[0];
    const struct reduced r = reduction_of(call->op, call->attributes, in);
    const double *x = call->x[0], *y = call->y;
    size_t index[TENSOR_RANK_MAX];
    for (size_t e = 0; e < op_elements(in); e++) {
        size_t at = 0;
        shape_index(in, e, index);
        for (size_t i = 0; i < in->rank; i++)
            if (!r.axes[i]) at = at * in->dim[i] + index[i];
        to[e] = x[e] == y[at];
    }
}

/* ---- how they are written ---- */

/* Appends to a text of WRITING_MAX / 4 bytes. */
static bool add(char *text, const char *more)
{
    size_t length = strlen(text);
    bool fits = length + strlen(more) < WRITING_MAX / 4;
    if (fits) memcpy(text + length, more, strlen(more) + 1);
    return fits;
}

/* "0", "(0, 2)". */
static bool list_axes(const bool *axes, size_t rank, size_t gone, char *text)
{
    bool fits = true;
    char axis[24];
    text[0] = '\0';
    if (gone > 1) fits = add(text, "(");
    for (size_t i = 0, listed = 0; i < rank; i++) {
        if (!axes[i]) continue;
        snprintf(axis, sizeof axis, listed++ > 0 ? ", %zu" : "%zu", i);
        fits = fits && add(text, axis);
    }
    return fits && (gone <= 1 || add(text, ")"));
}

/* The subscripts that give the output axes of length 1 where some are gone behind others that are not: those in front
 * NumPy gives it by itself. */
static bool write_along(const bool *axes, const struct shape *in, struct op_writing *w)
{
    bool fits = add(w->along, "["), any = false;
    size_t first = 0, last = in->rank;
    while (first < in->rank && axes[first])
        first++;
    while (last > first && !axes[last - 1])
        last--;
    for (size_t i = first; i < last; i++) {
        any = any || axes[i];
        fits = fits && add(w->along, i > first ? ", " : "") && add(w->along, axes[i] ? "None" : ":");
    }
    fits = fits && add(w->along, "]");
    if (!any) w->along[0] = '\0';
    for (size_t i = first; i < in->rank; i++)
        w->along_shape.dim[w->along_shape.rank++] = axes[i] ? 1 : in->dim[i];
    return fits;
}

bool reduction_words(struct op_writing *w, struct reduction_words *words)
{
    const struct shape *in = w->in[0];
    bool axes[TENSOR_RANK_MAX] = {false};
    size_t gone = 0;
    bool keeps = w->attributes[1 + axes_of(w->attributes)] > 0, fits;
    *words = (struct reduction_words){.n = 1};
    if (w->op->fold == FOLD_variance) words->more = w->attributes[2 + axes_of(w->attributes)];
    find_axes(w->attributes, in, axes);
    for (size_t i = 0; i < in->rank; i++) {
        gone += axes[i];
        if (axes[i]) words->n *= in->dim[i];
    }
    fits = gone == in->rank || list_axes(axes, in->rank, gone, words->axes);
    if (!fits || (gone == 0 && in->rank > 0)) return false;
    memcpy(words->kept, words->axes, strlen(words->axes) + 1);
    if (gone < in->rank) fits = add(words->kept, ", keepdims=True");
    if (keeps) fits = fits && add(words->axes, gone < in->rank ? ", keepdims=True" : "keepdims=True");
    w->along[0] = '\0';
    w->along_shape.rank = 0;
    if (!keeps) return fits && write_along(axes, in, w);
    shape_copy(&w->along_shape, w->out);
    return fits;
}
