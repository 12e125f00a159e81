#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static bool write(struct op_writing *w)
{
    struct reduction_words words;
    if (!reduction_words(w, &words)) return false;
    return w->input == WRITING_OUTPUT ? (words.axes[0] != '\0' ? writing_put(w, "np.sqrt(({x}**2).sum(%s))", words.axes)
                                                               : writing_put(w, "np.sqrt(({x}**2).sum())"))
                                      : writing_put(w, "{dy} * {x} / {y}");
}

static const struct op_case cases[] = {REDUCTION_CASES(0), REDUCTION_CASES_OF_ONE, {.count = 0}};

const struct op op_norm = {
    .name = "norm",
    .summary = "sqrt(sum(x**2)) along some axes; its gradient at 0 is 0",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .write = write,
    .fold = FOLD_norm,
    .mistakes = mistakes_of_folds,
    .cases = cases,
};
