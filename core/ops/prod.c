#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static bool write(struct op_writing *w)
{
    struct reduction_words words;
    if (!reduction_words(w, &words)) return false;
    return w->input == WRITING_OUTPUT ? writing_put(w, "{x}.prod(%s)", words.axes) : writing_put(w, "{dy} * {y} / {x}");
}

static const struct op_case cases[] = {
    REDUCTION_CASES(0),
    REDUCTION_CASES_OF_ONE,
    {.count = 1, .in = {{2, {4, 3}}}, CASE_NUMBERS(1, 1, 0), .low = -1, .high = 3, .whole = true},
    {.count = 1, .in = {{2, {4, 3}}}, CASE_NUMBERS(1, 0, 0), .low = -1, .high = 3, .whole = true},
    {.count = 1, .in = {{3, {2, 3, 2}}}, CASE_NUMBERS(2, 0, 2, 0), .low = -1, .high = 2, .whole = true},
    {.count = 0}};

const struct op op_prod = {
    .name = "prod",
    .summary = "the product along some axes",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .write = write,
    .fold = FOLD_prod,
    .mistakes = mistakes_of_folds,
    .cases = cases,
};
