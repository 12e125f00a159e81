/* One more number: ddof. */
#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

static bool write(struct op_writing *w)
{
    struct reduction_words words;
    char more[WRITING_NUMBER], n[WRITING_NUMBER];
    if (!reduction_words(w, &words)) return false;
    const char *comma = words.axes[0] != '\0' ? ", " : "";
    writing_number(words.more, more);
    writing_number((double)words.n - words.more, n);
    if (w->input != WRITING_OUTPUT) return writing_put(w, "2 * {dy} * ({x} - {x}.mean(%s)) / %s", words.kept, n);
    if (words.more == 0) return writing_put(w, "{x}.var(%s)", words.axes);
    return writing_put(w, "{x}.var(%s%sddof=%s)", words.axes, comma, more);
}

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
    .write = write,
    .fold = FOLD_variance,
    .mistakes = mistakes_of_variance,
    .cases = cases,
};
