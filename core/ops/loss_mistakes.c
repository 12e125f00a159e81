/* Wrong gradients of the loss that any loss knows, or several. */
#include <math.h>
#include <string.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

void direction_right(const struct loss_call *call, struct loss_direction *direction)
{
    for (size_t i = 0; i < call->elements; i++)
        direction->value[i] = call->right[i] / call->factor;
}

void direction_add_scale(struct loss_direction *direction, double scale)
{
    for (size_t i = 0; i < direction->scale_count; i++)
        if (fabs(direction->scales[i] - scale) <= 1e-12 * fabs(scale)) return;
    if (direction->scale_count < LOSS_SCALES_MAX) direction->scales[direction->scale_count++] = scale;
}

/* ---- factors ---- */

static double not_averaged(const struct loss_call *call, size_t variant)
{
    const struct op_call *loss = call->call;
    double batch = (double)call->batch, out = (double)call->elements / (double)call->batch;
    enum reduction reduction = (enum reduction)loss->attributes[LOSS_REDUCTION];
    if (reduction == REDUCTION_SUM) return 1;
    if (variant == 0) return batch;
    bool over_elements = reduction == REDUCTION_MEAN && !loss->op->mean_over_batch && out > 1;
    return over_elements ? batch * out : 1;
}

const struct mistake mistake_not_averaged_over_batch = {
    .id = "not_averaged_over_batch",
    .step = STEP_LOSS,
    .rank = 1,
    .summary = "the loss gradient is not divided by the batch size",
    .message = "The gradient of the loss was not divided by {undivided}: it is {factor} times too large.",
    .hint = "The loss is a mean over the batch, so its gradient has a factor 1/batch.",
    .wrong = "dy_hat = 2 * (y_hat - y)",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "dennybritz/nn-from-scratch#13",
    .factor = not_averaged,
    .variants = 2,
};

static double averaged_twice(const struct loss_call *call, size_t variant)
{
    (void)variant;
    return 1 / (double)call->batch;
}

const struct mistake mistake_averaged_twice = {
    .id = "averaged_twice",
    .step = STEP_LOSS,
    .rank = 3,
    .summary = "divided by the batch size once too often",
    .message =
        "The gradient of the loss is divided by the batch size once too often: it is {factor} times what it should be.",
    .hint = "If the gradient of the loss has its 1/batch already, neither dW nor db may divide again.",
    .wrong = "dW = x.T @ dz / batch  # dz has its 1/batch already",
    .right = "dW = x.T @ dz",
    .source = "d2l-ai/d2l-en#1000",
    .factor = averaged_twice,
};

static double sign_flipped(const struct loss_call *call, size_t variant)
{
    (void)call;
    (void)variant;
    return -1;
}

const struct mistake mistake_sign_flipped = {
    .id = "sign_flipped",
    .step = STEP_LOSS,
    .rank = 3,
    .summary = "target minus output",
    .message = "The gradient of the loss has the wrong sign: it was computed with target minus output.",
    .hint = "Output minus target, not target minus output: check the sign where the backward pass starts.",
    .wrong = "dy_hat = 2 * (y - y_hat) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "dennybritz/nn-from-scratch#11",
    .factor = sign_flipped,
};

enum { NORMALIZATIONS = 5 };

static double wrong_normalization(const struct loss_call *call, size_t variant)
{
    bool sum = call->call->attributes[LOSS_REDUCTION] == REDUCTION_SUM;
    double batch = (double)call->batch, out = (double)call->elements / (double)call->batch;
    const double factors[NORMALIZATIONS] = {out, 1 / out, batch / out, out / batch, sum ? 1 / (batch * out) : 1};
    return factors[variant];
}

const struct mistake mistake_wrong_normalization = {
    .id = "wrong_normalization",
    .step = STEP_LOSS,
    .rank = 4,
    .summary = "divided by the batch where the mean is over every element, or the other way round",
    .message = "The gradient of the loss is divided by the wrong number: it is {factor} times what it should be. The "
               "reduction {reduction} of {loss} divides by {divisor}.",
    .hint = "Check whether the mean runs over the samples or over every element of the output.",
    .wrong = "dy_hat = 2 * (y_hat - y) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / y_hat.size",
    .factor = wrong_normalization,
    .or_constant = true,
    .variants = NORMALIZATIONS,
};

static double scale_missing(const struct loss_call *call, size_t variant)
{
    (void)variant;
    return 1 / call->call->attributes[LOSS_SCALE];
}

const struct mistake mistake_loss_scale_missing = {
    .id = "loss_scale_missing",
    .step = STEP_LOSS,
    .rank = 2,
    .summary = "the factor that the loss is multiplied by is missing from its gradient",
    .message = "The loss is multiplied by {scale}, its gradient is not: it is {factor} times what it should be.",
    .hint = "What the loss is multiplied by, its gradient is, too: half the squared error has the gradient y_hat - y, "
            "without"
            " the 2.",
    .wrong = "dy_hat = 2 * (y_hat - y) / batch  # of a loss with scale 0.5",
    .right = "dy_hat = (y_hat - y) / batch",
    .factor = scale_missing,
};

/* ---- another loss's gradient ---- */

static void subtract_target(const struct loss_call *call, const double *p, double *error)
{
    const double *t = call->call->x[LOSS_TARGET];
    for (size_t i = 0; i < call->elements; i++)
        error[i] = p[i] - t[i];
}

/* Output minus target, times 1 or 2, over the batch or as the reduction has it. */
static void add_error_scales(const struct loss_call *call, struct loss_direction *d)
{
    const double scales[] = {call->factor, 1 / (double)call->batch, 1 / (double)call->elements};
    for (size_t i = 0; i < 3; i++) {
        direction_add_scale(d, scales[i]);
        direction_add_scale(d, 2 * scales[i]);
    }
}

/* An activation as if it stood behind the network's output; error comes in where a gradient is wanted. */
static bool run_behind(const struct loss_call *call, const struct op *activation, const double *error, double *y,
                       double *dx)
{
    static const double none[OP_ATTRIBUTES_MAX];
    const struct shape *shape = call->call->in[LOSS_PREDICTION];
    const struct op_call behind = {.op = activation,
                                   .backend = call->call->backend,
                                   .attributes = none,
                                   .count = 1,
                                   .in = &shape,
                                   .out = shape,
                                   .x = &call->call->x[LOSS_PREDICTION],
                                   .y = y,
                                   .dy = error,
                                   .dx = (void *const[]){dx}};
    return (error != NULL ? activation->backward(&behind) : activation->forward(&behind)) == CODE_OK;
}

enum { PLAIN, ON_PROBABILITIES, SHORTCUTS };

/* The activation that makes probabilities of a row of logits. */
static const struct op *probabilities(void)
{
    for (size_t i = 0; ops[i] != NULL; i++)
        if (ops[i]->probabilities) return ops[i];
    return NULL;
}

static const char *shortcut_words(size_t variant)
{
    return variant == PLAIN ? "the output" : "the probabilities of the output";
}

static bool cross_entropy_shortcut(const struct loss_call *call, struct loss_direction *d)
{
    const struct op_call *loss = call->call;
    const struct op *last = call->before != NULL ? call->before->op : NULL;
    const double *p = loss->x[LOSS_PREDICTION];
    bool after_its_own = loss->op->goes_with != NULL && last == loss->op->goes_with;
    if (loss_takes_logits(loss->op, loss->attributes) || after_its_own) return false; /* there it is right */
    if (d->variant == ON_PROBABILITIES) {
        const struct op *softmax = probabilities();
        if (softmax == NULL || last == softmax || !run_behind(call, softmax, NULL, d->room, NULL)) return false;
        p = d->room;
    }
    subtract_target(call, p, d->value);
    d->past = last != NULL && last->kind == OP_ACTIVATION;
    add_error_scales(call, d);
    return true;
}

const struct mistake mistake_cross_entropy_shortcut = {
    .id = "cross_entropy_shortcut",
    .step = STEP_LOSS,
    .rank = 4,
    .summary = "output minus target as dL/dz although the loss is not that cross-entropy",
    .message = "Output minus target was used as the gradient at {z_last}. That shortcut belongs to a "
               "cross-entropy behind a softmax or sigmoid; the loss here is {loss}{still}.",
    .hint = "Start from the gradient of {loss} at the network's output, and go back from there step by step.",
    .wrong = "dz = y_hat - y",
    .right = "dz = 2 * (y_hat - y) / batch * f_prime(z)",
    .source = "pjreddie/darknet#212",
    .direction = cross_entropy_shortcut,
    .variants = SHORTCUTS,
    .variant_words = shortcut_words,
};

/* A squared error of the output, or of the probabilities that it stands for. */
static bool mse_shortcut(const struct loss_call *call, struct loss_direction *d)
{
    const struct op_call *loss = call->call;
    if (d->variant == ON_PROBABILITIES) {
        if (!loss_takes_logits(loss->op, loss->attributes)) return false;
        const struct op *activation = loss->op->goes_with;
        double *q = d->room, *error = d->room + call->elements;
        if (!run_behind(call, activation, NULL, q, NULL)) return false;
        subtract_target(call, q, error);
        if (!run_behind(call, activation, error, q, d->value)) return false;
    } else {
        subtract_target(call, loss->x[LOSS_PREDICTION], d->value);
    }
    add_error_scales(call, d);
    return true;
}

const struct mistake mistake_mse_shortcut = {
    .id = "mse_shortcut",
    .step = STEP_LOSS,
    .rank = 8,
    .summary = "the squared-error gradient although the loss is a cross-entropy",
    .message = "The gradient of a squared error was used, but the loss is {loss}.",
    .hint = "Differentiate the loss that the forward pass computes.",
    .wrong = "dy_hat = 2 * (y_hat - y) / batch",
    .right = "dy_hat = (y_hat - y) / (y_hat * (1 - y_hat)) / batch",
    .direction = mse_shortcut,
    .variants = SHORTCUTS,
    .variant_words = shortcut_words,
};

/* The derivative of the output with respect to itself, as if there were no loss. */
static bool gradient_of_output(const struct loss_call *call, struct loss_direction *d)
{
    if (call->call->op->target == TARGET_UPSTREAM) return false;
    for (size_t i = 0; i < call->elements; i++)
        d->value[i] = 1;
    direction_add_scale(d, 1);
    direction_add_scale(d, 1 / (double)call->batch);
    direction_add_scale(d, 1 / (double)call->elements);
    return true;
}

const struct mistake mistake_gradient_of_output = {
    .id = "gradient_of_output",
    .step = STEP_LOSS,
    .rank = 10,
    .summary = "the gradient of the output instead of that of the loss",
    .message = "These are the gradients of the network's output, summed or averaged, and not those of {loss}: the "
               "backward pass was begun with ones.",
    .hint = "Begin with the derivative of the loss with respect to the output; targets have a part in it.",
    .wrong = "dy_hat = np.ones_like(y_hat)",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .direction = gradient_of_output,
};

/* What the loss makes of each number of the output, or of all of them. */
enum { OF_EACH, OF_ALL, LOSS_VALUES };

static const char *loss_value_words(size_t variant)
{
    return variant == OF_EACH ? "for each output its part of it" : "for every output its value";
}

static bool loss_as_gradient(const struct loss_call *call, struct loss_direction *d)
{
    struct op_call loss = *call->call;
    bool elementwise = loss.op->forward == elementwise_loss_forward;
    double value = 0;
    if (loss.op->target == TARGET_UPSTREAM || (d->variant == OF_EACH && !elementwise)) return false;
    loss.y = NULL;
    loss.scalar = &value;
    if (loss.op->forward(&loss) != CODE_OK) return false;
    const double *p = loss.x[LOSS_PREDICTION], *t = loss.x[LOSS_TARGET];
    for (size_t i = 0; i < call->elements; i++) {
        d->value[i] = value;
        if (d->variant == OF_ALL) continue;
        if (loss.backend->loss(loss.op->loss, loss.attributes[0], 1, &p[i], &t[i], &d->value[i]) != CODE_OK)
            return false;
    }
    direction_add_scale(d, 1);
    if (d->variant == OF_ALL) return true;
    direction_add_scale(d, call->factor);
    direction_add_scale(d, 1 / (double)call->batch);
    return true;
}

const struct mistake mistake_loss_as_gradient = {
    .id = "loss_as_gradient",
    .step = STEP_LOSS,
    .rank = 11,
    .summary = "the loss itself in place of its gradient",
    .message = "The backward pass was begun with {loss} itself ({used}) and not with its derivative with "
               "respect to the output.",
    .hint = "What goes back is the derivative of the loss with respect to the output: of e**2 that is 2 * e.",
    .wrong = "dy_hat = (y_hat - y)**2 / batch",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .direction = loss_as_gradient,
    .variants = LOSS_VALUES,
    .variant_words = loss_value_words,
};

const struct mistake mistake_epsilon_in_log = {
    .id = "epsilon_in_log",
    .step = STEP_LOSS,
    .rank = 9,
    .summary = "the gradient of log(p + eps) where the loss has log(p)",
    .message = "The gradient is that of {loss} with log(p + {factor}) in place of log(p).",
    .hint = "A small number inside of the logarithm changes the loss and its gradient. The loss here has none: start "
            "from output minus target, which needs no logarithm.",
    .wrong = "dp = -y / (p + 1e-5)",
    .right = "dp = -y / p",
};

/* ---- the targets ---- */

/* Every output with every target takes too long where there are more. */
enum { BROADCAST_MOST = 1024 };

/* The gradient against every target, averaged: what [n,1] - [n] comes to. */
static bool target_broadcast(const struct loss_call *call, struct loss_direction *d)
{
    const struct op_call *loss = call->call;
    size_t n = call->batch;
    if (call->elements != n || n < 2 || n > BROADCAST_MOST || loss->op->target != TARGET_LIKE_OUTPUT) return false;
    const double *p = loss->x[LOSS_PREDICTION], *t = loss->x[LOSS_TARGET];
    for (size_t i = 0; i < n; i++) {
        double sum = 0, one = 0;
        for (size_t j = 0; j < n; j++) {
            loss->backend->loss_gradient(loss->op->loss, loss->attributes[0], 1, 1, &p[i], &t[j], &one);
            sum += one;
        }
        d->value[i] = sum / (double)n;
    }
    direction_add_scale(d, call->factor);
    direction_add_scale(d, call->factor * (double)n);
    return true;
}

const struct mistake mistake_target_broadcast = {
    .id = "target_broadcast",
    .step = STEP_LOSS,
    .rank = 9,
    .summary = "output [n,1] minus target [n] became [n,n]",
    .message = "The targets were broadcast: output [n,1] minus target [n] gave an [n,n] matrix, so that every "
               "output was compared with every target.",
    .hint = "Print the shape of y_hat - y; give both the same shape first.",
    .wrong = "e = y_hat - y  # [n,1] - [n]",
    .right = "e = y_hat - y.reshape(-1, 1)",
    .source = "pytorch#19991",
    .direction = target_broadcast,
};

/* ---- the regularization ---- */

const struct mistake mistake_regularization_missing = {
    .id = "regularization_missing",
    .step = STEP_LOSS,
    .rank = 5,
    .summary = "l2 * W is missing from dW",
    .message = "The gradient of the regularization is missing from {parameters}: {penalty} has to be added.",
    .hint = "The loss has a term {penalty_term}; differentiate it too.",
    .wrong = "dW = x.T @ dz",
    .right = "dW = x.T @ dz + l2 * W",
    .source = "Burton2000/CS231n-2017#9",
};

const struct mistake mistake_regularization_sign = {
    .id = "regularization_sign",
    .step = STEP_LOSS,
    .rank = 12,
    .summary = "dW - l2 * W",
    .message = "The gradient of the regularization was subtracted from {parameters} instead of added.",
    .hint = "The penalty {penalty_term} is added to the loss: its gradient is +{penalty}.",
    .wrong = "dW = x.T @ dz - l2 * W",
    .right = "dW = x.T @ dz + l2 * W",
    .source = "andersbll/nnet#4",
};

const struct mistake mistake_bias_regularized = {
    .id = "bias_regularized",
    .step = STEP_LOSS,
    .rank = 11,
    .summary = "db + l2 * b",
    .message =
        "l2 times the parameter itself was added to {parameters}, but the loss here does not regularize {parameter}.",
    .hint =
        "Only what the penalty of the loss holds has a part of it in its gradient; usually that is the weights alone.",
    .wrong = "db = dz.sum(axis=0) + l2 * b",
    .right = "db = dz.sum(axis=0)",
    .source = "JWarmenhoven/Coursera-Machine-Learning#3",
    .unscaled = true,
};

const struct mistake mistake_regularization_unasked = {
    .id = "regularization_unasked",
    .step = STEP_LOSS,
    .rank = 12,
    .summary = "l2 * W was added although the loss has no regularization",
    .message = "{parameters}: {factor} times the parameter was added to its gradient, but the loss has no such "
               "regularization.",
    .hint = "A penalty in the gradient belongs into the loss, too (here its l2), or into the optimizer.",
    .wrong = "dW = x.T @ dz + 0.01 * W",
    .right = "dW = x.T @ dz",
    .source = "dibgerge/ml-coursera-python-assignments#45",
};

const struct mistake_family mistakes_of_losses = {
    .before = (const struct mistake *const[]){&mistake_loss_scale_missing, &mistake_not_averaged_over_batch,
                                              &mistake_averaged_twice, &mistake_cross_entropy_shortcut, NULL},
    .after = (const struct mistake *const[]){&mistake_sign_flipped, &mistake_wrong_normalization,
                                             &mistake_target_broadcast, &mistake_single_sample,
                                             &mistake_gradient_of_output, &mistake_loss_as_gradient, NULL},
};
