#include "core/ops/pooling.h"

#include <math.h>
#include <string.h>

enum { KERNEL, STRIDE, PADDING }; /* by axes */
/* Saved: a sample's columns, [channels, elements of a window, windows]; on the way back their gradient; the sample with
 * its padding. All for use within a call alone. */
enum { COLUMNS, GRADIENT, PADDED };

static void read_sizes(const double *attributes, size_t axes, struct windows *w)
{
    windows_sizes(attributes + KERNEL * axes, axes, 1, w->kernel);
    windows_sizes(attributes + STRIDE * axes, axes, 1, w->stride);
    windows_sizes(attributes + PADDING * axes, axes, 0, w->padding);
    for (size_t i = 0; i < WINDOW_AXES; i++)
        if (w->stride[i] == 0) w->stride[i] = w->kernel[i];
}

static int plan(const struct op_shape *shape, size_t axes, struct op_plan *plan, struct error *error)
{
    struct windows w;
    size_t columns, padded;
    if (windows_image(shape, axes, &w, error) != CODE_OK) return error->code;
    read_sizes(shape->attributes, axes, &w);
    for (size_t i = 0; i < WINDOW_AXES; i++) /* else a window may have nothing of the input */
        if (w.padding[i] > w.kernel[i] / 2) {
            error_set(error, CODE_OUT_OF_RANGE, "padding is %zu, it must be at most half of the kernel, which is %zu",
                      w.padding[i], w.kernel[i]);
            return error_at(error, "padding");
        }
    if (windows_count(shape, axes, &w, error) != CODE_OK) return error->code;
    if (!windows_rooms(&w, &padded, &columns))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: the windows are too large together", shape->op->name);
    shape_copy(&plan->out, shape->in[0]);
    for (size_t i = 0; i < axes; i++)
        plan->out.dim[2 + i] = w.count[WINDOW_AXES - axes + i];
    plan->saved[COLUMNS] = plan->saved[GRADIENT] = columns;
    plan->saved[PADDED] = padded;
    plan->work = 8.0 * (double)shape->in[0]->dim[0] * (double)columns;
    return CODE_OK;
}

int pooling_plan_1d(const struct op_shape *shape, struct op_plan *to, struct error *error)
{
    return plan(shape, 1, to, error);
}

int pooling_plan_2d(const struct op_shape *shape, struct op_plan *to, struct error *error)
{
    return plan(shape, 2, to, error);
}

static struct windows windows_of(const struct op_call *call)
{
    struct windows w;
    windows_image_of(call->in[0], &w);
    read_sizes(call->attributes, call->in[0]->rank - 2, &w);
    windows_count_of(&w);
    return w;
}

static struct rows_of_fold rows_of_columns(const struct windows *w)
{
    return (struct rows_of_fold){.outer = w->channels, .n = windows_of_kernel(w), .inner = windows_all(w)};
}

static int read_sample(const struct op_call *call, const struct windows *w, size_t i)
{
    const double around = call->op->fold == FOLD_max ? -INFINITY : 0;
    return windows_read(call->backend, w, around,
                        windows_sample(call->backend, call->x[0], i, windows_image_elements(w)), call->saved[PADDED],
                        call->saved[COLUMNS]);
}

int pooling_forward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    const struct windows w = windows_of(call);
    const struct rows_of_fold rows = rows_of_columns(&w);
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < call->in[0]->dim[0]; i++) {
        code = read_sample(call, &w, i);
        if (code == CODE_OK)
            code = backend_fold(b, call->op->fold, 0, &rows, call->saved[COLUMNS],
                                windows_sample(b, call->y, i, rows.outer * rows.inner));
    }
    return code;
}

int pooling_backward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    const struct windows w = windows_of(call);
    const struct rows_of_fold rows = rows_of_columns(&w);
    const size_t out = rows.outer * rows.inner;
    int code = CODE_OK;
    for (size_t i = 0; call->dx[0] != NULL && code == CODE_OK && i < call->in[0]->dim[0]; i++) {
        code = read_sample(call, &w, i);
        if (code == CODE_OK)
            code = backend_fold_gradient(b, call->op->fold, 0, &rows, call->saved[COLUMNS],
                                         windows_sample(b, call->y, i, out), windows_sample(b, call->dy, i, out),
                                         call->saved[GRADIENT]);
        if (code == CODE_OK)
            code = windows_sum(b, &w, NULL, call->saved[GRADIENT], call->saved[PADDED],
                               windows_sample(b, call->dx[0], i, windows_image_elements(&w)));
    }
    return code;
}

/* The largest of those that lie in one window; at is the index of the window along each axis. */
static void count_largest(const struct windows *w, const size_t at[WINDOW_AXES], const double *x, double largest,
                          signed char *to)
{
    for (size_t i = 0; i < w->kernel[0]; i++)
        for (size_t j = 0; j < w->kernel[1]; j++) {
            const size_t row = at[0] * w->stride[0] + i, column = at[1] * w->stride[1] + j;
            const size_t r = row - w->padding[0], c = column - w->padding[1];
            if (row < w->padding[0] || column < w->padding[1] || r >= w->size[0] || c >= w->size[1]) continue;
            if (x[r * w->size[1] + c] == largest) to[r * w->size[1] + c] = (signed char)(to[r * w->size[1] + c] + 1);
        }
}

void pooling_sides(const struct op_call *call, signed char *to)
{
    const struct windows w = windows_of(call);
    const double *x = call->x[0], *y = call->y;
    const size_t image = w.size[0] * w.size[1], images = call->in[0]->dim[0] * w.channels;
    memset(to, 0, images * image);
    for (size_t n = 0; n < images; n++, x += image, to += image)
        for (size_t i = 0; i < w.count[0]; i++)
            for (size_t j = 0; j < w.count[1]; j++)
                count_largest(&w, (size_t[]){i, j}, x, *y++, to);
}
