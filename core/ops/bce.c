#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

static bool on_probabilities(const double *attributes)
{
    (void)attributes;
    return true;
}

/* The y term alone: -y/y_hat, or on logits -y (1 - s(z)). */
static bool first_term(const struct pass *pass, struct loss_direction *d)
{
    bool logits = pass->network->definition->loss.op->loss == LOSS_bce_with_logits;
    const double *p = pass->y[pass->network->node_count - 1], *t = pass->target;
    for (size_t i = 0; i < pass->batch * network_output(pass->network)->out_size; i++)
        d->value[i] = logits ? -t[i] / (1 + exp(p[i])) : t[i] != 0 ? -t[i] / fmax(p[i], 1e-12) : 0;
    direction_add_scale(d, network_scale(pass->network, pass->batch));
    return true;
}

const struct mistake mistake_missing_bce_term = {
    .id = "missing_bce_term",
    .step = STEP_LOSS,
    .rank = 9,
    .summary = "only the y term of binary cross-entropy is differentiated",
    .message = "Only the term y * log(y_hat) of the binary cross-entropy was differentiated; (1 - y) * log(1 - "
               "y_hat) is missing.",
    .hint = "Both terms depend on y_hat; for samples with y = 0 it is the second that matters.",
    .wrong = "dy_hat = -(y / y_hat) / batch",
    .right = "dy_hat = -(y / y_hat - (1 - y) / (1 - y_hat)) / batch",
    .source = "deeplearning4j/nd4j#1320",
    .direction = first_term,
};

const struct op op_bce = {
    .name = "bce",
    .summary = "-(y * log(y_hat) + (1 - y) * log(1 - y_hat)), on probabilities, each log at least -100",
    .kind = OP_LOSS,
    .plan = elementwise_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .loss = LOSS_bce,
    .on_probabilities = on_probabilities,
    .test_low = 0.05,
    .test_high = 0.95,
    .goes_with = "sigmoid",
    .mistakes = (const struct mistake *const[]){&mistake_mse_shortcut, &mistake_missing_bce_term, NULL},
};
