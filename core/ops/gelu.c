#include "core/ops/mistake.h"
#include "core/ops/elementwise.h"

static const char *const approximations[] = {"none", "tanh", NULL};

static const struct op_case cases[] = {UNARY_CASES,
                                       {.count = 1, .in = {{2, {3, 4}}}, .set = {{"approximate", 1}}},
                                       {.count = 1, .in = {{3, {3, 2, 3}}}, .set = {{"approximate", 1}}},
                                       {.count = 0}};

const struct op op_gelu = {
    .name = "gelu",
    .summary = "x * Phi(x), Phi being the normal distribution function; or its approximation by tanh",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "approximate", .kind = ATTRIBUTE_CHOICE, .choices = approximations}},
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_gelu, /* and gelu_tanh behind it */
    .map_by_choice = true,
    .mistakes = (const struct mistake *const[]){&mistake_inner_derivative_missing, NULL},
    .cases = cases,
};
