#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static const struct op_case cases[] = {REDUCTION_CASES(0), REDUCTION_CASES_OF_ONE, {.count = 0}};

const struct op op_mean = {
    .name = "mean",
    .summary = "the mean along some axes",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .fold = FOLD_mean,
    .mistakes = mistakes_of_averages,
    .cases = cases,
};
