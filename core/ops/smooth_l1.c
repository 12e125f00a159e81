#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

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

const struct op op_smooth_l1 = {
    .name = "smooth_l1",
    .summary = "e**2 / (2 * beta) where |e| < beta, else |e| - beta / 2, with e = y_hat - y",
    .kind = OP_LOSS,
    .attributes = {{.name = "beta", .kind = ATTRIBUTE_REAL, .fallback = 1}},
    .slots = loss_slots,
    .plan = loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .loss = LOSS_smooth_l1,
    .kink = KINK_ERROR,
    .kinks = kinks,
    .mistakes = (const struct mistake *const[]){&mistake_l1_sign_lost, NULL},
    .cases = cases,
};
