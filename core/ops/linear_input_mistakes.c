/* What is done wrong when a linear layer sends the gradient back: dx, [rows, in]. */
#include <string.h>

#include "core/ops/linear.h"

/* dx = times * dz @ W.T */
static bool send(const struct step_call *call, double times, const double *dz, const double *W, double *dx)
{
    return call->call->backend->gemm(false, true, call->rows, call->in, call->out, times, dz, W, 0, dx) == CODE_OK;
}

static bool send_raw_error(const struct step_call *call, struct alternative *made)
{
    return call->dh != NULL && send(call, 1, call->dh, linear_weight(call), made->value);
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
    return call->call->backend->gemm(false, false, call->rows, call->in, call->out, 1, call->dy, linear_weight(call), 0,
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
    double l2;
    const double *dW = linear_dW(call, made->variant == 0 ? DW_AS_IT_IS : DW_UNSPOILT, &l2);
    made->has_slope = true;
    return dW != NULL && send(call, 1, call->dy, linear_weight(call), made->value) &&
           send(call, -1, call->dy, dW, made->slope);
}

static const char *updated_words(size_t variant)
{
    return linear_dW_words(variant == 0 ? DW_AS_IT_IS : DW_UNSPOILT);
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
    .variants = 2,
    .variant_words = updated_words,
    .one_number = true,
    .unscaled = true,
};

static bool send_weight_gradient(const struct step_call *call, struct alternative *made)
{
    double l2;
    const double *dW = linear_dW(call, made->variant, &l2);
    if (dW == NULL || !send(call, 1, call->dy, dW, made->value)) return false;
    return l2 == 0 || call->call->backend->gemm(false, true, call->rows, call->in, call->out, -l2, call->dy,
                                                linear_weight(call), 1, made->value) == CODE_OK;
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
    .variants = DW_READINGS,
    .variant_words = linear_dW_words,
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

/* ---- something of another layer ---- */

enum { OTHERS_DELTA, OTHERS_WEIGHT, OWN_DELTA_AGAIN, SENT };

static const char *sent_words(size_t variant)
{
    static const char *const words[SENT] = {[OTHERS_DELTA] = "the dz",
                                            [OTHERS_WEIGHT] = "the weight",
                                            [OWN_DELTA_AGAIN] = "the dh that its own activation was given"};
    return words[variant % SENT];
}

static bool send_of_another(const struct step_call *call, struct alternative *made)
{
    struct step_peer peer;
    size_t which = made->variant % SENT, index = made->variant / SENT;
    if (which == OWN_DELTA_AGAIN) {
        if (index > 0 || call->dh == NULL || call->in != call->out) return false;
        memcpy(made->value, call->dh, call->rows * call->in * sizeof *made->value);
        return true;
    }
    if (call->peer == NULL || !call->peer(call, index, &peer)) return false;
    if (which == OTHERS_WEIGHT)
        return shape_equal(call->call->in[LINEAR_WEIGHT], peer.call->in[LINEAR_WEIGHT]) &&
               peer.call->attributes[LINEAR_TRANSPOSED] == 0 &&
               send(call, 1, call->dy, peer.call->x[LINEAR_WEIGHT], made->value);
    return peer.dy != NULL && shape_equal(call->call->out, peer.call->out) &&
           send(call, 1, peer.dy, linear_weight(call), made->value);
}

const struct mistake mistake_wrong_layer_used = {
    .id = "wrong_layer_used",
    .step = STEP_INPUT,
    .rank = 13,
    .summary = "a gradient, weight, cached input or derivative of another layer was used",
    .message = "What layer {layer} sends back was computed with {used}{of_other}. Right is {dx} = {send}.",
    .hint = "Check the indices in the loop over the layers: each takes its own weight, its own cache, and the gradient "
            "that the layer behind it sent.",
    .wrong = "dh1 = dz2 @ W1.T",
    .right = "dh1 = dz2 @ W2.T",
    .source = "hanbt/learn_dl#23",
    .alternative = send_of_another,
    .variants = (size_t)SENT * PEERS_MAX,
    .variant_words = sent_words,
    .per_peer = SENT,
    .without_peer = 1U << OWN_DELTA_AGAIN,
};

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
