#include <string.h>

#include "core/ops/mistake.h"
#include "core/ops/rows.h"

enum { OUT_FEATURES, IN_FEATURES, BIAS };

static int plan(const double *attributes, const struct shape *in, struct op_plan *plan, struct error *error)
{
    if (in->rank == 0) return error_set(error, CODE_SHAPE_MISMATCH, "linear needs an input of at least one axis");
    size_t width = in->dim[in->rank - 1];
    size_t out = (size_t)attributes[OUT_FEATURES];
    if (attributes[IN_FEATURES] > 0 && (size_t)attributes[IN_FEATURES] != width) {
        error_set(error, CODE_SHAPE_MISMATCH, "in_features is %zu, but the layer's input has %zu",
                  (size_t)attributes[IN_FEATURES], width);
        return error_at(error, "in_features");
    }
    plan->out = *in;
    plan->out.dim[in->rank - 1] = out;
    plan->has[0] = true;
    plan->parameters[0] = shape_of(2, (size_t[]){width, out});
    plan->has[1] = attributes[BIAS] > 0;
    plan->parameters[1] = shape_of(1, (size_t[]){out});
    /* Three products of 2 * rows * in * out operations: z, dW, dx. */
    plan->work = 6.0 * (double)op_elements(in) * (double)out;
    return CODE_OK;
}

/* z = x @ W + b */
static int forward(const struct op_call *call)
{
    struct rows rows = rows_of(call);
    size_t out = (size_t)call->attributes[OUT_FEATURES];
    int code =
        call->backend->gemm(false, false, rows.count, out, rows.width, 1, call->x, call->parameters[0], 0, call->y);
    if (code == CODE_OK && call->parameters[1] != NULL)
        code = call->backend->add_row(rows.count, out, call->parameters[1], call->y);
    return code;
}

/* dW = x.T @ dz, db = dz.sum(0), dx = dz @ W.T */
static int backward(const struct op_call *call)
{
    struct rows rows = rows_of(call);
    size_t out = (size_t)call->attributes[OUT_FEATURES];
    int code =
        call->backend->gemm(true, false, rows.width, out, rows.count, 1, call->x, call->dy, 0, call->gradients[0]);
    if (code == CODE_OK && call->gradients[1] != NULL)
        code = call->backend->sum_rows(rows.count, out, call->dy, call->gradients[1]);
    if (code == CODE_OK && call->dx != NULL)
        code = call->backend->gemm(false, true, rows.count, rows.width, out, 1, call->dy, call->parameters[0], 0,
                                   call->dx);
    return code;
}

/* ---- wrong ways of sending the gradient back: dx, [rows, in] ---- */

static const double *weight_of(const struct step_call *call)
{
    return call->pass->parameters[call->pass->network->nodes[call->node].parameters[0]];
}

/* dx = times * dz @ W.T */
static bool send(const struct step_call *call, double times, const double *dz, const double *W, double *dx)
{
    return call->pass->backend->gemm(false, true, call->rows, call->in, call->out, times, dz, W, 0, dx) == CODE_OK;
}

static bool send_raw_error(const struct step_call *call, struct alternative *made)
{
    return call->dh != NULL && send(call, 1, call->dh, weight_of(call), made->value);
}

const struct mistake mistake_raw_error_propagated = {
    .id = "raw_error_propagated",
    .step = STEP_SEND,
    .rank = 5,
    .summary = "what is sent back lacks the activation's derivative, though dW has it",
    .message = "What layer {layer} sends back was computed from {dh} instead of {dz}: {dx} = {send_dh}. Its own"
               " {dW} is right; the derivative of {f} is missing below.",
    .hint = "Send back the same {dz} that you used for {dW}.",
    .wrong = "dh_prev = dh @ W.T",
    .right = "dh_prev = dz @ W.T",
    .source = "makeyourownneuralnetwork#88",
    .alternative = send_raw_error,
};

static bool send_not_transposed(const struct step_call *call, struct alternative *made)
{
    if (call->in != call->out || call->in == 1) return false;
    return call->pass->backend->gemm(false, false, call->rows, call->in, call->out, 1, call->dy, weight_of(call), 0,
                                     made->value) == CODE_OK;
}

const struct mistake mistake_weight_not_transposed = {
    .id = "weight_not_transposed",
    .step = STEP_SEND,
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
    return send(call, 1, call->dy, weight_of(call), made->value) && send(call, -1, call->dy, call->dW, made->slope);
}

const struct mistake mistake_updated_weights_propagated = {
    .id = "updated_weights_propagated",
    .step = STEP_SEND,
    .rank = 4,
    .summary = "the weights were updated before the gradient went on",
    .message = "{dx} was computed with weights that had already taken a step (learning rate {factor}). The "
               "gradient belongs to the weights of the forward pass: {send}.",
    .hint = "Compute all gradients first, then update all parameters.",
    .wrong = "W -= lr * dW; dh_prev = dz @ W.T",
    .right = "dh_prev = dz @ W.T; W -= lr * dW",
    .source = "joelgrus/data-science-from-scratch#31",
    .alternative = send_updated,
};

static bool send_weight_gradient(const struct step_call *call, struct alternative *made)
{
    return send(call, 1, call->dy, call->dW, made->value);
}

const struct mistake mistake_weight_gradient_as_weight = {
    .id = "weight_gradient_as_weight",
    .step = STEP_SEND,
    .rank = 14,
    .summary = "dx = dz @ dW.T: the weight's gradient in place of the weight",
    .message = "{dx} was computed with the weight's gradient {dW} in place of the weight {W}. Right is {send}.",
    .hint = "The gradient goes back through the weights of the forward pass.",
    .wrong = "dh_prev = dz @ dW.T",
    .right = "dh_prev = dz @ W.T",
    .source = "jcjohnson/pytorch-examples#5",
    .alternative = send_weight_gradient,
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
    .step = STEP_SEND,
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

const struct mistake mistake_transposed = {
    .id = "transposed",
    .step = STEP_WEIGHT,
    .rank = 8,
    .summary = "dW.T: the weight's gradient the other way round",
    .message = "{dW} was submitted transposed. Right is {dW} = {weight}.",
    .hint = "A gradient has the shape of its parameter; the order of the product decides which way round it "
            "comes.",
    .wrong = "dW = dz.T @ x",
    .right = "dW = x.T @ dz",
};

const struct mistake mistake_wrong_memory_order = {
    .id = "wrong_memory_order",
    .step = STEP_WEIGHT,
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
    return call->pass->backend->gemm(true, false, call->in, call->out, call->rows, 1, instead, call->dy, 0, dW) ==
           CODE_OK;
}

/* The layer takes what an activation made; this is what that activation was made of. */
static bool weight_from_not_activated(const struct step_call *call, struct alternative *made)
{
    const struct pass *pass = call->pass;
    const struct node *nodes = pass->network->nodes;
    size_t input = nodes[call->node].input;
    if (input == NODE_INPUT || nodes[input].layer->op->kind != OP_ACTIVATION) return false;
    size_t before = nodes[input].input;
    return weight_from(call, before == NODE_INPUT ? pass->x : pass->y[before], made->value);
}

const struct mistake mistake_input_not_activated = {
    .id = "input_not_activated",
    .step = STEP_WEIGHT,
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
    const struct network *network = call->pass->network;
    size_t next = call->node + 1;
    if (call->in != call->out) return false;
    if (made->variant == OWN_NOT_ACTIVATED) return weight_from(call, call->y, made->value);
    if (next == network->node_count || network->nodes[next].layer->op->kind != OP_ACTIVATION) return false;
    return weight_from(call, call->pass->y[next], made->value);
}

const struct mistake mistake_own_output_as_input = {
    .id = "own_output_as_input",
    .step = STEP_WEIGHT,
    .rank = 9,
    .summary = "dW = h.T @ dz: the layer's own output as its input",
    .message = "{dW} was computed with what layer {weighted} puts out instead of its input {x}. Right is {dW} ="
               " {weight}.",
    .hint = "Check the index of the cached activation: layer k takes what layer k-1 put out.",
    .wrong = "dW2 = h2.T @ dz2",
    .right = "dW2 = h1.T @ dz2",
    .alternative = weight_from_output,
    .variants = OWN_OUTPUTS,
};

static bool weight_from_ones(const struct step_call *call, struct alternative *made)
{
    if (call->pass->backend->sum_rows(call->rows, call->out, call->dy, made->value) != CODE_OK) return false;
    for (size_t j = 1; j < call->in; j++)
        memcpy(made->value + j * call->out, made->value, call->out * sizeof *made->value);
    return true;
}

const struct mistake mistake_input_ignored = {
    .id = "input_ignored",
    .step = STEP_WEIGHT,
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
    .step = STEP_WEIGHT,
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
    .step = STEP_WEIGHT,
    .rank = 17,
    .summary = "the parameter itself for its gradient",
    .message = "{parameter} itself was submitted as its gradient.",
    .hint = "Check which variable you return or save.",
    .wrong = "grads['W1'] = W1",
    .right = "grads['W1'] = dW1",
};

/* ---- wrong bias gradients: db, [out] ---- */

const struct mistake mistake_bias_not_summed = {
    .id = "bias_not_summed",
    .step = STEP_BIAS,
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
    if (call->pass->backend->sum_rows(call->rows, call->out, call->dy, made->value) != CODE_OK) return false;
    for (size_t k = 0; k < call->out; k++)
        made->value[k] /= (double)call->rows;
    return true;
}

const struct mistake mistake_bias_averaged = {
    .id = "bias_averaged",
    .step = STEP_BIAS,
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
    if (call->pass->backend->sum_rows(call->rows, call->out, call->dy, made->value) != CODE_OK) return false;
    double total = 0;
    for (size_t k = 0; k < call->out; k++)
        total += made->value[k];
    for (size_t k = 0; k < call->out; k++)
        made->value[k] = total;
    return true;
}

const struct mistake mistake_bias_summed_over_units = {
    .id = "bias_summed_over_units",
    .step = STEP_BIAS,
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
    return call->pass->backend->sum_rows(call->in, call->out, call->dW, made->value) == CODE_OK;
}

const struct mistake mistake_bias_from_weight_gradient = {
    .id = "bias_from_weight_gradient",
    .step = STEP_BIAS,
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

const struct op op_linear = {
    .name = "linear",
    .summary = "x @ W + b, over the last axis",
    .kind = OP_LAYER,
    .attributes = {{.name = "out_features", .kind = ATTRIBUTE_SIZE, .required = true},
                   {.name = "in_features", .kind = ATTRIBUTE_SIZE},
                   {.name = "bias", .kind = ATTRIBUTE_FLAG, .fallback = 1}},
    .parameters = {{.symbol = "W", .member = "weight", .weight = true}, {.symbol = "b", .member = "bias"}},
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .plain = PLAIN_LINEAR,
    .mistakes = own_mistakes,
};
