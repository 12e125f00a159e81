/* Wrong gradients of the loss: directions, the right one first. */
#include <math.h>
#include <string.h>

#include "core/mistake.h"

enum { RIGHT, SHORTCUT, SHORTCUT_SOFTMAX, SQUARED, SQUARED_ON_PROBABILITIES, BCE_TERM, SIGN_LOST, BROADCAST, SAMPLES };

/* Of a batch larger than that only the first and the last samples are tried alone. */
enum { SAMPLES_MAX = 64 };

static bool is_loss(const struct pass *pass, const char *name)
{
    return strcmp(pass->network->definition->loss.op->name, name) == 0;
}

static bool is_elementwise(const struct pass *pass)
{
    return pass->network->definition->loss.op->target == TARGET_LIKE_OUTPUT;
}

/* Whether output minus target is the right gradient at the input of the last activation, or at the output itself. */
static bool shortcut_is_right(const struct pass *pass, const struct op *last)
{
    bool probabilities = is_loss(pass, "cross_entropy") && pass->network->definition->loss.attributes[0] > 0;
    return (is_loss(pass, "bce") && strcmp(last->name, "sigmoid") == 0) ||
           (probabilities && strcmp(last->name, "softmax") == 0) || is_loss(pass, "bce_with_logits") ||
           (is_loss(pass, "cross_entropy") && !probabilities);
}

static void add_scale(struct loss_direction *d, double scale)
{
    for (size_t i = 0; i < d->scale_count; i++)
        if (fabs(d->scales[i] - scale) <= 1e-12 * fabs(scale)) return;
    if (d->scale_count < LOSS_SCALES_MAX) d->scales[d->scale_count++] = scale;
}

/* Output minus target, times 1 or 2, over the batch or as the reduction has it. */
static void add_error_scales(const struct pass *pass, struct loss_direction *d)
{
    double scale = network_scale(pass->network, pass->batch), batch = (double)pass->batch;
    double per_sample = (double)network_output(pass->network)->out_size;
    const double scales[] = {scale, 1 / batch, 1 / (batch * per_sample)};
    for (size_t i = 0; i < 3; i++) {
        add_scale(d, scales[i]);
        add_scale(d, 2 * scales[i]);
    }
}

/* softmax(p) or, for a binary loss, sigmoid(p), into to. */
static void probabilities(const struct pass *pass, const double *p, double *to)
{
    size_t width = network_output(pass->network)->out_size, n = pass->batch * width;
    if (is_loss(pass, "bce_with_logits"))
        pass->backend->map(MAP_sigmoid, 0, n, p, to);
    else
        pass->backend->softmax(false, pass->batch, width, p, to);
}

static enum rule_outcome make_shortcut(const struct pass *pass, bool softmax, struct loss_direction *d)
{
    const struct node *last = network_output(pass->network);
    size_t n = pass->batch * last->out_size;
    const double *p = pass->y[pass->network->node_count - 1], *t = pass->target;
    if (shortcut_is_right(pass, last->layer->op) || (softmax && strcmp(last->layer->op->name, "softmax") == 0))
        return RULE_SKIP;
    d->mistake = &mistake_cross_entropy_shortcut;
    d->past = last->layer->op->kind == OP_ACTIVATION;
    if (softmax)
        probabilities(pass, p, d->value);
    else
        memcpy(d->value, p, n * sizeof *p);
    for (size_t i = 0; i < n; i++)
        d->value[i] -= t[i];
    add_error_scales(pass, d);
    return RULE_MADE;
}

/* A squared error of the output, or of the probabilities that it stands for. */
static enum rule_outcome make_squared(const struct pass *pass, bool on_probabilities, struct loss_direction *d)
{
    size_t width = network_output(pass->network)->out_size, n = pass->batch * width;
    const double *p = pass->y[pass->network->node_count - 1], *t = pass->target;
    bool binary = is_loss(pass, "bce_with_logits"),
         logits = binary || (is_loss(pass, "cross_entropy") && pass->network->definition->loss.attributes[0] == 0);
    if (!logits && !is_loss(pass, "cross_entropy") && !is_loss(pass, "bce") && !is_loss(pass, "nll")) return RULE_SKIP;
    if (on_probabilities && !logits) return RULE_SKIP;
    d->mistake = &mistake_mse_shortcut;
    if (on_probabilities) {
        double *error = d->room;
        probabilities(pass, p, d->value);
        for (size_t i = 0; i < n; i++)
            error[i] = d->value[i] - t[i];
        for (size_t i = 0; binary && i < n; i++)
            d->value[i] = error[i] * d->value[i] * (1 - d->value[i]);
        if (!binary) {
            double *q = d->room + n;
            memcpy(q, d->value, n * sizeof *q);
            pass->backend->softmax_gradient(false, pass->batch, width, q, error, d->value);
        }
    }
    for (size_t i = 0; !on_probabilities && i < n; i++)
        d->value[i] = p[i] - t[i];
    add_error_scales(pass, d);
    return RULE_MADE;
}

/* The y term alone: -y/y_hat, or on logits -y (1 - s(z)). */
static enum rule_outcome make_bce_term(const struct pass *pass, struct loss_direction *d)
{
    size_t n = pass->batch * network_output(pass->network)->out_size;
    const double *p = pass->y[pass->network->node_count - 1], *t = pass->target;
    bool logits = is_loss(pass, "bce_with_logits");
    if (!logits && !is_loss(pass, "bce")) return RULE_SKIP;
    d->mistake = &mistake_missing_bce_term;
    for (size_t i = 0; i < n; i++)
        d->value[i] = logits ? -t[i] / (1 + exp(p[i])) : t[i] != 0 ? -t[i] / fmax(p[i], 1e-12) : 0;
    add_scale(d, network_scale(pass->network, pass->batch));
    return RULE_MADE;
}

static enum rule_outcome make_sign_lost(const struct pass *pass, struct loss_direction *d)
{
    size_t n = pass->batch * network_output(pass->network)->out_size;
    if (!is_loss(pass, "l1") && !is_loss(pass, "smooth_l1") && !is_loss(pass, "huber")) return RULE_SKIP;
    d->mistake = &mistake_l1_sign_lost;
    /* Where the slope is that of |e|; the quadratic middle of the others keeps its sign. */
    double steepest = is_loss(pass, "huber") ? pass->network->definition->loss.attributes[0] : 1;
    for (size_t i = 0; i < n; i++)
        if (is_loss(pass, "l1") || fabs(d->value[i]) >= steepest * (1 - 1e-12)) d->value[i] = steepest;
    add_scale(d, network_scale(pass->network, pass->batch));
    return RULE_MADE;
}

/* The gradient against every target, averaged: what [n,1] - [n] comes to. */
static enum rule_outcome make_broadcast(const struct pass *pass, struct loss_direction *d)
{
    const struct layer *loss = &pass->network->definition->loss;
    if (network_output(pass->network)->out_size != 1 || pass->batch < 2 || !is_elementwise(pass)) return RULE_SKIP;
    size_t n = pass->batch;
    const double *p = pass->y[pass->network->node_count - 1], *t = pass->target;
    d->mistake = &mistake_target_broadcast;
    for (size_t i = 0; i < n; i++) {
        double sum = 0, one = 0;
        for (size_t j = 0; j < n; j++) {
            pass->backend->loss_gradient(loss->op->loss, loss->attributes[0], 1, 1, &p[i], &t[j], &one);
            sum += one;
        }
        d->value[i] = sum / (double)n;
    }
    add_scale(d, network_scale(pass->network, pass->batch));
    add_scale(d, network_scale(pass->network, pass->batch) * (double)n);
    return RULE_MADE;
}

static enum rule_outcome make_sample(const struct pass *pass, size_t sample, struct loss_direction *d)
{
    size_t width = network_output(pass->network)->out_size;
    if (pass->batch < 2) return RULE_SKIP;
    double scale = network_scale(pass->network, pass->batch);
    d->mistake = &mistake_single_sample;
    d->sample = sample;
    for (size_t i = 0; i < pass->batch; i++)
        if (i != sample) memset(d->value + i * width, 0, width * sizeof *d->value);
    add_scale(d, scale);
    add_scale(d, scale * (double)pass->batch);
    return RULE_MADE;
}

enum rule_outcome rules_loss(const struct pass *pass, size_t variant, struct loss_direction *d)
{
    size_t samples = pass->batch < SAMPLES_MAX ? pass->batch : SAMPLES_MAX;
    if (variant >= SAMPLES + samples) return RULE_END;
    const struct node *last = network_output(pass->network);
    double scale = network_scale(pass->network, pass->batch);
    const double *right = pass->dy[pass->network->node_count - 1];
    d->mistake = NULL;
    d->past = false;
    d->scale_count = 0;
    for (size_t i = 0; i < pass->batch * last->out_size; i++)
        d->value[i] = right[i] / scale;
    switch (variant) {
    case RIGHT:
        add_scale(d, scale);
        return RULE_MADE;
    case SHORTCUT:
    case SHORTCUT_SOFTMAX:
        return make_shortcut(pass, variant == SHORTCUT_SOFTMAX, d);
    case SQUARED:
    case SQUARED_ON_PROBABILITIES:
        return make_squared(pass, variant == SQUARED_ON_PROBABILITIES, d);
    case BCE_TERM:
        return make_bce_term(pass, d);
    case SIGN_LOST:
        return make_sign_lost(pass, d);
    case BROADCAST:
        return make_broadcast(pass, d);
    default: {
        size_t sample = variant - SAMPLES; /* of many: the first half and the last */
        if (pass->batch > samples && sample >= samples / 2) sample = pass->batch - samples + sample;
        return make_sample(pass, sample, d);
    }
    }
}
