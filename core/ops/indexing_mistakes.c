/* Wrong ways back through what picks elements, or puts them in another order. */
#include <string.h>

#include "core/ops/elementary_mistakes.h"
#include "core/ops/indexing.h"

/* ---- lists of indices ---- */

enum { X, LISTS };
enum { LAST_WINS, FIRST_WINS };

static bool overwritten(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    const struct indexed indexed = indexing_of(call, LISTS);
    size_t n = op_elements(call->in[X]);
    memset(made->value, 0, n * sizeof *made->value);
    if (made->variant == LAST_WINS)
        return backend_index_write(call->backend, &indexed, call->x + LISTS, step->dy, made->value) == CODE_OK;
    /* Written from the last to the first: one place after the other. */
    const size_t run = indexed.inner, length = indexed_length(&indexed) * run;
    for (size_t outer = 0; outer < indexed.outer; outer++)
        for (size_t i = indexed.count; i-- > 0;) {
            size_t at = 0;
            for (size_t axis = 0; axis < indexed.axes; axis++) {
                const double *list = call->x[LISTS + axis];
                double index = list[i] < 0 ? list[i] + (double)indexed.dim[axis] : list[i];
                at = at * indexed.dim[axis] + (size_t)index;
            }
            memcpy(made->value + outer * length + at * run, step->dy + (outer * indexed.count + i) * run,
                   run * sizeof *made->value);
        }
    return true;
}

const struct mistake mistake_duplicates_overwritten = {
    .id = "duplicates_overwritten",
    .step = STEP_INPUT,
    .rank = 2,
    .summary = "an index that occurs twice receives one contribution",
    .message = "An index that occurs more than once received one contribution; all of them add up.",
    .in_line = "An index that occurs more than once received one contribution to the gradient of {value}; all of them "
               "add up.",
    .hint = "dx[i] += dy overwrites what stands there twice in NumPy; use np.add.at(dx, i, dy).",
    .wrong = "dx[i] += dy",
    .right = "np.add.at(dx, i, dy)",
    .alternative = overwritten,
    .variants = 2,
};

/* The lists of indices are off by one. */
static bool shifted(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    const struct indexed indexed = indexing_of(call, LISTS);
    size_t length = indexed_length(&indexed) * indexed.inner;
    double by = made->variant % 2 == 0 ? 1 : -1;
    size_t which = made->variant / 2; /* of the lists */
    if (which >= indexed.axes) return false;
    memset(made->value, 0, op_elements(call->in[X]) * sizeof *made->value);
    for (size_t outer = 0; outer < indexed.outer; outer++)
        for (size_t i = 0; i < indexed.count; i++) {
            size_t at = 0;
            for (size_t axis = 0; axis < indexed.axes; axis++) {
                double dim = (double)indexed.dim[axis], index = ((const double *)call->x[LISTS + axis])[i];
                index += axis == which ? by : 0;
                index = index < 0 ? index + dim : index >= dim ? index - dim : index;
                at = at * indexed.dim[axis] + (size_t)index;
            }
            for (size_t k = 0; k < indexed.inner; k++)
                made->value[outer * length + at * indexed.inner + k] +=
                    step->dy[(outer * indexed.count + i) * indexed.inner + k];
        }
    return true;
}

static const struct mistake mistake_shifted = {
    .id = "gradient_at_wrong_index",
    .step = STEP_INPUT,
    .rank = 6,
    .summary = "indices are off by one on the way back",
    .in_line = "What comes back to {value} was put at indices that are off by one.",
    .hint = "Use the same indices on the way back as in the forward pass.",
    .alternative = shifted,
    .variants = 4,
};

/* ---- one or the other ---- */

enum { MASK, TAKEN, ELSE };

/* What goes to an input of a where by a mask of one's own: all of it, or where the other one is taken. */
static bool to_side(const struct step_call *step, bool all, struct alternative *made)
{
    const struct op_call *call = step->call;
    const double *mask = call->x[MASK];
    if (!shape_equal(call->in[step->input], call->out) || !shape_equal(call->in[MASK], call->out)) return false;
    for (size_t i = 0; i < op_elements(call->out); i++)
        made->value[i] = all || (mask[i] != 0) != (step->input == TAKEN) ? step->dy[i] : 0;
    return true;
}

static bool to_both(const struct step_call *step, struct alternative *made)
{
    return to_side(step, true, made);
}

static bool to_other(const struct step_call *step, struct alternative *made)
{
    return to_side(step, false, made);
}

static const struct mistake mistake_to_both = {
    .id = "max_to_all",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 3,
    .summary = "the gradient of a choice goes to both sides",
    .in_line = "What comes back to {value} was passed on everywhere: it belongs only where {value} was taken.",
    .hint = "Multiply by the mask of where this one was taken.",
    .alternative = to_both,
};

static const struct mistake mistake_to_other = {
    .id = "inverted_mask",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 6,
    .summary = "the mask of a choice is the wrong way round",
    .in_line = "What comes back to {value} goes where the other side was taken: the mask is the wrong way round.",
    .hint = "np.where(c, a, b) sends to a where c holds, and to b elsewhere.",
    .alternative = to_other,
};

const struct mistake *const mistakes_of_where[] = {&mistake_to_both, &mistake_to_other, NULL};

/* ---- another order ---- */

static bool reshaped(const struct step_call *step, struct alternative *made)
{
    size_t n = op_elements(step->call->in[X]);
    if (n != op_elements(step->call->out)) return false;
    memcpy(made->value, step->dy, n * sizeof *made->value);
    return true;
}

static const struct mistake mistake_reshaped = {
    .id = "wrong_memory_order",
    .step = STEP_INPUT,
    .rank = 4,
    .summary = "reshaped where the axes have to be put back in their order",
    .in_line = "What comes back to {value} was reshaped to its shape; its axes have to be put back in their order.",
    .hint = "A transpose goes back by a transpose, not by a reshape.",
    .alternative = reshaped,
};

const struct mistake *const mistakes_of_indices[] = {&mistake_duplicates_overwritten, &mistake_shifted, NULL};
const struct mistake *const mistakes_of_views[] = {&mistake_reshaped, NULL};
