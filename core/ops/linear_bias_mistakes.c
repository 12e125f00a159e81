/* What is done wrong in the gradient of a linear layer's bias: db, [out]. */
#include "core/ops/linear.h"

const struct mistake mistake_bias_not_summed = {
    .id = "bias_not_summed",
    .step = STEP_PARAMETER,
    .input = LINEAR_BIAS,
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
    .input = LINEAR_BIAS,
    .rank = 4,
    .summary = "db = dz.mean(0), where dz is already averaged",
    .message = "{db} is the mean of {dz} over the batch, where the contributions of all samples add up. Right is "
               "{db} = {bias}.",
    .hint =
        "A bias is added to every sample, so that its gradient is a sum. The 1/batch of the loss, where it has one, "
        "is in {dz} already.",
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
    .input = LINEAR_BIAS,
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

/* As many samples as units. */
static bool bias_over_wrong_axis(const struct step_call *call, struct alternative *made)
{
    if (call->rows != call->out || call->out < 2) return false;
    for (size_t i = 0; i < call->rows; i++) {
        made->value[i] = 0;
        for (size_t k = 0; k < call->out; k++)
            made->value[i] += call->dy[i * call->out + k];
    }
    return true;
}

const struct mistake mistake_bias_summed_over_wrong_axis = {
    .id = "bias_summed_over_wrong_axis",
    .step = STEP_PARAMETER,
    .input = LINEAR_BIAS,
    .rank = 10,
    .summary = "db = dz.sum(1): summed over the units instead of the batch, which are as many",
    .message = "{db} is the sum of {dz} over the units of each sample instead of over the samples. Right is {db} = "
               "{bias}.",
    .hint = "With as many samples as units both sums have the right shape: name the axis of the batch.",
    .wrong = "db = dz.sum(axis=1)",
    .right = "db = dz.sum(axis=0)",
    .source = "deeplearning4j/deeplearning4j#364",
    .alternative = bias_over_wrong_axis,
};

/* The derivative of z with respect to b, and nothing from above. */
static bool bias_of_ones(const struct step_call *call, struct alternative *made)
{
    for (size_t k = 0; k < call->out; k++)
        made->value[k] = made->variant == 0 ? 1 : (double)call->rows;
    return made->variant == 0 || call->rows > 1;
}

static const char *ones_words(size_t variant)
{
    return variant == 0 ? "1" : "the number of samples";
}

const struct mistake mistake_bias_of_ones = {
    .id = "bias_of_ones",
    .step = STEP_PARAMETER,
    .input = LINEAR_BIAS,
    .rank = 14,
    .summary = "db = 1: the derivative of z with respect to b without what comes from above",
    .message = "{db} is {used} everywhere: the derivative of the layer's output with respect to its bias, without {dz}"
               " as a factor. Right is {db} = {bias}.",
    .hint = "By the chain rule that 1 is multiplied with what comes from above.",
    .wrong = "db = np.ones_like(b)",
    .right = "db = dz.sum(axis=0)",
    .source = "odys-z/hello",
    .alternative = bias_of_ones,
    .variants = 2,
    .variant_words = ones_words,
    .unscaled = true,
};

static bool bias_from_weight(const struct step_call *call, struct alternative *made)
{
    double l2;
    const double *dW = linear_dW(call, made->variant, &l2);
    if (dW == NULL || call->call->backend->sum_rows(call->in, call->out, dW, made->value) != CODE_OK) return false;
    for (size_t i = 0; l2 != 0 && i < call->in * call->out; i++)
        made->value[i % call->out] -= l2 * linear_weight(call)[i];
    return true;
}

const struct mistake mistake_bias_from_weight_gradient = {
    .id = "bias_from_weight_gradient",
    .step = STEP_PARAMETER,
    .input = LINEAR_BIAS,
    .rank = 9,
    .summary = "db = dW.sum(0)",
    .message = "{db} was computed by summing {dW} over the inputs. Right is {db} = {bias}.",
    .hint = "The bias's gradient comes from {dz} alone; the layer's input has no part in it.",
    .wrong = "db = dW.sum(axis=0)",
    .right = "db = dz.sum(axis=0)",
    .source = "rust0258/...NLP-Specialization#62",
    .alternative = bias_from_weight,
    .variants = DW_READINGS,
    .variant_words = linear_dW_words,
};
