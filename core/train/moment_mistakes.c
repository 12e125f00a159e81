/* What goes wrong in running means and what is divided by them. Notation: m and v the moments of Adam, t the step. */
#include "core/train/update_slips.h"

#include <math.h>

/* Adam's first or second moment, or both: the parts that a mistake may be made in. */
enum part { PART_BOTH, PART_FIRST, PART_SECOND, PART_COUNT };

static const char *part_words(size_t part)
{
    static const char *const words[] = {"both moments", "the first moment", "the second moment"};
    return words[part];
}

/* ---- Adam's bias correction ---- */

static double correction_of(double keep, double t)
{
    return 1 - pow(keep, t);
}

/* Both corrections as they are to be. */
static void correct(struct step_plan *plan, double first, double second)
{
    plan->update.rate = copysign(plan->optimizer->attributes[0], plan->update.rate) / first;
    plan->update.correction = sqrt(second);
}

static bool put_correction_missing(struct step_plan *plan, size_t variant)
{
    const struct update *u = &plan->update;
    double t = (double)plan->step;
    if (!step_plan_is_adam(plan)) return false;
    correct(plan, variant == PART_SECOND ? correction_of(u->keep, t) : 1,
            variant == PART_FIRST ? correction_of(u->keep_square, t) : 1);
    return true;
}

const struct mistake mistake_bias_correction_missing = {
    .id = "bias_correction_missing",
    .step = STEP_UPDATE,
    .rank = 1,
    .summary = "Adam's moments are not corrected for their start at 0",
    .message =
        "The bias correction of {used} is left out: the moments start at 0 and are too small in the first steps.",
    .hint = "Divide m by 1 - beta1**t and v by 1 - beta2**t, t counting steps from 1, before they are used.",
    .wrong = "w -= lr * m / (np.sqrt(v) + eps)",
    .right = "w -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)",
    .variants = PART_COUNT,
    .variant_words = part_words,
};

static bool put_correction_exchanged(struct step_plan *plan, size_t variant)
{
    const struct update *u = &plan->update;
    double t = (double)plan->step, by_first = correction_of(u->keep, t), by_second = correction_of(u->keep_square, t);
    if (!step_plan_is_adam(plan) || by_first == by_second) return false;
    correct(plan, variant == 1 ? by_first : by_second, variant == 2 ? by_second : by_first);
    return true;
}

static const char *exchange_words(size_t variant)
{
    static const char *const words[] = {"m is corrected with beta2 and v with beta1",
                                        "v is corrected with beta1, as m is", "m is corrected with beta2, as v is"};
    return words[variant];
}

const struct mistake mistake_bias_correction_exchanged = {
    .id = "bias_correction_exchanged",
    .step = STEP_UPDATE,
    .rank = 4,
    .summary = "the bias correction of the other moment",
    .message = "The bias correction is that of the other moment: {used}.",
    .hint = "beta1 belongs to m, beta2 to v, in the running means as in their corrections.",
    .wrong = "m_hat = m / (1 - beta2**t)",
    .right = "m_hat = m / (1 - beta1**t)",
    .variants = 3,
    .variant_words = exchange_words,
};

static bool put_correction_stored(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!step_plan_is_adam(plan)) return false;
    plan->stores_corrected = true;
    return true;
}

const struct mistake mistake_bias_correction_stored = {
    .id = "bias_correction_stored",
    .step = STEP_UPDATE,
    .rank = 2,
    .summary = "the corrected moments are kept as the state",
    .message = "The moments were overwritten by their corrected values, from which the next step would go on.",
    .hint = "Keep m and v as they are, and correct copies of them: m_hat, v_hat.",
    .wrong = "m = m / (1 - beta1**t)",
    .right = "m_hat = m / (1 - beta1**t)",
};

static bool put_step_miscounted(struct step_plan *plan, size_t variant)
{
    const struct update *u = &plan->update;
    if (!step_plan_is_adam(plan) || (variant == 0 && plan->step < 2)) return false;
    double t = (double)plan->step + (variant == 0 ? -1 : 1);
    correct(plan, correction_of(u->keep, t), correction_of(u->keep_square, t));
    return true;
}

static const char *count_words(size_t variant)
{
    return variant == 0 ? "one too few" : "one too many";
}

const struct mistake mistake_step_miscounted = {
    .id = "step_miscounted",
    .step = STEP_UPDATE,
    .rank = 3,
    .summary = "the bias correction is that of another step",
    .message = "The bias correction counts {used}: t is the number of this step, the first one being 1.",
    .hint = "Count the step before its correction is computed: t += 1 comes first, once a step.",
    .wrong = "m_hat = m / (1 - beta1**(t - 1))",
    .right = "m_hat = m / (1 - beta1**t)",
    .variants = 2,
    .variant_words = count_words,
};

/* ---- the divisor ---- */

/* The parameter is divided by the root of the second state, and nothing behind that depends on it. */
static bool has_divisor(const struct step_plan *plan)
{
    return plan->update.uses_second && plan->update.rule != UPDATE_rmsprop_momentum && plan->divisor == DIVISOR_USUAL &&
           !plan->old_velocity;
}

static bool put_epsilon_in_root(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!has_divisor(plan) || plan->update.epsilon == 0) return false;
    plan->divisor = DIVISOR_EPSILON_INSIDE;
    return true;
}

const struct mistake mistake_epsilon_in_root = {
    .id = "epsilon_in_root",
    .step = STEP_UPDATE,
    .rank = 3,
    .summary = "epsilon is added under the root",
    .message = "eps stands under the root: sqrt(v + eps). PyTorch's optimizers add it behind: sqrt(v) + eps.",
    .hint = "Take the root first, then add eps.",
    .wrong = "w -= lr * g / np.sqrt(v + eps)",
    .right = "w -= lr * g / (np.sqrt(v) + eps)",
};

static bool put_root_missing(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!has_divisor(plan)) return false;
    plan->divisor = DIVISOR_WITHOUT_ROOT;
    return true;
}

const struct mistake mistake_root_missing = {
    .id = "root_missing",
    .step = STEP_UPDATE,
    .rank = 3,
    .summary = "divided by the mean of squares instead of its root",
    .message = "The step is divided by the squares' mean (or sum) itself, not by its root.",
    .hint = "Divide by np.sqrt(v) + eps.",
    .wrong = "w -= lr * g / (v + eps)",
    .right = "w -= lr * g / (np.sqrt(v) + eps)",
};

/* ---- running means ---- */

static bool put_betas_exchanged(struct step_plan *plan, size_t variant)
{
    struct update *u = &plan->update;
    double first = u->keep, second = u->keep_square, t = (double)plan->step;
    (void)variant;
    if (!step_plan_is_adam(plan) || first == second) return false;
    u->keep = second;
    u->add = 1 - second;
    u->keep_square = first;
    u->add_square = 1 - first;
    correct(plan, correction_of(second, t), correction_of(first, t));
    return true;
}

const struct mistake mistake_betas_exchanged = {
    .id = "betas_exchanged",
    .step = STEP_UPDATE,
    .rank = 4,
    .summary = "beta1 and beta2 are exchanged",
    .message = "beta1 and beta2 are exchanged, in the running means and in their corrections.",
    .hint = "betas[0] belongs to m, betas[1] to v.",
    .wrong = "beta2, beta1 = betas",
    .right = "beta1, beta2 = betas",
};

/* Whether a part is a running mean of this rule. */
static bool has_mean(const struct step_plan *plan, size_t part)
{
    bool square =
        step_plan_is_adam(plan) || plan->update.rule == UPDATE_rmsprop || plan->update.rule == UPDATE_rmsprop_momentum;
    return part == PART_SECOND ? square : step_plan_is_adam(plan);
}

static bool put_factors_exchanged(struct step_plan *plan, size_t variant)
{
    struct update *u = &plan->update;
    bool first = variant != PART_SECOND, second = variant != PART_FIRST;
    if (!has_mean(plan, variant) || (variant == PART_BOTH && !step_plan_is_adam(plan))) return false;
    double keep = u->keep, keep_square = u->keep_square;
    if (first) u->keep = u->add;
    if (first) u->add = keep;
    if (second) u->keep_square = u->add_square;
    if (second) u->add_square = keep_square;
    return (first && u->keep != keep) || (second && u->keep_square != keep_square);
}

const struct mistake mistake_moment_factors_exchanged = {
    .id = "moment_factors_exchanged",
    .step = STEP_UPDATE,
    .rank = 4,
    .summary = "beta and 1 - beta are exchanged in a running mean",
    .message =
        "In the running mean of {used} the factors are exchanged: the old value is to keep beta, the new one gets "
        "1 - beta.",
    .hint = "A running mean moves slowly: most of it is what it was before.",
    .wrong = "m = (1 - beta1) * m + beta1 * g",
    .right = "m = beta1 * m + (1 - beta1) * g",
    .variants = PART_COUNT,
    .variant_words = part_words,
};

static bool put_factor_missing(struct step_plan *plan, size_t variant)
{
    struct update *u = &plan->update;
    bool first = variant != PART_SECOND, second = variant != PART_FIRST;
    if (!has_mean(plan, variant) || (variant == PART_BOTH && !step_plan_is_adam(plan))) return false;
    bool changes = (first && u->add != 1) || (second && u->add_square != 1);
    if (first) u->add = 1;
    if (second) u->add_square = 1;
    return changes;
}

const struct mistake mistake_moment_factor_missing = {
    .id = "moment_factor_missing",
    .step = STEP_UPDATE,
    .rank = 4,
    .summary = "a running mean without the factor 1 - beta",
    .message = "In the running mean of {used} the new value is not multiplied by 1 - beta: that is a sum, not a mean.",
    .hint = "The two factors of a running mean add up to 1.",
    .wrong = "m = beta1 * m + g",
    .right = "m = beta1 * m + (1 - beta1) * g",
    .variants = PART_COUNT,
    .variant_words = part_words,
};

static bool put_not_decayed(struct step_plan *plan, size_t variant)
{
    struct update *u = &plan->update;
    (void)variant;
    if (u->rule != UPDATE_rmsprop && u->rule != UPDATE_rmsprop_momentum) return false;
    u->keep_square = u->add_square = 1;
    return true;
}

const struct mistake mistake_cache_not_decayed = {
    .id = "cache_not_decayed",
    .step = STEP_UPDATE,
    .rank = 3,
    .summary = "the squares are summed up, as in AdaGrad, instead of averaged",
    .message = "All squares are added up, as AdaGrad does it; RMSprop keeps a running mean of them.",
    .hint = "v = alpha * v + (1 - alpha) * g**2.",
    .wrong = "v += g**2",
    .right = "v = alpha * v + (1 - alpha) * g**2",
};

static bool put_forgotten(struct step_plan *plan, size_t variant)
{
    (void)variant;
    if (!plan->update.uses_first && !plan->update.uses_second) return false;
    plan->forgets = true;
    return true;
}

const struct mistake mistake_state_forgotten = {
    .id = "state_forgotten",
    .step = STEP_UPDATE,
    .rank = 4,
    .summary = "the state of the steps before is not used",
    .message =
        "The step starts from the state that the first one starts from, instead of from that of the step before.",
    .hint = "Create the state once, and hand it from step to step.",
    .wrong = "m = np.zeros_like(w)  # in every step",
    .right = "m = state['m']",
};

const struct update_slip moment_slips[] = {
    {&mistake_bias_correction_missing, PART_BOTH, put_correction_missing},
    {&mistake_bias_correction_missing, PART_FIRST, put_correction_missing},
    {&mistake_bias_correction_missing, PART_SECOND, put_correction_missing},
    {&mistake_bias_correction_stored, 0, put_correction_stored},
    {&mistake_step_miscounted, 0, put_step_miscounted},
    {&mistake_step_miscounted, 1, put_step_miscounted},
    {&mistake_epsilon_in_root, 0, put_epsilon_in_root},
    {&mistake_root_missing, 0, put_root_missing},
    {&mistake_cache_not_decayed, 0, put_not_decayed},
    {&mistake_betas_exchanged, 0, put_betas_exchanged},
    {&mistake_bias_correction_exchanged, 0, put_correction_exchanged},
    {&mistake_bias_correction_exchanged, 1, put_correction_exchanged},
    {&mistake_bias_correction_exchanged, 2, put_correction_exchanged},
    {&mistake_moment_factors_exchanged, PART_BOTH, put_factors_exchanged},
    {&mistake_moment_factors_exchanged, PART_FIRST, put_factors_exchanged},
    {&mistake_moment_factors_exchanged, PART_SECOND, put_factors_exchanged},
    {&mistake_moment_factor_missing, PART_BOTH, put_factor_missing},
    {&mistake_moment_factor_missing, PART_FIRST, put_factor_missing},
    {&mistake_moment_factor_missing, PART_SECOND, put_factor_missing},
    {&mistake_state_forgotten, 0, put_forgotten},
    {NULL, 0, NULL},
};
