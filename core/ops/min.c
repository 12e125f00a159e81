#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static bool write(struct op_writing *w)
{
    struct reduction_words words;
    if (!reduction_words(w, &words)) return false;
    return w->input == WRITING_OUTPUT ? writing_put(w, "{x}.min(%s)", words.axes)
                                      : writing_put(w, "{dy} * ({x} == {y})");
}

static const struct op_case cases[] = {REDUCTION_CASES(0), REDUCTION_CASES_OF_ONE, {.count = 0}};

const struct op op_min = {
    .name = "min",
    .summary = "the least along some axes; of several the first one has the gradient",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .write = write,
    .fold = FOLD_min,
    .kink = KINK_TIES,
    .sides = reduction_ties,
    .mistakes = mistakes_of_extremes,
    .cases = cases,
};
