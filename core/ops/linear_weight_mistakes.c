/* What is done wrong in the gradient of a linear layer's weight: dW, [in, out]. */
#include <math.h>
#include <string.h>

#include "core/ops/linear.h"

const double *linear_dW(const struct step_call *call, size_t reading, double *l2)
{
    *l2 = reading == DW_UNREGULARIZED ? call->l2 : 0;
    if (reading == DW_UNSPOILT) return call->dW_unspoilt;
    if (reading == DW_AS_IT_IS || call->l2 == 0) return reading == DW_AS_IT_IS ? call->dW : NULL;
    return call->dW_unspoilt != NULL ? call->dW_unspoilt : call->dW; /* which has l2's part, whatever became of it */
}

const char *linear_dW_words(size_t reading)
{
    static const char *const words[DW_READINGS] = {[DW_UNREGULARIZED] = "dW before the regularization was added",
                                                   [DW_UNSPOILT] = "dW before its own mistake was made"};
    return words[reading];
}

const struct mistake mistake_transposed = {
    .id = "transposed",
    .step = STEP_PARAMETER,
    .input = LINEAR_WEIGHT,
    .rank = 8,
    .summary = "dW.T: the weight's gradient the other way round",
    .message = "{dW} was submitted transposed. Right is {dW} = {weight}.",
    .hint = "A gradient has the shape of its parameter; the order of the product decides which way round it "
            "comes.",
    .wrong = "dW = dz.T @ x",
    .right = "dW = x.T @ dz",
    .variant_words = linear_dW_words,
};

const struct mistake mistake_wrong_memory_order = {
    .id = "wrong_memory_order",
    .step = STEP_PARAMETER,
    .input = LINEAR_WEIGHT,
    .rank = 13,
    .summary = "reshaped in the wrong order",
    .message = "{dW} has its numbers in the wrong places: it was reshaped where it should have been "
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
    .input = LINEAR_WEIGHT,
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
    .input = LINEAR_WEIGHT,
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

enum { TAKEN_INPUT, TAKEN_DELTA, TAKEN };

static const char *taken_words(size_t variant)
{
    return variant % TAKEN == TAKEN_INPUT ? "the input" : "the dz";
}

static bool weight_of_another(const struct step_call *call, struct alternative *made)
{
    struct step_peer peer;
    size_t which = made->variant % TAKEN, index = made->variant / TAKEN;
    if (call->peer == NULL || !call->peer(call, index, &peer)) return false;
    if (which == TAKEN_INPUT)
        return shape_equal(call->call->in[LINEAR_X], peer.call->in[LINEAR_X]) &&
               weight_from(call, peer.call->x[LINEAR_X], made->value);
    if (peer.dy == NULL || !shape_equal(call->call->out, peer.call->out)) return false;
    return call->call->backend->gemm(true, false, call->in, call->out, call->rows, 1, call->x, peer.dy, 0,
                                     made->value) == CODE_OK;
}

const struct mistake mistake_wrong_layer_cached = {
    .id = "wrong_layer_used",
    .step = STEP_PARAMETER,
    .input = LINEAR_WEIGHT,
    .rank = 12,
    .summary = "dW was computed with the input or the gradient of another layer",
    .message = "{dW} was computed with {used}{of_other}. Right is {dW} = {weight}.",
    .hint = "Check the indices of the cached values: layer k takes what it was given in the forward pass.",
    .wrong = "dW2 = x.T @ dz2",
    .right = "dW2 = h1.T @ dz2",
    .source = "ralampay/ann#22",
    .alternative = weight_of_another,
    .variants = (size_t)TAKEN * PEERS_MAX,
    .variant_words = taken_words,
    .per_peer = TAKEN,
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
    .input = LINEAR_WEIGHT,
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
    const double *W = linear_weight(call);
    for (size_t i = 0; i < call->in * call->out; i++)
        made->value[i] *= W[i];
    return true;
}

const struct mistake mistake_weight_as_input = {
    .id = "weight_as_input",
    .step = STEP_PARAMETER,
    .input = LINEAR_WEIGHT,
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
    .input = LINEAR_WEIGHT,
    .rank = 17,
    .summary = "the parameter itself for its gradient",
    .message = "{parameter}: what was submitted is the parameter itself, not its gradient.",
    .hint = "Check which variable you return or save.",
    .wrong = "grads['W1'] = W1",
    .right = "grads['W1'] = dW1",
    .unscaled = true,
};

/* Where each row picks one of the weight's rows (one-hot), as an embedding does: the last row that picks it overwrites
 * what the others gave. */
static bool last_one_stays(const struct step_call *call, struct alternative *made)
{
    bool again = false, other = false; /* other: the times that a row is picked do not all say the same */
    double *picked = made->slope;      /* by row of the weight; room for [in, out] */
    memset(made->value, 0, call->in * call->out * sizeof *made->value);
    memset(picked, 0, call->in * sizeof *picked);
    for (size_t r = 0; r < call->rows; r++) {
        const double *x = call->x + r * call->in;
        size_t at = call->in;
        for (size_t j = 0; j < call->in; j++) {
            if (x[j] == 0) continue;
            if (x[j] != 1 || at < call->in) return false;
            at = j;
        }
        if (at == call->in) return false;
        double *row = made->value + at * call->out;
        const double *dy = call->dy + r * call->out;
        for (size_t k = 0; picked[at] != 0 && k < call->out; k++)
            other = other || fabs(row[k] - dy[k]) > 1e-9 * fabs(dy[k]);
        memcpy(row, dy, call->out * sizeof *row);
        again = again || picked[at] != 0;
        picked[at] = 1;
    }
    return again && other;
}

const struct mistake mistake_repeated_index_overwritten = {
    .id = "repeated_index_overwritten",
    .step = STEP_PARAMETER,
    .input = LINEAR_WEIGHT,
    .rank = 7,
    .summary = "rows that are picked several times get the gradient of the last time alone",
    .message =
        "Each sample picks the weights of one input. Where several samples pick the same, {dW} has the gradient of "
        "the last one alone instead of their sum.",
    .hint = "With repeated indices neither dW[i] = d nor dW[i] += d adds them all up; np.add.at does.",
    .wrong = "dW[i] += dz",
    .right = "np.add.at(dW, i, dz)",
    .alternative = last_one_stays,
};
