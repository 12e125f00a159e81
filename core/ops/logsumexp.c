#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static bool write(struct op_writing *w)
{
    struct reduction_words words;
    if (!reduction_words(w, &words)) return false;
    return w->input == WRITING_OUTPUT ? (words.axes[0] != '\0' ? writing_put(w, "logsumexp({x}, %s)", words.axes)
                                                               : writing_put(w, "logsumexp({x})"))
                                      : writing_put(w, "{dy} * np.exp({x} - {y})");
}

static const struct op_case cases[] = {REDUCTION_CASES(0), REDUCTION_CASES_OF_ONE, {.count = 0}};

const struct op op_logsumexp = {
    .name = "logsumexp",
    .summary = "log(sum(exp(x))) along some axes",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = reduction_plan,
    .forward = reduction_forward,
    .backward = reduction_backward,
    .write = write,
    .fold = FOLD_logsumexp,
    .mistakes = mistakes_of_folds,
    .cases = cases,
};
