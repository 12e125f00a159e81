#include "core/ops/windows.h"

void windows_sizes(const double *at, size_t axes, size_t none, size_t sizes[WINDOW_AXES])
{
    sizes[0] = axes == 1 ? none : (size_t)at[0];
    sizes[1] = (size_t)at[axes - 1];
}

void windows_image_of(const struct shape *shape, struct windows *w)
{
    w->channels = shape->dim[1];
    w->size[0] = shape->rank == 4 ? shape->dim[2] : 1;
    w->size[1] = shape->dim[shape->rank - 1];
}

int windows_image(const struct op_shape *shape, size_t axes, struct windows *w, struct error *error)
{
    char text[SHAPE_TEXT_MAX];
    if (shape->in[0]->rank != axes + 2)
        return error_set(error, CODE_SHAPE_MISMATCH, "%s takes an input of shape %s, not %s", shape->op->name,
                         axes == 1 ? "[N,C,L]" : "[N,C,H,W]", shape_text(shape->in[0], text));
    windows_image_of(shape->in[0], w);
    return CODE_OK;
}

void windows_count_of(struct windows *w)
{
    for (size_t i = 0; i < WINDOW_AXES; i++)
        w->count[i] = (w->size[i] + 2 * w->padding[i] - w->kernel[i]) / w->stride[i] + 1;
}

/* "3", or "[3,5]". */
static const char *sizes_text(const size_t sizes[WINDOW_AXES], size_t axes, char *text)
{
    const struct shape shape = shape_of(axes, sizes + WINDOW_AXES - axes);
    return shape_text(&shape, text);
}

int windows_count(const struct op_shape *shape, size_t axes, struct windows *w, struct error *error)
{
    char kernel[SHAPE_TEXT_MAX], padded[SHAPE_TEXT_MAX];
    size_t around[WINDOW_AXES];
    bool fits = true;
    for (size_t i = 0; i < WINDOW_AXES; i++) {
        /* Attributes are at most 2^53. */
        if (__builtin_add_overflow(w->size[i], 2 * w->padding[i], &around[i]))
            return error_set(error, CODE_OUT_OF_RANGE, "%s: the padding is too large", shape->op->name);
        fits = fits && w->kernel[i] <= around[i];
    }
    if (!fits)
        return error_set(error, CODE_SHAPE_MISMATCH,
                         "%s: the kernel, %s, is larger than the input, which with its padding is %s", shape->op->name,
                         sizes_text(w->kernel, axes, kernel), sizes_text(around, axes, padded));
    windows_count_of(w);
    return CODE_OK;
}

size_t windows_image_elements(const struct windows *w)
{
    return w->channels * w->size[0] * w->size[1];
}

/* With its padding. */
static size_t length(const struct windows *w, size_t axis)
{
    return w->size[axis] + 2 * w->padding[axis];
}

static bool is_padded(const struct windows *w)
{
    return w->padding[0] > 0 || w->padding[1] > 0;
}

bool windows_rooms(const struct windows *w, size_t *padded, size_t *columns)
{
    const struct shape image = shape_of(3, (size_t[]){w->channels, length(w, 0), length(w, 1)});
    const struct shape all = shape_of(5, (size_t[]){w->channels, w->kernel[0], w->kernel[1], w->count[0], w->count[1]});
    bool fits = shape_size(&image, padded) && shape_size(&all, columns);
    if (!is_padded(w)) *padded = 0;
    return fits;
}

bool windows_are_image(const struct windows *w)
{
    return !is_padded(w) && windows_of_kernel(w) == 1 && w->stride[0] == 1 && w->stride[1] == 1;
}

/* The windows as a view of the padded image. */
static struct strided view_of(const struct windows *w)
{
    const size_t row = length(w, 1), channel = row * length(w, 0);
    return (struct strided){
        .rank = 5,
        .dim = {w->channels, w->kernel[0], w->kernel[1], w->count[0], w->count[1]},
        .stride = {(ptrdiff_t)channel, (ptrdiff_t)row, 1, (ptrdiff_t)(w->stride[0] * row), (ptrdiff_t)w->stride[1]}};
}

/* Where the image stands in it. */
static struct strided inside(const struct windows *w)
{
    const size_t row = length(w, 1), channel = row * length(w, 0);
    return (struct strided){.rank = 3,
                            .dim = {w->channels, w->size[0], w->size[1]},
                            .stride = {(ptrdiff_t)channel, (ptrdiff_t)row, 1},
                            .offset = w->padding[0] * row + w->padding[1]};
}

static size_t padded_elements(const struct windows *w)
{
    return w->channels * length(w, 0) * length(w, 1);
}

int windows_read(const struct backend *b, const struct windows *w, double value, const void *image, void *padded,
                 void *columns)
{
    const struct strided view = view_of(w), within = inside(w);
    if (!is_padded(w)) return backend_view_read(b, &view, image, columns);
    int code = backend_fill(b, padded_elements(w), value, padded);
    if (code == CODE_OK) code = backend_view_write(b, &within, image, padded);
    return code == CODE_OK ? backend_view_read(b, &view, padded, columns) : code;
}

int windows_sum(const struct backend *b, const struct windows *w, const void *more, const void *columns, void *padded,
                void *image)
{
    const struct strided view = view_of(w), within = inside(w);
    void *to = is_padded(w) ? padded : image;
    const size_t n = padded_elements(w);
    const struct spread by_channel = {.rank = 2, .dim = {w->channels, n / w->channels}, .stride = {1, 0}};
    int code = more != NULL ? b->spread(&by_channel, more, to) : backend_fill(b, n, 0, to);
    if (code == CODE_OK) code = backend_view_add(b, &view, columns, to);
    return code == CODE_OK && is_padded(w) ? backend_view_read(b, &within, padded, image) : code;
}
