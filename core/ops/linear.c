/* The linear layer: z = x @ W + b. What goes wrong in it stands in the files beside this one: linear_input_mistakes.c,
 * linear_weight_mistakes.c, linear_bias_mistakes.c. */
#include "core/ops/linear.h"
#include "core/ops/rows.h"
#include "core/ops/writing.h"

enum {
    OUT_FEATURES = LINEAR_OUT_FEATURES,
    IN_FEATURES = LINEAR_IN_FEATURES,
    WITH_BIAS = LINEAR_WITH_BIAS,
    TRANSPOSED = LINEAR_TRANSPOSED
};
enum { X = LINEAR_X, WEIGHT = LINEAR_WEIGHT, BIAS = LINEAR_BIAS };

static const struct slot slots[] = {
    {.symbol = "x", .role = SLOT_INPUT},
    {.symbol = "W",
     .member = "weight",
     .role = SLOT_PARAMETER,
     .regularized = true,
     .product = true,
     .axes = {[LAYOUT_PYTORCH] = {1, 0}, [LAYOUT_COLUMNS] = {1, 0}}},
    {.symbol = "b", .member = "bias", .role = SLOT_PARAMETER, .summed = true, .initial = INITIAL_ZERO},
    {.symbol = NULL}};

/* The weight may be another layer's: then it must fit. Its own is [in, out]. */
static int plan_weight(const struct op_shape *shape, size_t width, struct op_plan *plan, size_t *out,
                       struct error *error)
{
    const struct shape *shared = shape->in[WEIGHT];
    bool transposed = shape->attributes[TRANSPOSED] > 0;
    *out = (size_t)shape->attributes[OUT_FEATURES];
    plan->has[WEIGHT] = true;
    plan->parameters[WEIGHT] = shape_of(2, (size_t[]){transposed ? *out : width, transposed ? width : *out});
    plan->fan_in[WEIGHT] = (double)width;
    plan->fan_out[WEIGHT] = (double)*out;
    if (shared == NULL && transposed) {
        error_set(error, CODE_OUT_OF_RANGE, "transposed is for a layer that shares another one's weight");
        return error_at(error, "transposed");
    }
    if (shared == NULL) return CODE_OK;
    char text[SHAPE_TEXT_MAX];
    size_t in = shared->rank == 2 ? shared->dim[transposed ? 1 : 0] : 0;
    if (in != width)
        return error_set(
            error, CODE_SHAPE_MISMATCH,
            "the layer's input has %zu features, but the weight that it shares, %s ([in,out])%s, takes %zu", width,
            shape_text(shared, text), transposed ? " transposed" : "", in);
    *out = shared->dim[transposed ? 0 : 1];
    plan->parameters[WEIGHT] = *shared;
    return CODE_OK;
}

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    const struct shape *in = shape->in[X];
    const double *attributes = shape->attributes;
    if (in->rank < 2) return error_set(error, CODE_SHAPE_MISMATCH, "linear needs an input of at least one axis");
    size_t width = in->dim[in->rank - 1], out;
    if (attributes[IN_FEATURES] > 0 && (size_t)attributes[IN_FEATURES] != width) {
        error_set(error, CODE_SHAPE_MISMATCH, "in_features is %zu, but the layer's input has %zu",
                  (size_t)attributes[IN_FEATURES], width);
        return error_at(error, "in_features");
    }
    if (plan_weight(shape, width, plan, &out, error) != CODE_OK) return error->code;
    if (attributes[OUT_FEATURES] > 0 && (size_t)attributes[OUT_FEATURES] != out) {
        error_set(error, CODE_SHAPE_MISMATCH, "out_features is %zu, but the weight that the layer shares gives %zu",
                  (size_t)attributes[OUT_FEATURES], out);
        return error_at(error, "out_features");
    }
    shape_copy(&plan->out, in);
    plan->out.dim[in->rank - 1] = out;
    plan->has[BIAS] = attributes[WITH_BIAS] > 0;
    plan->parameters[BIAS] = shape_of(1, (size_t[]){out});
    /* Three products of 2 * rows * in * out operations: z, dW, dx. */
    plan->work = 6.0 * (double)op_elements(in) * (double)out;
    return CODE_OK;
}

static int follow(const struct op_shape *shape, double *attributes, struct error *error)
{
    const struct shape *weight = shape->in[WEIGHT];
    if (weight == NULL || weight->rank != 2)
        return error_set(error, CODE_OUT_OF_RANGE, "linear takes x, a matrix W, and a vector b or None");
    bool transposed = attributes[TRANSPOSED] > 0;
    attributes[OUT_FEATURES] = (double)weight->dim[transposed ? 0 : 1];
    attributes[IN_FEATURES] = (double)weight->dim[transposed ? 1 : 0];
    attributes[WITH_BIAS] = shape->in[BIAS] != NULL;
    return CODE_OK;
}

/* A bias lies on one side of the weight: a layer that uses that the other way round has its own. */
static bool shares(const double *attributes, const double *other, size_t slot)
{
    return slot != BIAS || (attributes[TRANSPOSED] > 0) == (other[TRANSPOSED] > 0);
}

static int term_unit(size_t count, const int *units)
{
    int product = units[X] + units[WEIGHT];
    return count > BIAS && units[BIAS] < product ? units[BIAS] : product;
}

/* z = x @ W + b, or x @ W.T + b */
static int forward(const struct op_call *call)
{
    struct rows in = rows_of(call->in[X]), out = rows_of(call->out);
    bool transposed = call->attributes[TRANSPOSED] > 0;
    int code = call->backend->gemm(false, transposed, in.count, out.width, in.width, 1, call->x[X], call->x[WEIGHT], 0,
                                   call->y);
    if (code == CODE_OK && call->x[BIAS] != NULL)
        code = call->backend->add_row(out.count, out.width, call->x[BIAS], call->y);
    return code;
}

/* dW = x.T @ dz (or dz.T @ x), db = dz.sum(0), dx = dz @ W.T (or dz @ W) */
static int backward(const struct op_call *call)
{
    const struct backend *b = call->backend;
    struct rows in = rows_of(call->in[X]), out = rows_of(call->out);
    bool transposed = call->attributes[TRANSPOSED] > 0;
    int code = CODE_OK;
    if (call->dx[WEIGHT] != NULL && transposed)
        code = b->gemm(true, false, out.width, in.width, in.count, 1, call->dy, call->x[X], 0, call->dx[WEIGHT]);
    else if (call->dx[WEIGHT] != NULL)
        code = b->gemm(true, false, in.width, out.width, in.count, 1, call->x[X], call->dy, 0, call->dx[WEIGHT]);
    if (code == CODE_OK && call->dx[BIAS] != NULL) code = b->sum_rows(out.count, out.width, call->dy, call->dx[BIAS]);
    if (code == CODE_OK && call->dx[X] != NULL)
        code = b->gemm(false, !transposed, in.count, in.width, out.width, 1, call->dy, call->x[WEIGHT], 0, call->dx[X]);
    return code;
}

/* Of more axes than two the first ones are all rows: there is no short formula for the weight then. */
static bool write(struct op_writing *w)
{
    bool transposed = w->attributes[TRANSPOSED] > 0, bias = w->count > BIAS && w->in[BIAS] != NULL;
    w->whole = true;
    if (w->in[X]->rank != 2) return false;
    if (w->input == WEIGHT) return writing_put(w, transposed ? "{dy}.T @ {x}" : "{x}.T @ {dy}");
    if (w->input == BIAS) return writing_put(w, "{dy}.sum(0)");
    if (w->input == X) return writing_put(w, transposed ? "{dy} @ {W}" : "{dy} @ {W}.T");
    return writing_put(w, "{x} @ {W}%s%s", transposed ? ".T" : "", bias ? " + {b}" : "");
}

extern const struct mistake mistake_raw_error_propagated, mistake_weight_not_transposed,
    mistake_updated_weights_propagated, mistake_weight_gradient_as_weight, mistake_weight_skipped,
    mistake_wrong_layer_used, mistake_input_not_activated, mistake_own_output_as_input, mistake_wrong_layer_cached,
    mistake_weight_as_input, mistake_bias_averaged, mistake_bias_summed_over_wrong_axis,
    mistake_bias_from_weight_gradient, mistake_bias_of_ones;

static const struct mistake *const own_mistakes[] = {
    &mistake_raw_error_propagated,
    &mistake_weight_not_transposed,
    &mistake_updated_weights_propagated,
    &mistake_weight_gradient_as_weight,
    &mistake_weight_skipped,
    &mistake_wrong_layer_used,
    &mistake_transposed,
    &mistake_wrong_memory_order,
    &mistake_input_not_activated,
    &mistake_own_output_as_input,
    &mistake_wrong_layer_cached,
    &mistake_input_ignored,
    &mistake_repeated_index_overwritten,
    &mistake_weight_as_input,
    &mistake_parameter_as_gradient,
    &mistake_bias_not_summed,
    &mistake_bias_averaged,
    &mistake_bias_summed_over_units,
    &mistake_bias_summed_over_wrong_axis,
    &mistake_bias_from_weight_gradient,
    &mistake_bias_of_ones,
    NULL,
};

/* They are about x @ W. */
static bool is_plain(const double *attributes)
{
    return attributes[TRANSPOSED] == 0;
}

static const struct op_case cases[] = {
    {.count = 3, .in = {[X] = {2, {3, 4}}}, .set = {{"out_features", 3}}},
    {.count = 3, .in = {[X] = {2, {3, 1}}}, .set = {{"out_features", 2}, {"in_features", 1}}},
    {.count = 3, .in = {[X] = {3, {3, 2, 3}}}, .set = {{"out_features", 5}}},
    {.count = 3, .in = {[X] = {2, {3, 7}}}, .set = {{"out_features", 1}, {"bias", 0}}},
    {.count = 3, .in = {[X] = {2, {3, 4}}, [WEIGHT] = {2, {4, 5}}}, .set = {{"out_features", 5}}},
    {.count = 3, .in = {[X] = {2, {3, 4}}, [WEIGHT] = {2, {5, 4}}}, .set = {{"transposed", 1}}},
    {.count = 3, .in = {[X] = {3, {3, 2, 3}}, [WEIGHT] = {2, {2, 3}}}, .set = {{"transposed", 1}, {"bias", 0}}},
    {.count = 0}};

const struct op op_linear = {
    .name = "linear",
    .summary = "x @ W + b, over the last axis",
    .kind = OP_LAYER,
    .attributes = {{.name = "out_features", .kind = ATTRIBUTE_SIZE, .required = true, .least = 1, .follows = true},
                   {.name = "in_features", .kind = ATTRIBUTE_SIZE, .least = 1, .follows = true},
                   {.name = "bias", .kind = ATTRIBUTE_FLAG, .fallback = 1, .follows = true},
                   {.name = "transposed", .kind = ATTRIBUTE_FLAG}},
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .shares = shares,
    .follow = follow,
    .term_unit = term_unit,
    .write = write,
    .plain = PLAIN_LINEAR,
    .mistakes = own_mistakes,
    .mistakes_when = is_plain,
    .cases = cases,
};
