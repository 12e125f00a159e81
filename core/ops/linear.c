/* The linear layer: z = x @ W + b. The file is long because an op is one place: most that can go wrong in a backward
 * pass by hand goes wrong here, and each mistake stands here with its words. */
#include <string.h>

#include "core/ops/mistake.h"
#include "core/ops/rows.h"

enum { OUT_FEATURES, IN_FEATURES, WITH_BIAS, TRANSPOSED };
enum { X, WEIGHT, BIAS };

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

/* ---- wrong ways of sending the gradient back: dx, [rows, in] ---- */

static const double *weight_of(const struct step_call *call)
{
    return call->call->x[WEIGHT];
}

/* dx = times * dz @ W.T */
static bool send(const struct step_call *call, double times, const double *dz, const double *W, double *dx)
{
    return call->call->backend->gemm(false, true, call->rows, call->in, call->out, times, dz, W, 0, dx) == CODE_OK;
}

static bool send_raw_error(const struct step_call *call, struct alternative *made)
{
    return call->dh != NULL && send(call, 1, call->dh, weight_of(call), made->value);
}

const struct mistake mistake_raw_error_propagated = {
    .id = "raw_error_propagated",
    .step = STEP_INPUT,
    .rank = 5,
    .summary = "what is sent back lacks the activation's derivative, though dW has it",
    .message = "What layer {layer} sends back was computed from {dh} instead of {dz}: {dx} = {send_dh}. The "
               "derivative of {f}, which {dW} has, is missing there. Right is {dx} = {send}.",
    .hint = "Send back the same {dz} that you used for {dW}.",
    .wrong = "dh_prev = dh @ W.T",
    .right = "dh_prev = dz @ W.T",
    .source = "makeyourownneuralnetwork#88",
    .alternative = send_raw_error,
};

static bool send_not_transposed(const struct step_call *call, struct alternative *made)
{
    if (call->in != call->out || call->in == 1) return false;
    return call->call->backend->gemm(false, false, call->rows, call->in, call->out, 1, call->dy, weight_of(call), 0,
                                     made->value) == CODE_OK;
}

const struct mistake mistake_weight_not_transposed = {
    .id = "weight_not_transposed",
    .step = STEP_INPUT,
    .rank = 12,
    .summary = "dx = dz @ W: the weight is used the wrong way round on the way back",
    .message = "{dx} was computed as {send_plain}: the weight was used the wrong way round. Right is {dx} = "
               "{send}.",
    .hint = "Follow the indices: what connected input i to output j in the forward pass carries the gradient"
            " from j to i.",
    .wrong = "dh_prev = dz @ W",
    .right = "dh_prev = dz @ W.T",
    .alternative = send_not_transposed,
};

/* dz @ (W - lr dW).T, lr being the unknown */
static bool send_updated(const struct step_call *call, struct alternative *made)
{
    made->has_slope = true;
    return call->dW != NULL && send(call, 1, call->dy, weight_of(call), made->value) &&
           send(call, -1, call->dy, call->dW, made->slope);
}

const struct mistake mistake_updated_weights_propagated = {
    .id = "updated_weights_propagated",
    .step = STEP_INPUT,
    .rank = 4,
    .summary = "the weights were updated before the gradient went on",
    .message = "{dx} was computed with weights that had already taken a step (learning rate {factor}). The "
               "gradient belongs to the weights of the forward pass: {send}.",
    .hint = "Compute all gradients first, then update all parameters.",
    .wrong = "W -= lr * dW; dh_prev = dz @ W.T",
    .right = "dh_prev = dz @ W.T; W -= lr * dW",
    .source = "joelgrus/data-science-from-scratch#31",
    .alternative = send_updated,
    .one_number = true,
    .unscaled = true,
};

static bool send_weight_gradient(const struct step_call *call, struct alternative *made)
{
    return call->dW != NULL && send(call, 1, call->dy, call->dW, made->value);
}

const struct mistake mistake_weight_gradient_as_weight = {
    .id = "weight_gradient_as_weight",
    .step = STEP_INPUT,
    .rank = 14,
    .summary = "dx = dz @ dW.T: the weight's gradient in place of the weight",
    .message = "{dx} was computed with the weight's gradient {dW} in place of the weight {W}. Right is {send}.",
    .hint = "The gradient goes back through the weights of the forward pass.",
    .wrong = "dh_prev = dz @ dW.T",
    .right = "dh_prev = dz @ W.T",
    .source = "jcjohnson/pytorch-examples#5",
    .alternative = send_weight_gradient,
    .unscaled = true,
};

/* Equal widths, or one unit spread over all. */
static bool send_without_weight(const struct step_call *call, struct alternative *made)
{
    size_t in = call->in, out = call->out;
    if (in != out && out != 1) return false;
    for (size_t i = 0; i < call->rows; i++)
        for (size_t j = 0; j < in; j++)
            made->value[i * in + j] = call->dy[i * out + (out == 1 ? 0 : j)];
    return true;
}

const struct mistake mistake_weight_skipped = {
    .id = "weight_skipped",
    .step = STEP_INPUT,
    .rank = 8,
    .summary = "dx = dz: the product with the weight is left out",
    .message = "What layer {layer} sends back is {dz} itself: the product with {W} was left out. Right is {dx} "
               "= {send}.",
    .hint = "Between two layers lies a matrix product, and the way back goes through it too.",
    .wrong = "dh_prev = dz",
    .right = "dh_prev = dz @ W.T",
    .source = "Kulbear/deep-learning-coursera#27",
    .alternative = send_without_weight,
};

/* ---- wrong weight gradients: dW, [in, out] ---- */

static const char *transposed_words(size_t variant)
{
    return variant == 0 ? NULL : "dW before the regularization was added";
}

const struct mistake mistake_transposed = {
    .id = "transposed",
    .step = STEP_PARAMETER,
    .input = WEIGHT,
    .rank = 8,
    .summary = "dW.T: the weight's gradient the other way round",
    .message = "{dW} was submitted transposed. Right is {dW} = {weight}.",
    .hint = "A gradient has the shape of its parameter; the order of the product decides which way round it "
            "comes.",
    .wrong = "dW = dz.T @ x",
    .right = "dW = x.T @ dz",
    .variant_words = transposed_words,
};

const struct mistake mistake_wrong_memory_order = {
    .id = "wrong_memory_order",
    .step = STEP_PARAMETER,
    .input = WEIGHT,
    .rank = 13,
    .summary = "right values, reshaped in the wrong order",
    .message = "{dW} has the right numbers in the wrong places: it was reshaped where it should have been "
               "transposed, or flattened column by column.",
    .hint = "reshape keeps the order in memory; to swap axes, transpose.",
    .wrong = "dW = dW.T.reshape(dW.shape)",
    .right = "dW = x.T @ dz",
};

/* dW = instead.T @ dz */
static bool weight_from(const struct step_call *call, const double *instead, double *dW)
{
    return call->call->backend->gemm(true, false, call->in, call->out, call->rows, 1, instead, call->dy, 0, dW) ==
           CODE_OK;
}

/* The layer takes what an activation made; this is what that activation was made of. */
static bool weight_from_not_activated(const struct step_call *call, struct alternative *made)
{
    if (call->before == NULL || call->before->op->kind != OP_ACTIVATION) return false;
    return weight_from(call, call->before->x[0], made->value);
}

const struct mistake mistake_input_not_activated = {
    .id = "input_not_activated",
    .step = STEP_PARAMETER,
    .input = WEIGHT,
    .rank = 11,
    .summary = "dW = z_prev.T @ dz: the layer's input before its activation",
    .message = "{dW} was computed with the layer's input before its activation, {z_prev}, instead of {x}. Right"
               " is {dW} = {weight}.",
    .hint = "The weight's gradient takes what the weight was multiplied with in the forward pass.",
    .wrong = "dW2 = z1.T @ dz2",
    .right = "dW2 = h1.T @ dz2",
    .source = "maziarraissi/backprop#1",
    .alternative = weight_from_not_activated,
};

/* After its activation, or before. */
enum { OWN_ACTIVATED, OWN_NOT_ACTIVATED, OWN_OUTPUTS };

static bool weight_from_output(const struct step_call *call, struct alternative *made)
{
    if (call->in != call->out) return false;
    if (made->variant == OWN_NOT_ACTIVATED) return weight_from(call, call->y, made->value);
    return call->behind != NULL && weight_from(call, call->behind->y, made->value);
}

static const char *own_output_words(size_t variant)
{
    return variant == OWN_ACTIVATED ? "h" : "z";
}

const struct mistake mistake_own_output_as_input = {
    .id = "own_output_as_input",
    .step = STEP_PARAMETER,
    .input = WEIGHT,
    .rank = 9,
    .summary = "dW = h.T @ dz: the layer's own output as its input",
    .message = "{dW} was computed with what layer {weighted} puts out instead of its input {x}. Right is {dW} ="
               " {weight}.",
    .hint = "Check the index of the cached activation: layer k takes what layer k-1 put out.",
    .wrong = "dW2 = h2.T @ dz2",
    .right = "dW2 = h1.T @ dz2",
    .alternative = weight_from_output,
    .variants = OWN_OUTPUTS,
    .variant_words = own_output_words,
};

static bool weight_from_ones(const struct step_call *call, struct alternative *made)
{
    if (call->call->backend->sum_rows(call->rows, call->out, call->dy, made->value) != CODE_OK) return false;
    for (size_t j = 1; j < call->in; j++)
        memcpy(made->value + j * call->out, made->value, call->out * sizeof *made->value);
    return true;
}

const struct mistake mistake_input_ignored = {
    .id = "input_ignored",
    .step = STEP_PARAMETER,
    .input = WEIGHT,
    .rank = 15,
    .summary = "dW = ones_like(x).T @ dz: the input is left out",
    .message = "{dW} does not depend on the layer's input: it repeats the sum of {dz} over the batch for every "
               "input. Right is {dW} = {weight}.",
    .hint = "The derivative of the layer's product with respect to its weight is the layer's input: {x} "
            "belongs into {dW}.",
    .wrong = "dW = np.ones_like(x).T @ dz",
    .right = "dW = x.T @ dz",
    .alternative = weight_from_ones,
};

static bool weight_from_weight(const struct step_call *call, struct alternative *made)
{
    if (!weight_from_ones(call, made)) return false;
    const double *W = weight_of(call);
    for (size_t i = 0; i < call->in * call->out; i++)
        made->value[i] *= W[i];
    return true;
}

const struct mistake mistake_weight_as_input = {
    .id = "weight_as_input",
    .step = STEP_PARAMETER,
    .input = WEIGHT,
    .rank = 16,
    .summary = "dW = W * dz.sum(0): the weight in place of the input",
    .message = "{dW} was computed with the weight {W} in place of the layer's input. Right is {dW} = {weight}.",
    .hint = "With respect to the weight the derivative of the product is the input, with respect to the "
            "input it is the weight; these two are exchanged.",
    .wrong = "dW = W * dz.sum(axis=0)",
    .right = "dW = x.T @ dz",
    .alternative = weight_from_weight,
};

const struct mistake mistake_parameter_as_gradient = {
    .id = "parameter_as_gradient",
    .step = STEP_PARAMETER,
    .input = WEIGHT,
    .rank = 17,
    .summary = "the parameter itself for its gradient",
    .message = "{parameter}: what was submitted is the parameter itself, not its gradient.",
    .hint = "Check which variable you return or save.",
    .wrong = "grads['W1'] = W1",
    .right = "grads['W1'] = dW1",
    .unscaled = true,
};

/* ---- wrong bias gradients: db, [out] ---- */

const struct mistake mistake_bias_not_summed = {
    .id = "bias_not_summed",
    .step = STEP_PARAMETER,
    .input = BIAS,
    .rank = 3,
    .summary = "db = dz: it still has the batch axis",
    .message = "{db} has one row per sample: it is {dz} before it is summed over the batch. Right is {db} = {bias}.",
    .hint = "Sum dL/dz over the batch: the bias is shared by all samples, so their contributions add up.",
    .wrong = "db = dz",
    .right = "db = dz.sum(axis=0)",
    .source = "jimfleming/differentiation#1",
};

static bool bias_mean(const struct step_call *call, struct alternative *made)
{
    if (call->call->backend->sum_rows(call->rows, call->out, call->dy, made->value) != CODE_OK) return false;
    for (size_t k = 0; k < call->out; k++)
        made->value[k] /= (double)call->rows;
    return true;
}

const struct mistake mistake_bias_averaged = {
    .id = "bias_averaged",
    .step = STEP_PARAMETER,
    .input = BIAS,
    .rank = 4,
    .summary = "db = dz.mean(0), where dz is already averaged",
    .message = "{db} is the mean of {dz} over the batch, but {dz} already holds the 1/batch of the loss. Right "
               "is {db} = {bias}.",
    .hint = "Divide by the batch size once: in the gradient of the loss.",
    .wrong = "db = dz.mean(axis=0)",
    .right = "db = dz.sum(axis=0)",
    .source = "kvfrans/notes#5",
    .alternative = bias_mean,
};

static bool bias_over_units(const struct step_call *call, struct alternative *made)
{
    if (call->call->backend->sum_rows(call->rows, call->out, call->dy, made->value) != CODE_OK) return false;
    double total = 0;
    for (size_t k = 0; k < call->out; k++)
        total += made->value[k];
    for (size_t k = 0; k < call->out; k++)
        made->value[k] = total;
    return true;
}

const struct mistake mistake_bias_summed_over_units = {
    .id = "bias_summed_over_units",
    .step = STEP_PARAMETER,
    .input = BIAS,
    .rank = 10,
    .summary = "db = dz.sum() for every unit",
    .message = "Every element of {db} is the sum of {dz} over all units and samples. Right is one sum for each "
               "unit: {db} = {bias}.",
    .hint = "Name the axis that you sum over: the batch, not everything.",
    .wrong = "db = dz.sum()",
    .right = "db = dz.sum(axis=0)",
    .source = "rasbt/stat453-deep-learning-ss21#5",
    .alternative = bias_over_units,
};

static bool bias_from_weight(const struct step_call *call, struct alternative *made)
{
    return call->dW != NULL && call->call->backend->sum_rows(call->in, call->out, call->dW, made->value) == CODE_OK;
}

const struct mistake mistake_bias_from_weight_gradient = {
    .id = "bias_from_weight_gradient",
    .step = STEP_PARAMETER,
    .input = BIAS,
    .rank = 9,
    .summary = "db = dW.sum(0)",
    .message = "{db} was computed by summing {dW} over the inputs. Right is {db} = {bias}.",
    .hint = "The bias's gradient comes from {dz} alone; the layer's input has no part in it.",
    .wrong = "db = dW.sum(axis=0)",
    .right = "db = dz.sum(axis=0)",
    .source = "rust0258/...NLP-Specialization#62",
    .alternative = bias_from_weight,
};

static const struct mistake *const own_mistakes[] = {
    &mistake_raw_error_propagated,
    &mistake_weight_not_transposed,
    &mistake_updated_weights_propagated,
    &mistake_weight_gradient_as_weight,
    &mistake_weight_skipped,
    &mistake_transposed,
    &mistake_wrong_memory_order,
    &mistake_input_not_activated,
    &mistake_own_output_as_input,
    &mistake_input_ignored,
    &mistake_weight_as_input,
    &mistake_parameter_as_gradient,
    &mistake_bias_not_summed,
    &mistake_bias_averaged,
    &mistake_bias_summed_over_units,
    &mistake_bias_from_weight_gradient,
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
    .attributes = {{.name = "out_features", .kind = ATTRIBUTE_SIZE, .required = true, .least = 1},
                   {.name = "in_features", .kind = ATTRIBUTE_SIZE, .least = 1},
                   {.name = "bias", .kind = ATTRIBUTE_FLAG, .fallback = 1},
                   {.name = "transposed", .kind = ATTRIBUTE_FLAG}},
    .slots = slots,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .shares = shares,
    .term_unit = term_unit,
    .plain = PLAIN_LINEAR,
    .mistakes = own_mistakes,
    .mistakes_when = is_plain,
    .cases = cases,
};
