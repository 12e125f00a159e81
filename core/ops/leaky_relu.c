#include <math.h>

#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

static const struct op_case cases[] = {UNARY_CASES,
                                       {.count = 1, .in = {{2, {3, 4}}}, .set = {{"negative_slope", 0.3}}},
                                       {.count = 1, .in = {{3, {3, 2, 3}}}, .set = {{"negative_slope", 1.7}}},
                                       {.count = 0}};

const struct op op_leaky_relu = {
    .name = "leaky_relu",
    .summary = "x for x > 0, else negative_slope * x",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "negative_slope", .kind = ATTRIBUTE_REAL, .fallback = 0.01, .least = -HUGE_VAL}},
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_leaky_relu,
    .kink = KINK_INPUT,
    .mistakes = (const struct mistake *const[]){&mistake_relu_gradient_at_zero, &mistake_mask_from_gradient, NULL},
    .cases = cases,
};
