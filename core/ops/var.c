/* One more number: ddof. */
#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static const struct op_case cases[] = {REDUCTION_CASES(0),
                                       REDUCTION_CASES(1),
                                       {.count = 1, .in = {{2, {3, 1}}}, CASE_NUMBERS(1, 1, 0, 0)},
                                       {.count = 1, .in = {{0}}, CASE_NUMBERS(-1, 0, 0)},
                                       {.count = 0}};

const struct op op_var = {
    .name = "var",
    .summary = "the variance along some axes: sum((x - mean)**2) / (n - ddof)",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .fold = FOLD_variance,
    .mistakes = mistakes_of_variance,
    .cases = cases,
};
