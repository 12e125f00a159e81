/* Wrong ways back through what makes many numbers one along some axes. */
#include <math.h>
#include <string.h>

#include "core/ops/elementary_mistakes.h"
#include "core/ops/reduction.h"

/* How an op reduces, of a call in float64 on the host. */
static struct reduced reduced_of(const struct step_call *step)
{
    return reduction_of(step->call->op, step->call->attributes, step->call->in[0]);
}

/* The right gradient, multiplied by a number. */
static bool times(const struct step_call *step, double factor, struct alternative *made)
{
    struct op_call call = *step->call;
    void *dx[] = {made->value};
    call.dy = step->dy;
    call.dx = dx;
    if (call.op->backward(&call) != CODE_OK) return false;
    for (size_t i = 0; i < op_elements(call.in[0]); i++)
        made->value[i] *= factor;
    return true;
}

/* ---- sums and means ---- */

static bool not_spread(const struct step_call *step, struct alternative *made)
{
    double n = (double)reduced_of(step).rows.n;
    return n > 1 && times(step, step->call->op->fold == FOLD_mean ? n : 1 / n, made);
}

const struct mistake mistake_not_spread = {
    .id = "not_spread",
    .step = STEP_INPUT,
    .rank = 3,
    .summary = "a mean's gradient is not divided by the number of elements, or a sum's is",
    .message = "The gradient of a mean was not divided by the number of its elements, or that of a sum was.",
    .in_line =
        "What comes back through this {f} to {value} is off by the number of its elements: each element of a mean "
        "gets the gradient divided by n, each one of a sum gets it whole.",
    .hint = "d(mean(x)) / dx = 1 / n for every element; d(sum(x)) / dx = 1.",
    .wrong = "dx = dm * np.ones_like(x)",
    .right = "dx = dm * np.ones_like(x) / n",
    .alternative = not_spread,
};

/* Divided by the length of one axis instead of by what it should be, or that once more: of a mean n / dim or 1 / dim
 * times, of a sum 1 / dim times the right gradient. */
static bool divided(const struct step_call *step, bool once_more, struct alternative *made)
{
    const struct shape *in = step->call->in[0];
    double n = (double)reduced_of(step).rows.n, dim;
    bool mean = step->call->op->fold == FOLD_mean;
    if (made->variant >= in->rank) return false;
    dim = (double)in->dim[made->variant];
    if (dim < 2 || (dim == n && !(mean && once_more))) return false; /* not_spread says that, or nothing is wrong */
    return (mean || !once_more) && times(step, mean && !once_more ? n / dim : 1 / dim, made);
}

static bool by_another(const struct step_call *step, struct alternative *made)
{
    return divided(step, false, made);
}

static bool once_more(const struct step_call *step, struct alternative *made)
{
    return divided(step, true, made);
}

static const struct mistake mistake_divided_by_another = {
    .id = "wrong_normalization",
    .step = STEP_INPUT,
    .rank = 5,
    .summary = "a mean's gradient is divided by the length of another axis, or a sum's by that of one",
    .in_line =
        "What comes back through this {f} to {value} is divided by the length of one axis, which is not what the "
        "forward pass divides by.",
    .hint = "Divide by as many as the mean has elements; a sum's gradient is not divided at all.",
    .alternative = by_another,
    .variants = TENSOR_RANK_MAX,
};

static const struct mistake mistake_divided_again = {
    .id = "averaged_twice",
    .step = STEP_INPUT,
    .rank = 6,
    .summary = "a mean's gradient is divided by the length of an axis once too often",
    .in_line = "What comes back through this {f} to {value} is divided by the length of an axis once too often.",
    .hint = "The mean divides once; do not divide the gradients that follow again.",
    .alternative = once_more,
    .variants = TENSOR_RANK_MAX,
};

/* ---- the variance ---- */

enum { OVER_ALL, OVER_ONE_LESS, WITHOUT_TWO, UNDIVIDED, WITHOUT_MEAN, VARIANCES };

static bool of_variance(const struct step_call *step, struct alternative *made)
{
    struct reduced r = reduced_of(step);
    double n = (double)r.rows.n, divisor = n - r.more;
    if (step->call->op->fold != FOLD_variance || n < 2) return false;
    if (made->variant == OVER_ALL) return r.more != 0 && times(step, divisor / n, made);
    if (made->variant == OVER_ONE_LESS) return r.more == 0 && times(step, n / (n - 1), made);
    if (made->variant == WITHOUT_TWO) return times(step, 0.5, made);
    if (made->variant == UNDIVIDED) return times(step, divisor, made);
    if (r.reordered) return false;
    for (size_t i = 0; i < op_elements(step->call->in[0]); i++) {
        size_t outer = i / (r.rows.n * r.rows.inner), inner = i % r.rows.inner;
        made->value[i] = step->dy[outer * r.rows.inner + inner] * 2 * step->x[i] / divisor;
    }
    return true;
}

static const struct mistake mistake_variance = {
    .id = "wrong_normalization",
    .step = STEP_INPUT,
    .rank = 5,
    .summary = "a variance's gradient with another divisor, without its 2, or without the mean taken off",
    .in_line = "What comes back to {value} through the variance has another divisor, lacks the 2 of the square, or has "
               "the mean left in: dx = dv * 2 * (x - mean) / n, with the n that the forward pass divides by.",
    .hint = "Derive sum((x - mean)**2) / n: the part of the mean vanishes, the 2 and the n stay.",
    .alternative = of_variance,
    .variants = VARIANCES,
};

/* ---- the largest and the least ---- */

enum { TO_ALL, TO_TIES, SHARED_BY_TIES };
enum { SHARES = 3 };

static bool to_all(const struct step_call *step, struct alternative *made)
{
    const struct reduced r = reduced_of(step);
    if (r.reordered || r.rows.n < 2) return false;
    for (size_t o = 0; o < r.rows.outer; o++)
        for (size_t k = 0; k < r.rows.inner; k++) {
            size_t at = o * r.rows.inner + k, ties = 0;
            for (size_t i = 0; i < r.rows.n; i++)
                ties += step->x[(o * r.rows.n + i) * r.rows.inner + k] == step->y[at];
            for (size_t i = 0; i < r.rows.n; i++) {
                size_t from = (o * r.rows.n + i) * r.rows.inner + k;
                bool tie = step->x[from] == step->y[at];
                double share = made->variant == TO_ALL ? 1 : !tie ? 0 : made->variant == TO_TIES ? 1 : 1 / (double)ties;
                made->value[from] = share * step->dy[at];
            }
        }
    return true;
}

const struct mistake mistake_max_to_all = {
    .id = "max_to_all",
    .step = STEP_INPUT,
    .rank = 3,
    .summary = "the gradient of a max goes to every element, or to all that tie",
    .message =
        "The gradient of a max went to every element, or to all that tie: it belongs to the first of the largest.",
    .in_line =
        "What comes back through this {f} went to elements of {value} that were not taken: it belongs to the one "
        "that was taken alone, of several equal ones to the first.",
    .hint = "Put the gradient where the largest element stands, and zero elsewhere.",
    .wrong = "dx = dm * np.ones_like(x)",
    .right = "dx[np.arange(n), x.argmax(1)] = dm",
    .alternative = to_all,
    .variants = SHARES,
};

/* ---- norm, logsumexp, prod, cumsum ---- */

/* The gradient that arrives, repeated for each element, times x where that is wanted. */
static bool spread(const struct step_call *step, bool by_input, double factor, struct alternative *made)
{
    const struct reduced r = reduced_of(step);
    if (r.reordered) return false;
    for (size_t i = 0; i < op_elements(step->call->in[0]); i++) {
        size_t outer = i / (r.rows.n * r.rows.inner), inner = i % r.rows.inner;
        made->value[i] = factor * step->dy[outer * r.rows.inner + inner] * (by_input ? step->x[i] : 1);
    }
    return true;
}

enum { ALONE, BY_INPUT, TWICE_BY_INPUT };

static bool of_fold(const struct step_call *step, struct alternative *made)
{
    return spread(step, made->variant != ALONE, made->variant == TWICE_BY_INPUT ? 2 : 1, made);
}

static const struct mistake mistake_of_fold = {
    .id = "missing_activation_derivative",
    .step = STEP_INPUT,
    .rank = 4,
    .summary = "the derivative of a reduction is missing, or what it divides by",
    .in_line = "What comes back through this {f} to {value} lacks its derivative, or what that divides by.",
    .hint = "d(norm(x)) / dx = x / norm(x); d(logsumexp(x)) / dx = softmax(x); d(prod(x)) / dx = prod(x) / x.",
    .alternative = of_fold,
    .variants = 3,
};

static bool not_reversed(const struct step_call *step, struct alternative *made)
{
    const struct shape *in = step->call->in[0];
    const struct rows_of_fold rows = rows_along(in, number_axis_of(step->call->attributes[0], in));
    if (made->variant > 0) memcpy(made->value, step->dy, op_elements(in) * sizeof *made->value);
    return made->variant > 0 || backend_cumsum(step->call->backend, false, &rows, step->dy, made->value) == CODE_OK;
}

static const struct mistake mistake_not_reversed = {
    .id = "gradient_at_wrong_index",
    .step = STEP_INPUT,
    .rank = 4,
    .summary = "the gradient of a cumulative sum is summed from the wrong end, or not at all",
    .in_line = "What comes back to {value} through the cumulative sum was summed from the wrong end, or not at all: an "
               "element is part of all sums from its own place on.",
    .hint = "d(cumsum(x)) sends to x[i] the sum of dy[i:]: a cumulative sum from the end.",
    .alternative = not_reversed,
    .variants = 2,
};

const struct mistake *const mistakes_of_cumsum[] = {&mistake_not_reversed, NULL};
const struct mistake *const mistakes_of_averages[] = {&mistake_not_spread, &mistake_divided_by_another,
                                                      &mistake_divided_again, NULL};
const struct mistake *const mistakes_of_variance[] = {&mistake_variance, NULL};
const struct mistake *const mistakes_of_extremes[] = {&mistake_max_to_all, NULL};
const struct mistake *const mistakes_of_folds[] = {&mistake_of_fold, NULL};
