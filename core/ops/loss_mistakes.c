/* Wrong gradients of the loss that any loss knows, or several. */
#include <math.h>
#include <string.h>

#include "core/ops/mistake.h"
#include "core/ops/ops.h"

void direction_right(const struct pass *pass, struct loss_direction *direction)
{
    double scale = network_scale(pass->network, pass->batch);
    const double *right = pass->dy[pass->network->node_count - 1];
    for (size_t i = 0; i < pass->batch * network_output(pass->network)->out_size; i++)
        direction->value[i] = right[i] / scale;
}

void direction_add_scale(struct loss_direction *direction, double scale)
{
    for (size_t i = 0; i < direction->scale_count; i++)
        if (fabs(direction->scales[i] - scale) <= 1e-12 * fabs(scale)) return;
    if (direction->scale_count < LOSS_SCALES_MAX) direction->scales[direction->scale_count++] = scale;
}

/* ---- factors ---- */

static double not_averaged(const struct pass *pass, size_t variant)
{
    const struct definition *d = pass->network->definition;
    double batch = (double)pass->batch, out = (double)network_output(pass->network)->out_size;
    if (d->reduction == REDUCTION_SUM) return 1;
    if (variant == 0) return batch;
    bool over_elements = d->reduction == REDUCTION_MEAN && !d->loss.op->mean_over_batch && out > 1;
    return over_elements ? batch * out : 1;
}

const struct mistake mistake_not_averaged_over_batch = {
    .id = "not_averaged_over_batch",
    .step = STEP_LOSS,
    .rank = 1,
    .summary = "the loss gradient is not divided by the batch size",
    .message = "The gradient of the loss was not divided by the number of samples: everything below is {factor}"
               " times too large.",
    .hint = "The loss is a mean over the batch, so its gradient has a factor 1/batch.",
    .wrong = "dy_hat = 2 * (y_hat - y)",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "dennybritz/nn-from-scratch#13",
    .factor = not_averaged,
    .variants = 2,
};

static double averaged_twice(const struct pass *pass, size_t variant)
{
    (void)variant;
    return 1 / (double)pass->batch;
}

const struct mistake mistake_averaged_twice = {
    .id = "averaged_twice",
    .step = STEP_LOSS,
    .rank = 3,
    .summary = "divided by the batch size once too often",
    .message = "The batch size divides twice: every gradient is {factor} times what it should be.",
    .hint = "If the gradient of the loss has its 1/batch already, neither dW nor db may divide again.",
    .wrong = "dW = x.T @ dz / batch  # dz has its 1/batch already",
    .right = "dW = x.T @ dz",
    .source = "d2l-ai/d2l-en#1000",
    .factor = averaged_twice,
};

static double sign_flipped(const struct pass *pass, size_t variant)
{
    (void)pass;
    (void)variant;
    return -1;
}

const struct mistake mistake_sign_flipped = {
    .id = "sign_flipped",
    .step = STEP_LOSS,
    .rank = 3,
    .summary = "target minus output",
    .message = "All gradients have the wrong sign: the gradient of the loss was computed with target minus "
               "output.",
    .hint = "Output minus target, not target minus output: check the sign where the backward pass starts.",
    .wrong = "dy_hat = 2 * (y - y_hat) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / batch",
    .source = "dennybritz/nn-from-scratch#11",
    .factor = sign_flipped,
};

enum { NORMALIZATIONS = 5 };

static double wrong_normalization(const struct pass *pass, size_t variant)
{
    bool sum = pass->network->definition->reduction == REDUCTION_SUM;
    double batch = (double)pass->batch, out = (double)network_output(pass->network)->out_size;
    const double factors[NORMALIZATIONS] = {out, 1 / out, batch / out, out / batch, sum ? 1 / (batch * out) : 1};
    return factors[variant];
}

const struct mistake mistake_wrong_normalization = {
    .id = "wrong_normalization",
    .step = STEP_LOSS,
    .rank = 4,
    .summary = "divided by the batch where the mean is over every element, or the other way round",
    .message = "The gradient of the loss is divided by the wrong number: everything is {factor} times what it "
               "should be. The reduction {reduction} of {loss} divides by {divisor}.",
    .hint = "Check whether the mean runs over the samples or over every element of the output.",
    .wrong = "dy_hat = 2 * (y_hat - y) / batch",
    .right = "dy_hat = 2 * (y_hat - y) / y_hat.size",
    .factor = wrong_normalization,
    .variants = NORMALIZATIONS,
};

/* ---- another loss's gradient ---- */

static void subtract_target(const struct pass *pass, const double *p, double *error)
{
    const double *t = pass->target;
    for (size_t i = 0; i < pass->batch * network_output(pass->network)->out_size; i++)
        error[i] = p[i] - t[i];
}

/* Output minus target, times 1 or 2, over the batch or as the reduction has it. */
static void add_error_scales(const struct pass *pass, struct loss_direction *d)
{
    double scale = network_scale(pass->network, pass->batch), batch = (double)pass->batch;
    double per_sample = (double)network_output(pass->network)->out_size;
    const double scales[] = {scale, 1 / batch, 1 / (batch * per_sample)};
    for (size_t i = 0; i < 3; i++) {
        direction_add_scale(d, scales[i]);
        direction_add_scale(d, 2 * scales[i]);
    }
}

static bool takes_logits(const struct layer *loss)
{
    const struct op *op = loss->op;
    return op->goes_with != NULL && (op->on_probabilities == NULL || !op->on_probabilities(loss->attributes));
}

/* An activation's call on the network's output, as if it stood behind it. */
static struct op_call call_behind(const struct pass *pass, const char *activation, double *y)
{
    static const double none[OP_ATTRIBUTES_MAX];
    const struct node *last = network_output(pass->network);
    return (struct op_call){.op = ops_find(activation, false),
                            .backend = pass->backend,
                            .attributes = none,
                            .batch = pass->batch,
                            .in = &last->out,
                            .out = &last->out,
                            .x = pass->y[pass->network->node_count - 1],
                            .y = y};
}

enum { PLAIN, ON_PROBABILITIES, SHORTCUTS };

static bool cross_entropy_shortcut(const struct pass *pass, struct loss_direction *d)
{
    const struct node *last = network_output(pass->network);
    const struct layer *loss = &pass->network->definition->loss;
    const double *p = pass->y[pass->network->node_count - 1];
    bool after_its_own = loss->op->goes_with != NULL && strcmp(last->layer->op->name, loss->op->goes_with) == 0;
    if (takes_logits(loss) || after_its_own) return false; /* there it is right */
    if (d->variant == ON_PROBABILITIES) {
        struct op_call softmax = call_behind(pass, "softmax", d->room);
        if (last->layer->op == softmax.op || softmax.op->forward(&softmax) != CODE_OK) return false;
        p = d->room;
    }
    subtract_target(pass, p, d->value);
    d->past = last->layer->op->kind == OP_ACTIVATION;
    add_error_scales(pass, d);
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
};

/* A squared error of the output, or of the probabilities that it stands for. */
static bool mse_shortcut(const struct pass *pass, struct loss_direction *d)
{
    const struct layer *loss = &pass->network->definition->loss;
    if (d->variant == ON_PROBABILITIES) {
        if (!takes_logits(loss)) return false;
        double *q = d->room, *error = d->room + pass->batch * network_output(pass->network)->out_size;
        struct op_call activation = call_behind(pass, loss->op->goes_with, q);
        activation.dy = error;
        activation.dx = d->value;
        if (activation.op->forward(&activation) != CODE_OK) return false;
        subtract_target(pass, q, error);
        if (activation.op->backward(&activation) != CODE_OK) return false;
    } else {
        subtract_target(pass, pass->y[pass->network->node_count - 1], d->value);
    }
    add_error_scales(pass, d);
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
};

/* ---- the targets ---- */

/* The gradient against every target, averaged: what [n,1] - [n] comes to. */
static bool target_broadcast(const struct pass *pass, struct loss_direction *d)
{
    const struct layer *loss = &pass->network->definition->loss;
    size_t n = pass->batch;
    if (network_output(pass->network)->out_size != 1 || n < 2 || loss->op->target != TARGET_LIKE_OUTPUT) return false;
    const double *p = pass->y[pass->network->node_count - 1], *t = pass->target;
    for (size_t i = 0; i < n; i++) {
        double sum = 0, one = 0;
        for (size_t j = 0; j < n; j++) {
            pass->backend->loss_gradient(loss->op->loss, loss->attributes[0], 1, 1, &p[i], &t[j], &one);
            sum += one;
        }
        d->value[i] = sum / (double)n;
    }
    double scale = network_scale(pass->network, n);
    direction_add_scale(d, scale);
    direction_add_scale(d, scale * (double)n);
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
    .message = "{dW} lacks the gradient of the regularization: l2 * {W} has to be added.",
    .hint = "The loss has a term l2/2 * sum(W**2); differentiate it too.",
    .wrong = "dW = x.T @ dz",
    .right = "dW = x.T @ dz + l2 * W",
    .source = "Burton2000/CS231n-2017#9",
};

const struct mistake mistake_regularization_sign = {
    .id = "regularization_sign",
    .step = STEP_LOSS,
    .rank = 12,
    .summary = "dW - l2 * W",
    .message = "The gradient of the regularization was subtracted from {dW} instead of added.",
    .hint = "The penalty l2/2 * sum(W**2) grows with the weights: its gradient is +l2 * W.",
    .wrong = "dW = x.T @ dz - l2 * W",
    .right = "dW = x.T @ dz + l2 * W",
    .source = "andersbll/nnet#4",
};

const struct mistake mistake_bias_regularized = {
    .id = "bias_regularized",
    .step = STEP_LOSS,
    .rank = 11,
    .summary = "db + l2 * b",
    .message = "l2 * {b} was added to {db}, but the regularization here is over the weights only.",
    .hint = "The penalty of this loss does not hold the biases.",
    .wrong = "db = dz.sum(axis=0) + l2 * b",
    .right = "db = dz.sum(axis=0)",
    .source = "JWarmenhoven/Coursera-Machine-Learning#3",
};

const struct mistake_family mistakes_of_losses = {
    .before = (const struct mistake *const[]){&mistake_not_averaged_over_batch, &mistake_averaged_twice,
                                              &mistake_cross_entropy_shortcut, NULL},
    .after = (const struct mistake *const[]){&mistake_sign_flipped, &mistake_wrong_normalization,
                                             &mistake_target_broadcast, &mistake_single_sample, NULL},
};
