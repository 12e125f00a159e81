#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"
#include "core/ops/writing.h"

static const struct op_case cases[] = {LOSS_CASES,
                                       {.count = 2, .in = {{2, {3, 4}}}, .set = {{"beta", 0.3}}},
                                       {.count = 2, .in = {{3, {3, 2, 3}}}, .set = {{"beta", 1.7}}},
                                       {.count = 2, .in = {{2, {3, 4}}}, .set = {{"beta", 0}}},
                                       {.count = 0}};

/* Where beta is 0; and a bend within the step of a central difference is as good as one. */
static bool kinks(const double *attributes)
{
    return attributes[0] < 1e-3;
}

/* Of this loss and of huber: where the middle ends; a slope that would go on for ever, or on one side. */
enum { NO_CLAMP, SIGNED, CLAMPS };

static bool clamp_ignored(const struct loss_call *call, struct loss_direction *d)
{
    const struct op_call *loss = call->call;
    const double *p = loss->x[LOSS_PREDICTION], *t = loss->x[LOSS_TARGET];
    double limit = loss->attributes[0], slope = loss->op->loss == LOSS_huber ? 1 : 1 / limit;
    if (!(limit > 0)) return false;
    for (size_t i = 0; i < call->elements; i++) {
        double e = p[i] - t[i];
        bool middle = d->variant == NO_CLAMP || e < limit;
        d->value[i] = middle ? slope * e : slope * limit;
    }
    direction_add_scale(d, call->factor);
    return true;
}

static const char *clamp_words(size_t variant)
{
    return variant == NO_CLAMP ? "nowhere" : "e < limit, where |e| < limit is meant";
}

const struct mistake mistake_clamp_ignored = {
    .id = "clamp_ignored",
    .step = STEP_LOSS,
    .rank = 2,
    .summary = "huber, smooth_l1: the slope of the quadratic middle beyond it",
    .message = "The gradient of {loss} was not limited as it should be: the middle, where the slope grows with the "
               "error e, was ended by: {used}.",
    .hint = "Beyond the limit the loss is a straight line on both sides: compare the absolute value of the error.",
    .wrong = "dy_hat = np.where(e < beta, e / beta, np.sign(e))",
    .right = "dy_hat = np.where(np.abs(e) < beta, e / beta, np.sign(e))",
    .source = "BobMcDear/attorch#13",
    .direction = clamp_ignored,
    .variants = CLAMPS,
    .variant_words = clamp_words,
};

static bool write(struct op_writing *w)
{
    char beta[WRITING_NUMBER];
    writing_number(w->attributes[0], beta);
    if (w->input != 0) return false;
    if (w->attributes[0] == 0) return writing_put(w, "{dy} * np.sign({y_hat} - {y})");
    return writing_put(w, "{dy} * np.clip(({y_hat} - {y}) / %s, -1, 1)", beta);
}

const struct op op_smooth_l1 = {
    .name = "smooth_l1",
    .summary = "e**2 / (2 * beta) where |e| < beta, else |e| - beta / 2, with e = y_hat - y",
    .kind = OP_LOSS,
    .attributes = {{.name = "beta", .kind = ATTRIBUTE_REAL, .fallback = 1}},
    .slots = loss_slots,
    .of_difference = true,
    .plan = loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .write = write,
    .loss = LOSS_smooth_l1,
    .kink = KINK_ERROR,
    .kinks = kinks,
    .mistakes = (const struct mistake *const[]){&mistake_l1_sign_lost, &mistake_clamp_ignored, NULL},
    .cases = cases,
};
