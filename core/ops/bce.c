#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

extern const struct op op_sigmoid, op_bce_with_logits;

static bool on_probabilities(const double *attributes)
{
    (void)attributes;
    return true;
}

/* The y term alone: -y/y_hat, or on logits -y (1 - s(z)). */
static bool first_term(const struct loss_call *call, struct loss_direction *d)
{
    bool logits = loss_takes_logits(call->call->op, call->call->attributes);
    const double *p = call->call->x[LOSS_PREDICTION], *t = call->call->x[LOSS_TARGET];
    for (size_t i = 0; i < call->elements; i++)
        d->value[i] = logits ? -t[i] / (1 + exp(p[i])) : t[i] != 0 ? -t[i] / fmax(p[i], 1e-44) : 0;
    direction_add_scale(d, call->factor);
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

/* Behind a sigmoid from its input: where y_hat rounds to 1, its logarithms are lost, and dz = y_hat - y is not. */
static const struct op_join *join(const double *attributes)
{
    static const struct op_join with_sigmoid = {.before = &op_sigmoid, .instead = &op_bce_with_logits};
    (void)attributes;
    return &with_sigmoid;
}

/* The second term with the sign of the first: -(y/y_hat + (1-y)/(1-y_hat)). */
static bool term_sign(const struct loss_call *call, struct loss_direction *d)
{
    bool logits = loss_takes_logits(call->call->op, call->call->attributes);
    const double *p = call->call->x[LOSS_PREDICTION], *t = call->call->x[LOSS_TARGET];
    for (size_t i = 0; i < call->elements; i++) {
        double first = logits ? t[i] / (1 + exp(p[i])) : t[i] != 0 ? t[i] / fmax(p[i], 1e-44) : 0;
        double second = logits ? (1 - t[i]) / (1 + exp(-p[i])) : t[i] != 1 ? (1 - t[i]) / fmax(1 - p[i], 1e-44) : 0;
        d->value[i] = -first - second;
    }
    direction_add_scale(d, call->factor);
    return true;
}

const struct mistake mistake_bce_term_sign = {
    .id = "bce_term_sign",
    .step = STEP_LOSS,
    .rank = 10,
    .summary = "the (1 - y) term of binary cross-entropy with the wrong sign",
    .message = "The term (1 - y) * log(1 - y_hat) of the binary cross-entropy was differentiated with the wrong sign: "
               "its inner derivative is -1.",
    .hint = "d log(1 - y_hat) / dy_hat = -1 / (1 - y_hat).",
    .wrong = "dy_hat = -(y / y_hat + (1 - y) / (1 - y_hat)) / batch",
    .right = "dy_hat = -(y / y_hat - (1 - y) / (1 - y_hat)) / batch",
    .direction = term_sign,
};

static const struct op_case cases[] = {{.count = 2, .in = {{2, {3, 4}}}, .low = 0.05, .high = 0.95},
                                       {.count = 2, .in = {{2, {3, 1}}}, .low = 0.05, .high = 0.95},
                                       {.count = 2, .in = {{3, {3, 2, 3}}}, .low = 0.05, .high = 0.95},
                                       {.count = 0}};

const struct op op_bce = {
    .name = "bce",
    .summary = "-(y * log(y_hat) + (1 - y) * log(1 - y_hat)), on probabilities, each log at least -100; behind a "
               "sigmoid from its input",
    .kind = OP_LOSS,
    .slots = loss_slots,
    .plan = loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .sent = {"{dy} * ({y_hat} - {y}) / ({y_hat} * (1 - {y_hat}))"},
    .loss = LOSS_bce,
    .on_probabilities = on_probabilities,
    .goes_with = &op_sigmoid,
    .join = join,
    .mistakes =
        (const struct mistake *const[]){&mistake_mse_shortcut, &mistake_missing_bce_term, &mistake_bce_term_sign, NULL},
    .cases = cases,
};
