/* Layer normalization (Ba, Kiros, Hinton 2016) over the last axis: xhat = (x - mean) / sqrt(variance + eps), the
 * variance being the mean of squares; y = gamma * xhat + beta. */
#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/rows.h"

enum { EPS, AFFINE };
enum { X, GAMMA, BETA };
/* Saved: xhat, [rows, width]; 1 / sqrt(variance + eps), [rows]; and room for a product, [rows, width]. */
enum { XHAT, INVERSE, PRODUCT };

static const struct slot slots[] = {
    {.symbol = "x", .role = SLOT_INPUT},
    {.symbol = "gamma", .member = "weight", .role = SLOT_PARAMETER, .initial = INITIAL_ONE},
    {.symbol = "beta", .member = "bias", .role = SLOT_PARAMETER, .summed = true, .initial = INITIAL_ZERO},
    {.symbol = NULL}};

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *in = shape->in[X];
    if (in->rank < 2) return error_set(error, CODE_SHAPE_MISMATCH, "layer_norm needs an input of at least one axis");
    struct rows rows = rows_of(in);
    plan->out = *in;
    plan->has[GAMMA] = plan->has[BETA] = shape->attributes[AFFINE] > 0;
    plan->parameters[GAMMA] = plan->parameters[BETA] = shape_of(1, &rows.width);
    plan->saved[XHAT] = rows.count * rows.width;
    plan->saved[INVERSE] = rows.count;
    plan->saved[PRODUCT] = plan->has[GAMMA] ? rows.count * rows.width : 0;
    plan->work = 30.0 * (double)rows.count * (double)rows.width;
    return CODE_OK;
}

static int follow(const struct op_shape *shape, double *attributes, struct error *error)
{
    attributes[AFFINE] = shape->in[GAMMA] != NULL;
    if ((shape->in[GAMMA] != NULL) == (shape->in[BETA] != NULL)) return CODE_OK;
    return error_set(error, CODE_OUT_OF_RANGE, "layer_norm takes x, gamma and beta, or x alone");
}

static int forward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    struct rows rows = rows_of(call->out);
    int code = b->normalize(call->attributes[EPS], rows.count, rows.width, call->x[X], call->saved[XHAT],
                            call->saved[INVERSE]);
    if (code != CODE_OK) return code;
    if (call->x[GAMMA] == NULL) return b->axpby(rows.count * rows.width, 1, call->saved[XHAT], 0, call->y);
    code = b->multiply_row(rows.count, rows.width, call->x[GAMMA], call->saved[XHAT], call->y);
    return code == CODE_OK ? b->add_row(rows.count, rows.width, call->x[BETA], call->y) : code;
}

/* dgamma = (dy * xhat).sum(0), dbeta = dy.sum(0); with dxhat = dy * gamma
 * dx = (dxhat - mean(dxhat) - xhat * mean(dxhat * xhat)) / sqrt(variance + eps), the means being those of the row. */
static int backward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    struct rows rows = rows_of(call->out);
    size_t n = rows.count * rows.width;
    int code = CODE_OK;
    if (call->dx[GAMMA] != NULL) {
        code = b->multiply(n, call->dy, call->saved[XHAT], call->saved[PRODUCT]);
        if (code == CODE_OK) code = b->sum_rows(rows.count, rows.width, call->saved[PRODUCT], call->dx[GAMMA]);
    }
    if (code == CODE_OK && call->dx[BETA] != NULL) code = b->sum_rows(rows.count, rows.width, call->dy, call->dx[BETA]);
    if (code != CODE_OK || call->dx[X] == NULL) return code;
    const void *dxhat = call->dy;
    if (call->x[GAMMA] != NULL) {
        code = b->multiply_row(rows.count, rows.width, call->x[GAMMA], call->dy, call->dx[X]);
        dxhat = call->dx[X];
    }
    if (code != CODE_OK) return code;
    return b->normalize_gradient(rows.count, rows.width, call->saved[XHAT], call->saved[INVERSE], dxhat, call->dx[X]);
}

/* Of dxhat / sqrt(variance + eps), of which hardly anything is left where a row has few elements. */
static void made_of(const struct op_call *call, double *terms)
{
    struct rows rows = rows_of(call->out);
    const double *dy = call->dy, *gamma = call->x[GAMMA], *inverse = call->saved[INVERSE];
    for (size_t i = 0; i < rows.count * rows.width; i++)
        terms[i] += fabs(dy[i] * (gamma != NULL ? gamma[i % rows.width] : 1)) * inverse[i / rows.width];
}

/* ---- wrong ways of sending the gradient back ---- */

/* dxhat of a row into out: dy times gamma, or dy itself. */
static void scaled_row(const struct step_call *call, size_t row, bool with_gain, double *out)
{
    const double *gamma = call->call->x[GAMMA], *dy = call->dy + row * call->in;
    for (size_t j = 0; j < call->in; j++)
        out[j] = dy[j] * (with_gain && gamma != NULL ? gamma[j] : 1);
}

enum { WITH_MEAN = 1, WITH_VARIANCE = 2, WITH_GAIN = 4 };

/* The right rule with parts of it left out. */
static bool send(const struct step_call *call, unsigned parts, double *dx)
{
    const double *xhat = call->call->saved[XHAT], *inverse = call->call->saved[INVERSE];
    if (call->part) return false;
    for (size_t i = 0; i < call->rows; i++, dx += call->in, xhat += call->in) {
        double sum = 0, along = 0, n = (double)call->in;
        scaled_row(call, i, parts & WITH_GAIN, dx);
        for (size_t j = 0; j < call->in; j++) {
            sum += dx[j];
            along += dx[j] * xhat[j];
        }
        for (size_t j = 0; j < call->in; j++)
            dx[j] = inverse[i] *
                    (dx[j] - (parts & WITH_MEAN ? sum / n : 0) - (parts & WITH_VARIANCE ? xhat[j] * along / n : 0));
    }
    return true;
}

static bool send_without_mean(const struct step_call *call, struct alternative *made)
{
    return send(call, WITH_VARIANCE | WITH_GAIN, made->value);
}

const struct mistake mistake_mean_taken_for_constant = {
    .id = "mean_taken_for_constant",
    .step = STEP_INPUT,
    .input = X,
    .rank = 5,
    .summary = "a normalization's mean is taken for a constant on the way back",
    .message = "What layer {layer} sends back lacks the part that goes through the mean: the mean was taken for a "
               "constant, though every input has a share in it.",
    .hint = "Subtracting the mean sends back dxhat - mean(dxhat); the second part comes from the mean itself.",
    .wrong = "dx = (dxhat - xhat * (dxhat * xhat).mean(-1, keepdims=True)) / std",
    .right = "dx = (dxhat - dxhat.mean(-1, keepdims=True) - xhat * (dxhat * xhat).mean(-1, keepdims=True)) / std",
    .alternative = send_without_mean,
};

static bool send_without_variance(const struct step_call *call, struct alternative *made)
{
    return send(call, WITH_MEAN | WITH_GAIN, made->value);
}

const struct mistake mistake_variance_taken_for_constant = {
    .id = "variance_taken_for_constant",
    .step = STEP_INPUT,
    .input = X,
    .rank = 4,
    .summary = "a normalization's variance is taken for a constant on the way back",
    .message = "What layer {layer} sends back lacks the part that goes through the variance: it was taken for a "
               "constant, though every input has a share in it.",
    .hint = "1 / sqrt(var + eps) depends on x, too: its part is - xhat * mean(dxhat * xhat) / std.",
    .wrong = "dx = (dxhat - dxhat.mean(-1, keepdims=True)) / std",
    .right = "dx = (dxhat - dxhat.mean(-1, keepdims=True) - xhat * (dxhat * xhat).mean(-1, keepdims=True)) / std",
    .alternative = send_without_variance,
};

static bool send_scaled_alone(const struct step_call *call, struct alternative *made)
{
    return send(call, WITH_GAIN, made->value);
}

const struct mistake mistake_statistics_taken_for_constant = {
    .id = "statistics_taken_for_constant",
    .step = STEP_INPUT,
    .input = X,
    .rank = 3,
    .summary = "a normalization's mean and variance are both taken for constants on the way back",
    .message =
        "What layer {layer} sends back was computed as if mean and variance were constants: the gradient was only "
        "divided by the deviation. Both depend on every input of the sample.",
    .hint = "The gradient reaches x on three ways: directly, through the mean, and through the variance.",
    .wrong = "dx = dxhat / std",
    .right = "dx = (dxhat - dxhat.mean(-1, keepdims=True) - xhat * (dxhat * xhat).mean(-1, keepdims=True)) / std",
    .alternative = send_scaled_alone,
};

static bool send_without_gain(const struct step_call *call, struct alternative *made)
{
    return call->call->x[GAMMA] != NULL && send(call, WITH_MEAN | WITH_VARIANCE, made->value);
}

const struct mistake mistake_gamma_left_out = {
    .id = "gamma_left_out",
    .step = STEP_INPUT,
    .input = X,
    .rank = 6,
    .summary = "a normalization's gain is left out on the way back",
    .message = "What layer {layer} sends back was computed without its gain: dxhat is dy * {gamma}, not dy.",
    .hint = "The output is gamma * xhat + beta: first multiply what comes in by gamma.",
    .wrong = "dxhat = dy",
    .right = "dxhat = dy * gamma",
    .alternative = send_without_gain,
};

/* Means over all axes but the last, over everything, or over the batch alone instead of the features. */
enum { OVER_ROWS, OVER_ALL, OVER_SAMPLES, WRONG_AXES };

/* Which mean an element takes part in, and how many means there are. */
static size_t mean_of(const struct step_call *call, size_t variant, size_t i, size_t j)
{
    size_t period = call->rows / call->call->in[X]->dim[0];
    return variant == OVER_ROWS ? j : variant == OVER_ALL ? 0 : i % period * call->in + j;
}

static bool send_over_others(const struct step_call *call, struct alternative *made)
{
    const double *xhat = call->call->saved[XHAT], *inverse = call->call->saved[INVERSE];
    size_t samples = call->call->in[X]->dim[0], width = call->in, all = call->rows * width;
    size_t means = made->variant == OVER_ROWS ? width : made->variant == OVER_ALL ? 1 : all / samples;
    /* With one axis besides the batch the last two are others; two means must find room. */
    bool same = made->variant == OVER_SAMPLES && call->rows == samples;
    if (call->part || same || 2 * means > all) return false;
    double *sum = made->slope, *along = sum + means, n = (double)all / (double)means;
    for (size_t m = 0; m < 2 * means; m++)
        sum[m] = 0;
    for (size_t i = 0; i < call->rows; i++) {
        scaled_row(call, i, true, made->value + i * width);
        for (size_t j = 0; j < width; j++) {
            size_t m = mean_of(call, made->variant, i, j), e = i * width + j;
            sum[m] += made->value[e];
            along[m] += made->value[e] * xhat[e];
        }
    }
    for (size_t i = 0; i < call->rows; i++)
        for (size_t j = 0; j < width; j++) {
            size_t m = mean_of(call, made->variant, i, j), e = i * width + j;
            made->value[e] = inverse[i] * (made->value[e] - sum[m] / n - xhat[e] * along[m] / n);
        }
    return true;
}

const struct mistake mistake_normalized_over_wrong_axis = {
    .id = "normalized_over_wrong_axis",
    .step = STEP_INPUT,
    .input = X,
    .rank = 7,
    .summary = "a normalization's means on the way back are taken over another axis than its last",
    .message =
        "The means in what layer {layer} sends back were taken over the batch. This layer normalizes each sample "
        "over its features, and its backward pass takes the means over the same axis.",
    .hint = "Layer normalization works along the last axis, batch normalization along the first.",
    .wrong = "dx = (dxhat - dxhat.mean(0) - xhat * (dxhat * xhat).mean(0)) / std",
    .right = "dx = (dxhat - dxhat.mean(-1, keepdims=True) - xhat * (dxhat * xhat).mean(-1, keepdims=True)) / std",
    .alternative = send_over_others,
    .variants = WRONG_AXES,
};

/* ---- wrong gradients of the gain ---- */

static bool gain_from_input(const struct step_call *call, struct alternative *made)
{
    for (size_t j = 0; j < call->in; j++)
        made->value[j] = 0;
    for (size_t i = 0; i < call->rows; i++)
        for (size_t j = 0; j < call->in; j++)
            made->value[j] += call->dy[i * call->in + j] * call->x[i * call->in + j];
    return true;
}

const struct mistake mistake_input_not_normalized = {
    .id = "input_not_normalized",
    .step = STEP_PARAMETER,
    .input = GAMMA,
    .rank = 6,
    .summary = "a gain's gradient takes the layer's input instead of the normalized one",
    .message = "{dgamma} was computed with the layer's input as it came in. The gain multiplies the normalized input, "
               "xhat: {dgamma} is the sum of dy * xhat over the batch.",
    .hint = "Keep xhat from the forward pass; it is what gamma was multiplied with.",
    .wrong = "dgamma = (dy * x).sum(axis=0)",
    .right = "dgamma = (dy * xhat).sum(axis=0)",
    .alternative = gain_from_input,
};

static const struct mistake *const own_mistakes[] = {
    &mistake_mean_taken_for_constant,
    &mistake_variance_taken_for_constant,
    &mistake_statistics_taken_for_constant,
    &mistake_gamma_left_out,
    &mistake_normalized_over_wrong_axis,
    &mistake_input_not_normalized,
    NULL,
};

static const struct op_case cases[] = {{.count = 3, .in = {[X] = {2, {3, 4}}}},
                                       {.count = 3, .in = {[X] = {2, {3, 1}}}, .set = {{"eps", 0.1}}},
                                       {.count = 3, .in = {[X] = {3, {3, 2, 3}}}, .set = {{"eps", 0.1}}},
                                       {.count = 3, .in = {[X] = {2, {5, 7}}}, .set = {{"affine", 0}}},
                                       {.count = 0}};

const struct op op_layer_norm = {
    .name = "layer_norm",
    .summary = "gamma * (x - mean) / sqrt(var + eps) + beta, over the last axis",
    .kind = OP_LAYER,
    .attributes = {{.name = "eps", .kind = ATTRIBUTE_REAL, .fallback = 1e-5},
                   {.name = "affine", .kind = ATTRIBUTE_FLAG, .fallback = 1, .follows = true}},
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .mistakes = own_mistakes,
    .cases = cases,
    .made_of = made_of,
    .follow = follow,
};
