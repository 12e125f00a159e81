/* A sample's windows are columns of a matrix; then all is products of matrices:
 *
 * y = W @ columns(x) + b, dW = dy @ columns(x).T, dx = the sum of what lies in the columns W.T @ dy;
 *
 * transposed, the other way round: y = the sum of what lies in the columns W.T @ x, plus b, dW = x @ columns(dy).T,
 * dx = W @ columns(dy).
 *
 * There is room for the columns of one sample, which are made anew on the way back: they are as many times as large as
 * a sample as a window has elements. */
#include "core/ops/convolution.h"

enum { OUT_CHANNELS, IN_CHANNELS, WITH_BIAS, SIZES };
enum { KERNEL, STRIDE, PADDING, OUTPUT_PADDING }; /* by axes: from SIZES on */
enum { X = CONVOLUTION_X, WEIGHT = CONVOLUTION_WEIGHT, BIAS = CONVOLUTION_BIAS };
enum { COLUMNS, PADDED }; /* saved, both for use within a call alone */

const struct slot convolution_slots[] = {
    {.symbol = "x", .role = SLOT_INPUT},
    {.symbol = "W", .member = "weight", .role = SLOT_PARAMETER, .regularized = true},
    {.symbol = "b", .member = "bias", .role = SLOT_PARAMETER, .initial = INITIAL_ZERO},
    {.symbol = NULL}};

int convolution_term_unit(size_t count, const int *units)
{
    int product = units[X] + units[WEIGHT];
    return count > BIAS && units[BIAS] < product ? units[BIAS] : product;
}

/* ---- attributes that follow ---- */

static int follow(const struct op_shape *shape, size_t axes, bool transposed, double *attributes, struct error *error)
{
    const struct shape *weight = shape->in[WEIGHT];
    char text[SHAPE_TEXT_MAX];
    const char *wanted = transposed  ? axes == 1 ? "[in,out,k]" : "[in,out,kh,kw]"
                         : axes == 1 ? "[out,in,k]"
                                     : "[out,in,kh,kw]";
    if (weight == NULL || weight->rank != axes + 2)
        return error_set(error, CODE_OUT_OF_RANGE, "%s takes x, a weight of shape %s, and a vector b or None%s%s",
                         shape->op->name, wanted, weight != NULL ? "; this weight is " : "",
                         weight != NULL ? shape_text(weight, text) : "");
    attributes[OUT_CHANNELS] = (double)weight->dim[transposed ? 1 : 0];
    attributes[WITH_BIAS] = shape->in[BIAS] != NULL;
    for (size_t i = 0; i < axes; i++)
        attributes[SIZES + i] = (double)weight->dim[2 + i];
    return CODE_OK;
}

int convolution_follow_1d(const struct op_shape *shape, double *attributes, struct error *error)
{
    return follow(shape, 1, false, attributes, error);
}

int convolution_follow_2d(const struct op_shape *shape, double *attributes, struct error *error)
{
    return follow(shape, 2, false, attributes, error);
}

int convolution_transpose_follow_1d(const struct op_shape *shape, double *attributes, struct error *error)
{
    return follow(shape, 1, true, attributes, error);
}

int convolution_transpose_follow_2d(const struct op_shape *shape, double *attributes, struct error *error)
{
    return follow(shape, 2, true, attributes, error);
}

/* ---- plans ---- */

static void read_sizes(const double *attributes, size_t axes, struct windows *w)
{
    windows_sizes(attributes + SIZES + KERNEL * axes, axes, 1, w->kernel);
    windows_sizes(attributes + SIZES + STRIDE * axes, axes, 1, w->stride);
    windows_sizes(attributes + SIZES + PADDING * axes, axes, 0, w->padding);
}

static int disagrees(const char *name, size_t here, size_t there, struct error *error)
{
    error_set(error, CODE_SHAPE_MISMATCH, "%s is %zu, but the weight that the layer shares has %zu", name, here, there);
    return error_at(error, name);
}

/* The weight, and what it says where it is another layer's: that must agree with what the attributes say. */
static int plan_weight(const struct op_shape *shape, size_t axes, bool transposed, struct windows *w, size_t in,
                       struct op_plan *plan, size_t *out, struct error *error)
{
    const double *attributes = shape->attributes;
    const struct shape *given = shape->in[WEIGHT];
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    *out = (size_t)attributes[OUT_CHANNELS];
    if (given != NULL) {
        if (given->rank != axes + 2 || given->dim[transposed ? 0 : 1] != in)
            return error_set(error, CODE_SHAPE_MISMATCH, "%s: a weight of shape %s (%s) does not fit an input of %s",
                             shape->op->name, shape_text(given, one), transposed ? "[in,out,...]" : "[out,in,...]",
                             shape_text(shape->in[X], other));
        size_t there = given->dim[transposed ? 1 : 0];
        if (*out > 0 && *out != there) return disagrees("out_channels", *out, there, error);
        *out = there;
        for (size_t i = 0; i < axes; i++) {
            size_t *size = &w->kernel[WINDOW_AXES - axes + i];
            if (*size > 0 && *size != given->dim[2 + i])
                return disagrees("kernel_size", *size, given->dim[2 + i], error);
            *size = given->dim[2 + i];
        }
    }
    plan->has[WEIGHT] = true;
    plan->parameters[WEIGHT] = shape_of(axes + 2, (size_t[]){transposed ? in : *out, transposed ? *out : in,
                                                             w->kernel[WINDOW_AXES - axes], w->kernel[1]});
    plan->fan_in[WEIGHT] = (double)in * (double)w->kernel[0] * (double)w->kernel[1];
    plan->fan_out[WEIGHT] = (double)*out * (double)w->kernel[0] * (double)w->kernel[1];
    plan->has[BIAS] = attributes[WITH_BIAS] > 0;
    plan->parameters[BIAS] = shape_of(1, out);
    return CODE_OK;
}

static int plan_channels(const struct op_shape *shape, size_t axes, bool transposed, struct windows *w,
                         struct op_plan *plan, size_t *out, struct error *error)
{
    size_t in_channels = (size_t)shape->attributes[IN_CHANNELS];
    char text[SHAPE_TEXT_MAX];
    if (windows_image(shape, axes, w, error) != CODE_OK) return error->code;
    if (in_channels > 0 && in_channels != w->channels) {
        error_set(error, CODE_SHAPE_MISMATCH, "in_channels is %zu, but the input, %s, has %zu channels", in_channels,
                  shape_text(shape->in[X], text), w->channels);
        return error_at(error, "in_channels");
    }
    read_sizes(shape->attributes, axes, w);
    return plan_weight(shape, axes, transposed, w, w->channels, plan, out, error);
}

/* Room, and three products of 2 * filters * columns operations for each sample. */
static int plan_rooms(const struct op_shape *shape, const struct windows *w, size_t filters, struct op_plan *plan,
                      struct error *error)
{
    size_t columns, padded;
    if (!windows_rooms(w, &padded, &columns))
        return error_set(error, CODE_OUT_OF_RANGE, "%s: the windows are too large together", shape->op->name);
    plan->saved[COLUMNS] = windows_are_image(w) ? 0 : columns;
    plan->saved[PADDED] = padded;
    plan->work = (double)shape->in[X]->dim[0] * (double)columns * (6.0 * (double)filters + 4);
    return CODE_OK;
}

/* The output: as many samples, other channels, other sizes. */
static void plan_out(const struct op_shape *shape, size_t axes, size_t channels, const size_t sizes[WINDOW_AXES],
                     struct op_plan *plan)
{
    shape_copy(&plan->out, shape->in[X]);
    plan->out.dim[1] = channels;
    for (size_t i = 0; i < axes; i++)
        plan->out.dim[2 + i] = sizes[WINDOW_AXES - axes + i];
}

static int plan_convolution(const struct op_shape *shape, size_t axes, struct op_plan *plan, struct error *error)
{
    struct windows w = {0};
    size_t out = 0;
    if (plan_channels(shape, axes, false, &w, plan, &out, error) != CODE_OK) return error->code;
    if (windows_count(shape, axes, &w, error) != CODE_OK) return error->code;
    plan_out(shape, axes, out, w.count, plan);
    return plan_rooms(shape, &w, out, plan, error);
}

int convolution_plan_1d(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    return plan_convolution(shape, 1, plan, error);
}

int convolution_plan_2d(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    return plan_convolution(shape, 2, plan, error);
}

/* The size of the image of which what comes in are the windows, along one axis. */
static int grow(const struct op_shape *shape, struct windows *w, size_t axis, size_t more, struct error *error)
{
    size_t size, around = 2 * w->padding[axis];
    w->count[axis] = w->size[axis];
    if (more >= w->stride[axis] && more > 0) {
        error_set(error, CODE_OUT_OF_RANGE, "output_padding is %zu, it must be less than the stride, %zu", more,
                  w->stride[axis]);
        return error_at(error, "output_padding");
    }
    bool large = __builtin_mul_overflow(w->count[axis] - 1, w->stride[axis], &size);
    large = large || __builtin_add_overflow(size, w->kernel[axis], &size) || __builtin_add_overflow(size, more, &size);
    if (large) return error_set(error, CODE_OUT_OF_RANGE, "%s: the output is too large", shape->op->name);
    if (size <= around)
        return error_set(error, CODE_SHAPE_MISMATCH,
                         "%s: nothing is left of an output of %zu where its padding of %zu on both sides is cut off",
                         shape->op->name, size, w->padding[axis]);
    w->size[axis] = size - around;
    return CODE_OK;
}

static int plan_transposed(const struct op_shape *shape, size_t axes, struct op_plan *plan, struct error *error)
{
    struct windows w = {0};
    size_t out = 0, more[WINDOW_AXES];
    if (plan_channels(shape, axes, true, &w, plan, &out, error) != CODE_OK) return error->code;
    const size_t in = w.channels;
    windows_sizes(shape->attributes + SIZES + OUTPUT_PADDING * axes, axes, 0, more);
    for (size_t i = 0; i < WINDOW_AXES; i++)
        if (grow(shape, &w, i, more[i], error) != CODE_OK) return error->code;
    w.channels = out;
    plan_out(shape, axes, out, w.size, plan);
    return plan_rooms(shape, &w, in, plan, error);
}

int convolution_transpose_plan_1d(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    return plan_transposed(shape, 1, plan, error);
}

int convolution_transpose_plan_2d(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    return plan_transposed(shape, 2, plan, error);
}

/* ---- calls ---- */

/* The dimensions of a call: `filters` rows of the weight, each for a window of `span` elements; and by sample the
 * elements of the image that the windows go over, and of what has one element for each filter and window. */
struct dimensions {
    struct windows windows;
    size_t samples, filters, span, count, image, map;
};

static struct dimensions dimensions_of(const struct op_call *call, bool transposed)
{
    const struct shape *image = transposed ? call->out : call->in[X], *map = transposed ? call->in[X] : call->out;
    struct dimensions d = {.samples = image->dim[0], .filters = map->dim[1]};
    windows_image_of(image, &d.windows);
    const struct shape *weight = call->in[WEIGHT];
    read_sizes(call->attributes, image->rank - 2, &d.windows);
    d.windows.kernel[0] = weight->rank == 4 ? weight->dim[2] : 1; /* its attribute may be left out */
    d.windows.kernel[1] = weight->dim[weight->rank - 1];
    d.windows.count[0] = map->rank == 4 ? map->dim[2] : 1;
    d.windows.count[1] = map->dim[map->rank - 1];
    d.span = d.windows.channels * windows_of_kernel(&d.windows);
    d.count = windows_all(&d.windows);
    d.image = windows_image_elements(&d.windows);
    d.map = d.filters * d.count;
    return d;
}

/* The bias as part of the output, which has one element of it by channel. */
static struct spread spread_of(const struct op_call *call)
{
    const size_t samples = call->out->dim[0], channels = call->out->dim[1];
    return (struct spread){
        .rank = 3, .dim = {samples, channels, op_elements(call->out) / (samples * channels)}, .stride = {0, 1, 0}};
}

static int add_up_bias(const struct op_call *call)
{
    const struct spread spread = spread_of(call);
    return call->dx[BIAS] != NULL ? call->backend->sum_spread(&spread, call->dy, call->dx[BIAS]) : CODE_OK;
}

/* A sample's columns: made in the room for them, or the sample itself. */
static int columns_of(const struct op_call *call, const struct dimensions *d, const void *images, size_t i,
                      const void **columns)
{
    const void *image = windows_sample(call->backend, images, i, d->image);
    *columns = windows_are_image(&d->windows) ? image : call->saved[COLUMNS];
    if (*columns == image) return CODE_OK;
    return windows_read(call->backend, &d->windows, 0, image, call->saved[PADDED], call->saved[COLUMNS]);
}

/* A sample's image as the sum of the columns W.T @ map, and of `more` by channel. */
static int sum_columns(const struct op_call *call, const struct dimensions *d, const void *maps, size_t i,
                       const void *more, void *images)
{
    const struct backend *b = call->backend;
    void *image = windows_sample(b, images, i, d->image);
    const bool direct = windows_are_image(&d->windows), adds = direct && more != NULL;
    const struct spread by_channel = {.rank = 2, .dim = {d->span, d->count}, .stride = {1, 0}};
    void *columns = direct ? image : call->saved[COLUMNS];
    int code = adds ? b->spread(&by_channel, more, image) : CODE_OK;
    if (code == CODE_OK)
        code = b->gemm(true, false, d->span, d->count, d->filters, 1, call->x[WEIGHT],
                       windows_sample(b, maps, i, d->map), adds, columns);
    if (code != CODE_OK || direct) return code;
    return windows_sum(b, &d->windows, more, columns, call->saved[PADDED], image);
}

/* dW += map @ columns.T; the first sample sets it. */
static int add_weight(const struct op_call *call, const struct dimensions *d, const void *maps, size_t i,
                      const void *columns)
{
    const struct backend *b = call->backend;
    return b->gemm(false, true, d->filters, d->span, d->count, 1, windows_sample(b, maps, i, d->map), columns, i > 0,
                   call->dx[WEIGHT]);
}

int convolution_forward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    const struct dimensions d = dimensions_of(call, false);
    const struct spread spread = spread_of(call);
    const bool biased = call->x[BIAS] != NULL;
    int code = biased ? b->spread(&spread, call->x[BIAS], call->y) : CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < d.samples; i++) {
        const void *columns;
        code = columns_of(call, &d, call->x[X], i, &columns);
        if (code == CODE_OK)
            code = b->gemm(false, false, d.filters, d.count, d.span, 1, call->x[WEIGHT], columns, biased,
                           windows_sample(b, call->y, i, d.map));
    }
    return code;
}

int convolution_backward(const struct op_call *call)
{
    const struct dimensions d = dimensions_of(call, false);
    int code = add_up_bias(call);
    for (size_t i = 0; code == CODE_OK && i < d.samples; i++) {
        const void *columns;
        if (call->dx[WEIGHT] != NULL) code = columns_of(call, &d, call->x[X], i, &columns);
        if (call->dx[WEIGHT] != NULL && code == CODE_OK) code = add_weight(call, &d, call->dy, i, columns);
        if (call->dx[X] != NULL && code == CODE_OK) code = sum_columns(call, &d, call->dy, i, NULL, call->dx[X]);
    }
    return code;
}

int convolution_transpose_forward(const struct op_call *call)
{
    const struct dimensions d = dimensions_of(call, true);
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < d.samples; i++)
        code = sum_columns(call, &d, call->x[X], i, call->x[BIAS], call->y);
    return code;
}

int convolution_transpose_backward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    const struct dimensions d = dimensions_of(call, true);
    int code = add_up_bias(call);
    bool any = call->dx[WEIGHT] != NULL || call->dx[X] != NULL;
    for (size_t i = 0; any && code == CODE_OK && i < d.samples; i++) {
        const void *columns;
        code = columns_of(call, &d, call->dy, i, &columns);
        if (call->dx[WEIGHT] != NULL && code == CODE_OK) code = add_weight(call, &d, call->x[X], i, columns);
        if (call->dx[X] != NULL && code == CODE_OK)
            code = b->gemm(false, false, d.filters, d.count, d.span, 1, call->x[WEIGHT], columns, 0,
                           windows_sample(b, call->dx[X], i, d.map));
    }
    return code;
}
