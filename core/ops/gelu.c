#include "core/ops/elementwise.h"

static const char *const approximations[] = {"none", "tanh", NULL};

const struct op op_gelu = {
    .name = "gelu",
    .summary = "x * Phi(x), Phi being the normal distribution function; or its approximation by tanh",
    .kind = OP_ACTIVATION,
    .attributes = {{.name = "approximate", .kind = ATTRIBUTE_CHOICE, .choices = approximations}},
    .plan = elementwise_plan,
    .forward = elementwise_forward,
    .backward = elementwise_backward,
    .map = MAP_gelu, /* and gelu_tanh behind it */
    .map_by_choice = true,
};
