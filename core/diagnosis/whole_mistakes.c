/* What is done wrong around the pass: with its samples, or with gradients that are finished. */
#include <string.h>

#include "core/ops/mistake.h"

const struct mistake mistake_gradient_accumulated = {
    .id = "gradient_accumulated",
    .step = STEP_FINISHED,
    .rank = 5,
    .summary = "a whole multiple: not reset between passes",
    .message = "All gradients are {factor} times those of one backward pass, as if that many had been added up.",
    .hint = "Reset the gradients before every backward pass.",
    .wrong = "grads[k] += dW",
    .right = "grads[k] = dW",
    .source = "karpathy/micrograd#53",
    .or_constant = true,
};

/* Of a batch larger than that only the first and the last samples are tried alone. */
enum { SAMPLES_MAX = 64 };

static bool one_sample(const struct loss_call *call, struct loss_direction *d)
{
    size_t batch = call->batch, width = call->elements / batch, sample = d->variant;
    size_t samples = batch < SAMPLES_MAX ? batch : SAMPLES_MAX;
    if (batch < 2 || sample >= samples) return false;
    if (sample >= samples / 2) sample += batch - samples;
    direction_right(call, d);
    for (size_t i = 0; i < batch; i++)
        if (i != sample) memset(d->value + i * width, 0, width * sizeof *d->value);
    d->sample = sample;
    direction_add_scale(d, call->factor);
    direction_add_scale(d, call->factor * (double)batch);
    return true;
}

const struct mistake mistake_single_sample = {
    .id = "single_sample",
    .step = STEP_FINISHED,
    .rank = 8,
    .summary = "the gradient of one sample only instead of the batch",
    .message = "These are the gradients of sample {sample} alone instead of the whole batch.",
    .hint = "Sum over all samples; look for a loop that overwrites instead of adding, or an index that "
            "stayed.",
    .wrong = "for i in range(n): dW = x[i:i+1].T @ dz[i:i+1]",
    .right = "dW = x.T @ dz",
    .direction = one_sample,
    .variants = SAMPLES_MAX,
};

const struct mistake mistake_swapped_parameters = {
    .id = "swapped_parameters",
    .step = STEP_FINISHED,
    .rank = 10,
    .summary = "right values under another parameter's name",
    .message = "The gradients {parameters} are exchanged: each has the values that belong to another.",
    .hint = "Check the order in which the gradients are returned or saved.",
    .wrong = "return {'W1': dW2, 'W2': dW1}",
    .right = "return {'W1': dW1, 'W2': dW2}",
    .source = "Oneflow-Inc/oneflow#6149",
};

const struct mistake mistake_clipped = {
    .id = "clipped",
    .step = STEP_FINISHED,
    .rank = 11,
    .summary = "clipped by value, or by global norm, to a round limit",
    .message = "The gradients were clipped {how} to {factor}.",
    .hint = "Clipping belongs to training; the gradients to be checked are those before it.",
    .wrong = "grads = np.clip(grads, -1, 1)",
    .right = "grads",
};

static const char *flattened_words(size_t variant)
{
    return variant == 0 ? "row by row" : "column by column";
}

const struct mistake mistake_learning_rate_applied = {
    .id = "learning_rate_applied",
    .step = STEP_FINISHED,
    .rank = 12,
    .summary = "lr * g: the step of an update in place of the gradient",
    .message = "All gradients are {factor} times the right ones, as if they had been multiplied by a learning rate.",
    .hint = "The learning rate belongs to the update; the gradients to be checked are those before it.",
    .wrong = "grads['W1'] = lr * dW1",
    .right = "grads['W1'] = dW1",
};

const struct mistake mistake_updated_parameter = {
    .id = "updated_parameter",
    .step = STEP_FINISHED,
    .rank = 9,
    .summary = "W - lr * g: the updated parameter in place of its gradient",
    .message = "These are the parameters after an update with a learning rate of {factor}, not their gradients.",
    .hint = "Return the gradients, and update the parameters elsewhere.",
    .wrong = "W1 -= lr * dW1; grads['W1'] = W1",
    .right = "grads['W1'] = dW1",
    .source = "trekhleb/homemade-machine-learning#17",
};

const struct mistake mistake_velocity = {
    .id = "velocity",
    .step = STEP_FINISHED,
    .rank = 13,
    .summary = "a momentum's state in place of the gradient, after two or three equal steps",
    .message = "All gradients are {factor} times the right ones, as momentum of 0.9 makes of the same gradient in the "
               "second or third step.",
    .hint = "The gradients to be checked are those before they are added to a velocity.",
    .wrong = "v = 0.9 * v + dW; grads['W1'] = v",
    .right = "grads['W1'] = dW",
};

const struct mistake mistake_flattened = {
    .id = "flattened",
    .step = STEP_FINISHED,
    .rank = 6,
    .summary = "flattened to one axis",
    .message = "{parameters} was handed in with one axis, {used}. A gradient has the shape of its parameter.",
    .hint = "Reshape the gradient to its parameter's shape before you return it.",
    .wrong = "grads['W1'] = dW1.ravel()",
    .right = "grads['W1'] = dW1",
    .variants = 2,
    .variant_words = flattened_words,
};

static const char *per_sample_words(size_t variant)
{
    return variant == 0 ? "sum" : "mean";
}

const struct mistake mistake_per_sample_gradient = {
    .id = "per_sample_gradient",
    .step = STEP_FINISHED,
    .rank = 6,
    .summary = "one gradient for each sample, which were not added up",
    .message =
        "{parameters}: one gradient for each sample, on an axis of its own. Their {used} over that axis is right.",
    .hint = "Add the samples' gradients up: x.T @ dz does that by itself, einsum where the batch is no letter of the "
            "result.",
    .wrong = "dW = np.einsum('ni,nj->nij', x, dz)",
    .right = "dW = np.einsum('ni,nj->ij', x, dz)",
    .variants = 2,
    .variant_words = per_sample_words,
};

static const char *difference_words(size_t variant)
{
    static const char *const words[] = {"(L(w + eps) - L(w)) / eps", "(L(w) - L(w - eps)) / eps",
                                        "(L(w + eps) - L(w - eps)) / (2 * eps)"};
    return words[variant];
}

const struct mistake mistake_numerical_gradient = {
    .id = "numerical_gradient",
    .step = STEP_FINISHED,
    .rank = 7,
    .summary = "differences of the loss, which are not exact",
    .message = "These are not derivatives but differences, {used} with eps = {factor}: what is off is what such a "
               "difference is off by.",
    .hint = "Differences are for comparing with; hand in what the backward pass computes. Those of both sides with an "
            "eps of about 1e-5 come nearest, but at a kink (a ReLU's input near 0) they are a mean of its two sides.",
    .wrong = "dw = (loss(w + 1e-4) - loss(w)) / 1e-4",
    .right = "dW = x.T @ dz",
    .variants = 3,
    .variant_words = difference_words,
};

const struct mistake mistake_low_precision = {
    .id = "low_precision",
    .step = STEP_FINISHED,
    .rank = 6,
    .summary = "right to float32 rounding, not to the tolerance",
    .message = "The gradients are right to float32 rounding, but not to the tolerance of this check.",
    .hint = "Compute in float64: check the dtype of your arrays, and do not round when you save.",
    .wrong = "dW = dW.astype(np.float32)",
    .right = "dW",
};

const struct mistake mistake_rounded = {
    .id = "rounded",
    .step = STEP_FINISHED,
    .rank = 6,
    .summary = "right to the decimals or digits that the numbers were given with, not to the tolerance",
    .message = "{parameters}: right to the {printed} that the numbers were given with, but not to the tolerance of "
               "this check.",
    .hint = "Arrays print only a few digits. Print all with np.set_printoptions(precision=17) or "
            "torch.set_printoptions(precision=17, sci_mode=True), or hand in dW.tolist().",
    .wrong = "print(dW)",
    .right = "print(json.dumps(dW.tolist()))",
};

const struct mistake mistake_all_zero = {
    .id = "all_zero",
    .step = STEP_FINISHED,
    .rank = 0,
    .summary = "nothing was computed",
    .message = "{parameters}: zero everywhere. Nothing was computed there.",
    .hint = "Look whether the array that was set up with zeros is ever filled.",
    .wrong = "db = np.zeros_like(b)",
    .right = "db = dz.sum(axis=0)",
    .source = "mattm/simple-neural-network#5",
};

const struct mistake mistake_constant_factor = {
    .id = "constant_factor",
    .step = STEP_FINISHED,
    .rank = 20,
    .summary = "off by one constant that none of the other mistakes explains",
    .message = "From layer {layer} back, the gradients are {factor} times what they should be.",
    .hint = "Look for a factor that is applied once too often or not at all.",
    .wrong = "dz = 3 * dh * f_prime(z)",
    .right = "dz = dh * f_prime(z)",
};
