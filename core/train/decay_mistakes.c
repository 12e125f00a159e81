/* What goes wrong in weight decay. */
#include "core/train/update_slips.h"

/* ---- weight decay ---- */

static double decay_of(const struct step_plan *plan)
{
    bool decoupled = plan->update.shrink != 0 && plan->update.shrink != 1;
    double lr = plan->optimizer->attributes[0];
    return decoupled && lr > 0 ? (1 - plan->update.shrink) / lr : 0;
}

static bool put_coupled(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!step_plan_is_adam(plan) || decay_of(plan) == 0) return false;
    plan->update.weight_decay = decay_of(plan);
    plan->update.shrink = 1;
    return true;
}

const struct mistake mistake_l2_for_decoupled_decay = {
    .id = "l2_for_decoupled_decay",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "weight decay is added to the gradient, as Adam does it, where AdamW has it apart",
    .message =
        "The weight decay was added to the gradient, and so goes through the moments. AdamW takes it from the weight "
        "directly.",
    .hint = "w *= 1 - lr * weight_decay first, then Adam's step with the gradient as it is.",
    .wrong = "g = g + weight_decay * w",
    .right = "w *= 1 - lr * weight_decay",
};

static bool put_decoupled(struct step_plan *plan, size_t variant)
{
    double lr = plan->optimizer->attributes[0];
    (void)variant;
    if (!step_plan_is_adam(plan) || plan->update.weight_decay == 0 || plan->update.shrink != 1) return false;
    plan->update.shrink = 1 - lr * plan->update.weight_decay;
    plan->update.weight_decay = 0;
    return true;
}

const struct mistake mistake_decoupled_decay_for_l2 = {
    .id = "decoupled_decay_for_l2",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "weight decay is taken from the weight, as AdamW does it, where Adam adds it to the gradient",
    .message =
        "The weight decay was taken from the weight directly, as AdamW does it. Here it is part of the gradient.",
    .hint = "g = g + weight_decay * w comes first, and goes through the moments; or ask for adamw.",
    .wrong = "w *= 1 - lr * weight_decay",
    .right = "g = g + weight_decay * w",
};

static bool put_decay_missing(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (plan->update.weight_decay == 0 && decay_of(plan) == 0) return false;
    plan->update.weight_decay = 0;
    plan->update.shrink = 1;
    return true;
}

const struct mistake mistake_weight_decay_missing = {
    .id = "weight_decay_missing",
    .step = STEP_UPDATE,
    .rank = 1,
    .summary = "no weight decay",
    .message = "The weight decay is left out.",
    .hint = "Add weight_decay * w to the gradient; AdamW: w *= 1 - lr * weight_decay.",
    .wrong = "w -= lr * g",
    .right = "w -= lr * (g + weight_decay * w)",
};

static bool put_decay_sign(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (plan->update.weight_decay == 0 && decay_of(plan) == 0) return false;
    if (plan->update.shrink != 0) plan->update.shrink = 2 - plan->update.shrink;
    plan->update.weight_decay = -plan->update.weight_decay;
    return true;
}

const struct mistake mistake_weight_decay_sign = {
    .id = "weight_decay_sign",
    .step = STEP_UPDATE,
    .rank = 3,
    .summary = "weight decay with the other sign",
    .message = "The weight decay has the other sign: it makes weights larger.",
    .hint = "Decay makes a weight smaller: g + weight_decay * w, or w *= 1 - lr * weight_decay.",
    .wrong = "g = g - weight_decay * w",
    .right = "g = g + weight_decay * w",
};

static bool put_decay_without_rate(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!step_plan_is_adam(plan) || decay_of(plan) == 0) return false;
    plan->update.shrink = 1 - decay_of(plan);
    return true;
}

const struct mistake mistake_decay_without_learning_rate = {
    .id = "decay_without_learning_rate",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "AdamW's decay is not multiplied by the learning rate",
    .message = "The decay is not multiplied by the learning rate: w loses weight_decay of itself in every step.",
    .hint = "PyTorch's AdamW: w *= 1 - lr * weight_decay.",
    .wrong = "w *= 1 - weight_decay",
    .right = "w *= 1 - lr * weight_decay",
};

const struct update_slip decay_slips[] = {
    {&mistake_weight_decay_missing, 0, put_decay_missing},
    {&mistake_l2_for_decoupled_decay, 0, put_coupled},
    {&mistake_decoupled_decay_for_l2, 0, put_decoupled},
    {&mistake_decay_without_learning_rate, 0, put_decay_without_rate},
    {&mistake_weight_decay_sign, 0, put_decay_sign},
    {NULL, 0, NULL},
};
