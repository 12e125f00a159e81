/* What goes wrong in a step as a whole. Notation: w the parameter, g its gradient. */
#include "core/train/update_slips.h"

/* ---- the step as a whole ---- */

static bool put_sign(struct step_plan *plan, size_t variant)
{
    if (variant == 0)
        plan->update.rate = -plan->update.rate;
    else
        plan->gradient = -plan->gradient;
    return plan->update.rate != 0;
}

static const char *sign_words(size_t variant)
{
    return variant == 0 ? "the step is added to w instead of taken from it" : "the gradient enters with the other sign";
}

const struct mistake mistake_update_sign = {
    .id = "update_sign",
    .step = STEP_UPDATE,
    .rank = 1,
    .summary = "a step up the gradient instead of down",
    .message = "The update goes up the gradient: {used}. The loss grows so.",
    .hint = "Descent takes the step from the parameter: w -= lr * g.",
    .wrong = "w += lr * g",
    .right = "w -= lr * g",
    .variants = 2,
    .variant_words = sign_words,
};

static bool put_rate_missing(struct step_plan *plan, size_t variant)
{
    double lr = plan->optimizer->attributes[0]; /* each optimizer's first */
    (void)variant;
    if (!(lr > 0) || lr == 1) return false;
    plan->update.rate /= lr;
    return true;
}

const struct mistake mistake_learning_rate_missing = {
    .id = "learning_rate_missing",
    .step = STEP_UPDATE,
    .rank = 3,
    .summary = "the step is not multiplied by the learning rate",
    .message = "The whole step was taken: it is not multiplied by the learning rate.",
    .hint = "Multiply the step by lr before it is taken from the parameter.",
    .wrong = "w -= g",
    .right = "w -= lr * g",
};

static bool put_unchanged(struct step_plan *plan, size_t variant)
{
    (void)variant;
    plan->outcome = OUTCOME_UNCHANGED;
    return true;
}

const struct mistake mistake_parameter_not_updated = {
    .id = "parameter_not_updated",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "the parameter is what it was before the step",
    .message = "The parameter is what it was before the step: nothing was taken from it.",
    .hint = "Look for an update of a copy, a local name that nobody reads, or for a return of the old value.",
    .wrong = "w_new = w",
    .right = "w_new = w - lr * g",
};

static bool put_step_alone(struct step_plan *plan, size_t variant)
{
    plan->outcome = variant == 0 ? OUTCOME_STEP_NEGATED : OUTCOME_STEP;
    return true;
}

static const char *step_words(size_t variant)
{
    return variant == 0 ? "what is to be taken from w" : "the change of w";
}

const struct mistake mistake_update_for_parameter = {
    .id = "update_for_parameter",
    .step = STEP_UPDATE,
    .rank = 6,
    .summary = "the step itself in place of the parameter",
    .message = "In place of the updated parameter stands the step itself: {used}.",
    .hint = "Return w after the step, not what was taken from it.",
    .wrong = "w_new = lr * g",
    .right = "w_new = w - lr * g",
    .variants = 2,
    .variant_words = step_words,
};

const struct update_slip step_slips[] = {
    {&mistake_update_sign, 0, put_sign},
    {&mistake_parameter_not_updated, 0, put_unchanged},
    {&mistake_update_sign, 1, put_sign},
    {&mistake_learning_rate_missing, 0, put_rate_missing},
    {&mistake_update_for_parameter, 0, put_step_alone},
    {&mistake_update_for_parameter, 1, put_step_alone},
    {NULL, 0, NULL},
};
