#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static const struct op_case cases[] = {REDUCTION_CASES(0), REDUCTION_CASES_OF_ONE, {.count = 0}};

const struct op op_norm = {
    .name = "norm",
    .summary = "sqrt(sum(x**2)) along some axes; its gradient at 0 is 0",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .fold = FOLD_norm,
    .mistakes = mistakes_of_folds,
    .cases = cases,
};
