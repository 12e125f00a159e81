#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"
#include "core/ops/writing.h"

static const struct op_case cases[] = {LOSS_CASES,
                                       {.count = 2, .in = {{2, {3, 4}}}, .set = {{"delta", 0.3}}},
                                       {.count = 2, .in = {{3, {3, 2, 3}}}, .set = {{"delta", 1.7}}},
                                       {.count = 0}};

static bool write(struct op_writing *w)
{
    char delta[WRITING_NUMBER];
    writing_number(w->attributes[0], delta);
    return w->input == 0 && writing_put(w, "{dy} * np.clip({y_hat} - {y}, -%s, %s)", delta, delta);
}

const struct op op_huber = {
    .name = "huber",
    .summary = "e**2 / 2 where |e| <= delta, else delta * (|e| - delta / 2), with e = y_hat - y",
    .kind = OP_LOSS,
    .attributes = {{.name = "delta", .kind = ATTRIBUTE_REAL, .fallback = 1, .open = true}},
    .slots = loss_slots,
    .of_difference = true,
    .plan = loss_plan,
    .forward = elementwise_loss_forward,
    .backward = elementwise_loss_backward,
    .write = write,
    .loss = LOSS_huber,
    .mistakes = (const struct mistake *const[]){&mistake_l1_sign_lost, &mistake_clamp_ignored, NULL},
    .cases = cases,
};
