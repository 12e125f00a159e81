#include "core/ops/reduction.h"

/* No gradient flows through it. */
static const struct slot slots[] = {{.symbol = "x", .role = SLOT_CONSTANT}, {.symbol = NULL}};

static const struct op_case cases[] = {REDUCTION_CASES(0), REDUCTION_CASES_OF_ONE, {.count = 0}};

const struct op op_argmax = {
    .name = "argmax",
    .summary = "which is the largest along some axes, of several the first one, counted in row-major order",
    .kind = OP_ELEMENTARY,
    .slots = slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .fold = FOLD_argmax,
    .cases = cases,
};
