#include <math.h>

#include "core/ops/elementwise.h"

static const struct op_case cases[] = {UNARY_CASES,
                                       {.count = 1, .in = {{2, {3, 4}}}, .set = {{"alpha", 0.3}}},
                                       {.count = 1, .in = {{3, {3, 2, 3}}}, .set = {{"alpha", 1.7}}},
                                       {.count = 0}};

const struct op op_elu = {
    .name = "elu",
    .summary = "x for x > 0, else alpha * (exp(x) - 1)",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "alpha", .kind = ATTRIBUTE_REAL, .fallback = 1, .least = -HUGE_VAL}},
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_elu,
    .kink = KINK_INPUT,
    .cases = cases,
};
