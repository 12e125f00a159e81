/* What goes wrong in a velocity, v. */
#include "core/train/update_slips.h"

/* ---- momentum ---- */

static bool put_other_form(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!step_plan_has_velocity(plan)) return false;
    plan->form = plan->form == VELOCITY_PYTORCH ? VELOCITY_CS231N : VELOCITY_PYTORCH;
    return true;
}

const struct mistake mistake_velocity_form = {
    .id = "velocity_form",
    .step = STEP_UPDATE,
    .rank = 1,
    .summary = "the velocity is kept in the other form, with or without the learning rate",
    .message =
        "The velocity is kept in another form than the one that was asked for: with the learning rate inside it, or "
        "without.",
    .hint = "pytorch: v = momentum * v + g, w -= lr * v; cs231n: v = momentum * v - lr * g, w += v.",
    .wrong = "v = momentum * v - lr * g; w += v",
    .right = "v = momentum * v + g; w -= lr * v",
};

static bool put_dampened(struct step_plan *plan, size_t variant)
{
    struct update *u = &plan->update;
    (void)variant;
    if (!step_plan_has_velocity(plan) || u->add != 1) return false;
    u->add = 1 - u->keep;
    return true;
}

const struct mistake mistake_velocity_dampened = {
    .id = "velocity_dampened",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "the velocity is a running mean, with the factor 1 - momentum",
    .message = "The gradient enters the velocity with the factor 1 - momentum, which nothing asks for here.",
    .hint = "v = momentum * v + g; where the running mean is meant, ask for \"dampening\".",
    .wrong = "v = momentum * v + (1 - momentum) * g",
    .right = "v = momentum * v + g",
};

static bool put_momentum_missing(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!step_plan_has_velocity(plan)) return false;
    plan->update.keep = 0;
    plan->update.add = 1;
    return true;
}

const struct mistake mistake_momentum_missing = {
    .id = "momentum_missing",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "the velocity of the step before is not used",
    .message = "This is the step without momentum: what the velocity was before plays no part.",
    .hint = "v = momentum * v + g comes first, and the parameter follows v.",
    .wrong = "w -= lr * g",
    .right = "w -= lr * v",
};

static bool put_old_velocity(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!step_plan_has_velocity(plan)) return false;
    plan->old_velocity = true;
    return true;
}

const struct mistake mistake_old_velocity_used = {
    .id = "old_velocity_used",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "the parameter follows the velocity of the step before",
    .message = "The parameter was moved by the velocity as it was before this step's gradient entered it.",
    .hint = "Update the velocity first, then the parameter by it.",
    .wrong = "w -= lr * v; v = momentum * v + g",
    .right = "v = momentum * v + g; w -= lr * v",
};

static bool put_nesterov(struct step_plan *plan, size_t wanted)
{
    struct update *u = &plan->update;
    if (!step_plan_has_velocity(plan) || u->nesterov == (wanted > 0)) return false;
    u->nesterov = wanted > 0;
    return true;
}

const struct mistake mistake_nesterov_missing = {
    .id = "nesterov_missing",
    .step = STEP_UPDATE,
    .rank = 1,
    .summary = "plain momentum instead of Nesterov's",
    .message = "This is plain momentum; Nesterov's looks one step ahead.",
    .hint = "w -= lr * (g + momentum * v), v being the new velocity.",
    .wrong = "w -= lr * v",
    .right = "w -= lr * (g + momentum * v)",
};

const struct mistake mistake_nesterov_unasked = {
    .id = "nesterov_unasked",
    .step = STEP_UPDATE,
    .rank = 3,
    .summary = "Nesterov's momentum instead of the plain one",
    .message = "This is Nesterov's momentum; the plain one is asked for.",
    .hint = "w -= lr * v; or ask for \"nesterov\".",
    .wrong = "w -= lr * (g + momentum * v)",
    .right = "w -= lr * v",
};

const struct update_slip momentum_slips[] = {
    {&mistake_nesterov_missing, 0, put_nesterov},
    {&mistake_velocity_form, 0, put_other_form},
    {&mistake_momentum_missing, 0, put_momentum_missing},
    {&mistake_old_velocity_used, 0, put_old_velocity},
    {&mistake_velocity_dampened, 0, put_dampened},
    {&mistake_nesterov_unasked, 1, put_nesterov},
    {NULL, 0, NULL},
};
