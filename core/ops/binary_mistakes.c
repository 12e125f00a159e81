/* Wrong ways back through what is done to two numbers, c = a / b: another formula for what goes to one of them; and
 * where that one is repeated along axes, another way to bring home what comes from each repetition. */
#include <math.h>
#include <string.h>

#include "core/ops/broadcast.h"
#include "core/ops/elementary_mistakes.h"

/* What an element of the output sends to one of the two, from them, the output, and the gradient there. */
typedef double (*formula)(double a, double b, double c, double dc);
struct wrong {
    formula send;
    const char *words; /* in terms of c = a / b */
};

/* The places of an element of the output in both inputs, one element after the other. */
struct walk {
    struct broadcast s;
    size_t index[SPREAD_RANK_MAX], at[2];
};

static void walk_begin(const struct op_call *call, struct walk *walk)
{
    *walk = (struct walk){.at = {0}};
    broadcast_of(call, 2, (const size_t[]){0, 1}, &walk->s);
}

static void walk_next(struct walk *walk)
{
    const struct broadcast *s = &walk->s;
    for (size_t axis = s->rank; axis-- > 0;) {
        for (size_t k = 0; k < 2; k++)
            walk->at[k] += s->stride[k][axis];
        if (++walk->index[axis] < s->dim[axis]) return;
        for (size_t k = 0; k < 2; k++)
            walk->at[k] -= s->stride[k][axis] * s->dim[axis];
        walk->index[axis] = 0;
    }
}

/* The sum of what all repetitions of an element send. */
static bool send(const struct step_call *step, formula f, struct alternative *made)
{
    const struct op_call *call = step->call;
    const double *a = call->x[0], *b = call->x[1];
    struct walk walk;
    walk_begin(call, &walk);
    memset(made->value, 0, op_elements(call->in[step->input]) * sizeof *made->value);
    for (size_t i = 0; i < op_elements(call->out); i++, walk_next(&walk))
        made->value[walk.at[step->input]] += f(a[walk.at[0]], b[walk.at[1]], step->y[i], step->dy[i]);
    return true;
}

/* ---- formulas ---- */

#define FORMULA(name, sent)                                                                                            \
    static double name(double a, double b, double c, double dc)                                                        \
    {                                                                                                                  \
        (void)a, (void)b, (void)c, (void)dc;                                                                           \
        return sent;                                                                                                   \
    }

FORMULA(only_dc, dc)
FORMULA(dc_a, dc *a)
FORMULA(dc_b, dc *b)
FORMULA(only_a, a)
FORMULA(only_b, b)
FORMULA(dc_over_b, dc / b)
FORMULA(dc_over_b2, dc / (b * b))
FORMULA(plus_quotient, dc *a / (b * b))
FORMULA(minus_over_b, -dc *a / b)
FORMULA(minus_over_b2, -dc / (b * b))
FORMULA(minus_dc_a, -dc *a)
FORMULA(minus_over_b3, -dc *a / (b * b * b))
FORMULA(without_power, dc *b)
FORMULA(without_exponent, dc *pow(a, b - 1))
FORMULA(not_reduced, dc *b *c)
FORMULA(base_and_exponent, dc *a *pow(b, a - 1))
FORMULA(without_log, dc *c)
FORMULA(as_base, dc *b *pow(a, b - 1))
FORMULA(where_a_less, a < b ? dc : 0)
FORMULA(where_b_less, b < a ? dc : 0)
FORMULA(where_b_is_at_least, b >= a ? dc : 0)
FORMULA(times_taken, dc *c)
FORMULA(a_is_less, a < b ? 1 : 0)
FORMULA(b_is_less, b < a ? 1 : 0)
FORMULA(minus_dc, -dc)
FORMULA(minus_dc_c_over_b, -dc *c / b)
FORMULA(where_positive, dc > 0 ? dc : 0)

/* ---- products ---- */

/* A list of wrong formulas for each of the two inputs; it ends with NULL. */
struct wrongs {
    struct wrong of[2][8];
};

static bool make(const struct step_call *step, const struct wrongs *wrongs, struct alternative *made)
{
    const struct wrong *list = wrongs->of[step->input];
    for (size_t i = 0; list[i].send != NULL; i++)
        if (i == made->variant) return send(step, list[i].send, made);
    return false;
}

static const struct wrongs missing = {{{{only_dc, NULL}}, {{only_dc, NULL}}}};

static bool factor_missing(const struct step_call *step, struct alternative *made)
{
    return make(step, &missing, made);
}

static const struct mistake mistake_factor_missing = {
    .id = "other_factor_missing",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 2,
    .summary = "da = dc for c = a * b: the other factor is left out",
    .in_line =
        "The gradient of {value} is what comes back to the product, without the other factor: for c = a * b it is "
        "da = dc * b, not da = dc.",
    .hint = "The derivative of a product with respect to one factor is the other one.",
    .alternative = factor_missing,
};

static const struct wrongs exchanged = {{{{dc_a, NULL}}, {{dc_b, NULL}}}};

static bool exchange(const struct step_call *step, struct alternative *made)
{
    return make(step, &exchanged, made);
}

static const struct mistake mistake_own_factor = {
    .id = "factors_exchanged",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 3,
    .summary = "da = dc * a for c = a * b: the factors are exchanged",
    .in_line = "The gradient of {value} was multiplied by {value} itself: for c = a * b it is da = dc * b and "
               "db = dc * a.",
    .hint = "Each factor's gradient holds the other one.",
    .alternative = exchange,
};

static const struct wrongs alone = {{{{only_b, NULL}}, {{only_a, NULL}}}};

static bool drop(const struct step_call *step, struct alternative *made)
{
    return make(step, &alone, made);
}

static const struct mistake mistake_product_alone = {
    .id = "upstream_dropped",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 6,
    .summary = "da = b for c = a * b: the gradient from above is left out",
    .in_line = "The gradient of {value} is the derivative of the product alone: what comes back to the product is "
               "missing as a factor. For c = a * b it is da = dc * b.",
    .hint = "The chain rule multiplies: what comes from above times the local derivative.",
    .alternative = drop,
    .takes_nothing = true,
};

/* ---- quotients ---- */

static const struct wrongs quotient = {{{{only_dc, "da = dc"}, {dc_b, "da = dc * b"}, {dc_over_b2, "da = dc / b**2"}},
                                        {{plus_quotient, "db = dc * a / b**2"},
                                         {minus_over_b, "db = -dc * a / b"},
                                         {minus_over_b2, "db = -dc / b**2"},
                                         {dc_over_b, "db = dc / b"},
                                         {minus_dc_a, "db = -dc * a"},
                                         {dc_a, "db = dc * a"},
                                         {minus_over_b3, "db = -dc * a / b**3"}}}};
enum { QUOTIENTS = 7 };

static bool of_quotient(const struct step_call *step, struct alternative *made)
{
    return make(step, &quotient, made);
}

const struct mistake mistake_quotient_rule = {
    .id = "quotient_rule",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 4,
    .summary = "the quotient rule: a sign, a square or a factor is missing",
    .message = "What comes back through a quotient has a wrong sign, power or factor: for c = a / b it is da = dc / b "
               "and db = -dc * a / b**2.",
    .in_line = "What comes back to {value} through the quotient has a wrong sign, power or factor: for c = a / b it is "
               "da = dc / b and db = -dc * a / b**2.",
    .hint = "d(a / b) / db = -a / b**2; the numerator's gradient is divided by b.",
    .wrong = "db = dc * a / b**2",
    .right = "db = -dc * a / b**2",
    .alternative = of_quotient,
    .variants = QUOTIENTS,
};

/* ---- powers ---- */

static const struct wrongs power = {
    {{{without_power, NULL}, {without_exponent, NULL}, {not_reduced, NULL}, {base_and_exponent, NULL}, {only_dc, NULL}},
     {{without_log, NULL}, {as_base, NULL}, {only_dc, NULL}}}};

static bool of_power(const struct step_call *step, struct alternative *made)
{
    return make(step, &power, made);
}

static const struct mistake mistake_power_of_two = {
    .id = "power_rule",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 4,
    .summary = "the power rule: the exponent or the reduced power is missing",
    .in_line = "What comes back to {value} through the power is not its derivative: for c = a**b it is "
               "da = dc * b * a**(b - 1) and db = dc * c * log(a).",
    .hint = "d(a**b) / da = b * a**(b - 1).",
    .alternative = of_power,
    .variants = 5,
};

/* ---- the larger, the smaller ---- */

static bool to_both(const struct step_call *step, struct alternative *made)
{
    return send(step, only_dc, made);
}

static const struct mistake mistake_larger_to_both = {
    .id = "max_to_all",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 2,
    .summary = "the gradient of a maximum goes to all of its inputs",
    .in_line = "What comes back to {value} was passed on everywhere: it belongs only where {value} is what was taken.",
    .hint = "Multiply by the mask of where this one was taken.",
    .alternative = to_both,
};

static bool to_other(const struct step_call *step, struct alternative *made)
{
    bool larger = step->call->op->binary == BINARY_maximum, first = step->input == 0;
    return send(step, larger == first ? where_a_less : where_b_less, made);
}

static const struct mistake mistake_other_side = {
    .id = "inverted_mask",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 8,
    .summary = "the mask is the wrong way round",
    .in_line = "What comes back to {value} goes where the other one was taken: the mask is the wrong way round.",
    .hint = "Pass the gradient where this one was taken, and zero elsewhere.",
    .alternative = to_other,
};

static bool at_ties(const struct step_call *step, struct alternative *made)
{
    bool larger = step->call->op->binary == BINARY_maximum;
    return larger && step->input == 1 && send(step, where_b_is_at_least, made);
}

static const struct mistake mistake_at_ties = {
    .id = "relu_gradient_at_zero",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 3,
    .summary = "the gradient is passed on where both are equal",
    .in_line = "What comes back to {value} was passed on where both sides of the maximum are equal; of equal ones the "
               "first is taken.",
    .hint = "np.maximum(0, z) has the derivative 0 at z = 0: use > for the mask, not >=.",
    .alternative = at_ties,
};

static bool by_gradient(const struct step_call *step, struct alternative *made)
{
    return send(step, where_positive, made);
}

static const struct mistake mistake_masked_by_gradient = {
    .id = "mask_from_gradient",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 8,
    .summary = "the mask is taken from the gradient",
    .in_line = "What comes back to {value} was masked by the sign of the gradient, instead of by what was taken.",
    .hint = "The mask is that of the forward pass.",
    .alternative = by_gradient,
    .nonlinear = true,
};

/* ---- repeated along axes ---- */

/* The right formula of what has one without a case; NULL of every other op. */
static formula right_formula(const struct op *op, size_t input)
{
    if (op->binary == BINARY_plus || (op->binary == BINARY_minus && input == 0)) return only_dc;
    if (op->binary == BINARY_minus) return minus_dc;
    if (op->binary == BINARY_times) return input == 0 ? dc_b : dc_a;
    if (op->binary == BINARY_divided) return input == 0 ? dc_over_b : minus_dc_c_over_b;
    return NULL;
}

static double times_repeated(const struct op_call *call, size_t input)
{
    return (double)op_elements(call->out) / (double)op_elements(call->in[input]);
}

static bool average(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    formula f = right_formula(call->op, step->input);
    double times = times_repeated(call, step->input);
    if (f == NULL || times <= 1) return false;
    send(step, f, made);
    for (size_t i = 0; i < op_elements(call->in[step->input]); i++)
        made->value[i] /= times;
    return true;
}

static const struct mistake mistake_repetitions_averaged = {
    .id = "broadcast_averaged",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 5,
    .summary = "the gradient of a value that was broadcast is averaged instead of summed",
    .in_line = "{value} was repeated to fit the other operand. What comes back was averaged over these repetitions; it "
               "has to be summed.",
    .hint = "Every repetition has its own share in the loss, and the shares add up.",
    .alternative = average,
};

/* What one repetition alone sends: the first, or the last. */
enum { REPETITION_FIRST, REPETITION_LAST, REPETITIONS };

static bool take_one(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    const double *a = call->x[0], *b = call->x[1];
    formula f = right_formula(call->op, step->input);
    size_t n = op_elements(call->in[step->input]);
    if (f == NULL || times_repeated(call, step->input) <= 1) return false;
    struct walk walk;
    walk_begin(call, &walk);
    for (size_t i = 0; i < n; i++)
        made->value[i] = NAN;
    for (size_t i = 0; i < op_elements(call->out); i++, walk_next(&walk)) {
        double *to = &made->value[walk.at[step->input]];
        if (made->variant == REPETITION_LAST || isnan(*to))
            *to = f(a[walk.at[0]], b[walk.at[1]], step->y[i], step->dy[i]);
    }
    return true;
}

static const char *repetition_words(size_t variant)
{
    return variant == REPETITION_FIRST ? "first" : "last";
}

const struct mistake mistake_broadcast_single = {
    .id = "broadcast_single",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 7,
    .summary = "the gradient of a value that was broadcast is that of one repetition alone",
    .message = "A value was repeated to fit another. Only what comes back through the {used} of these repetitions is "
               "there; the shares of all of them add up.",
    .in_line = "{value} was repeated to fit the other operand. Only what comes back through the {used} of these "
               "repetitions is there; the shares of all of them add up.",
    .hint =
        "Sum over the axes along which the forward pass repeats the value, as in dc.sum(axis=0), in place of dc[0].",
    .wrong = "db = dc[0]",
    .right = "db = dc.sum(axis=0)",
    .alternative = take_one,
    .variants = REPETITIONS,
    .variant_words = repetition_words,
};

/* Two axes of a matrix, of which the input is repeated along one: what comes back summed along the other. */
static bool sum_other(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    const struct shape *out = call->out;
    const double *x[2] = {call->x[0], call->x[1]};
    formula f = right_formula(call->op, step->input);
    if (f == NULL || out->rank != 2 || out->dim[0] < 2 || out->dim[0] != out->dim[1] ||
        op_elements(call->in[step->input]) != out->dim[0])
        return false;
    struct walk walk;
    walk_begin(call, &walk);
    if (walk.s.rank != 2) return false;
    bool along_rows = walk.s.stride[step->input][0] != 0; /* it has an element for each row */
    memset(made->value, 0, out->dim[0] * sizeof *made->value);
    for (size_t i = 0; i < op_elements(out); i++, walk_next(&walk))
        made->value[along_rows ? i % out->dim[1] : i / out->dim[1]] +=
            f(x[0][walk.at[0]], x[1][walk.at[1]], step->y[i], step->dy[i]);
    return true;
}

const struct mistake mistake_summed_over_wrong_axis = {
    .id = "summed_over_wrong_axis",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 5,
    .summary = "the gradient of a value that was broadcast is summed over another axis",
    .message =
        "A value was repeated to fit another. What comes back was summed over another axis than that along which "
        "it was repeated.",
    .in_line = "{value} was repeated to fit the other operand. What comes back was summed over another axis than that "
               "along which it was repeated.",
    .hint = "Sum over the axes along which the forward pass repeats the value, and over no other.",
    .wrong = "db = dc.sum(axis=1)",
    .right = "db = dc.sum(axis=0)",
    .alternative = sum_other,
};

/* One number, the sum of everything, for each element. */
static bool sum_all(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    formula f = right_formula(call->op, step->input);
    size_t n = op_elements(call->in[step->input]);
    double sum = 0;
    if (f == NULL || n < 2) return false;
    send(step, f, made);
    for (size_t i = 0; i < n; i++)
        sum += made->value[i];
    for (size_t i = 0; i < n; i++)
        made->value[i] = sum;
    return n < op_elements(call->out);
}

static const struct mistake mistake_summed_over_all = {
    .id = "summed_over_wrong_axis",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 6,
    .summary = "the gradient of a value that was broadcast is summed over all axes",
    .in_line = "{value} was repeated to fit the other operand. What comes back was summed over all axes, and every "
               "element has the whole sum; it has to be summed along the axes of the repetition alone.",
    .hint = "Sum over the axes along which the forward pass repeats the value, and over no other.",
    .alternative = sum_all,
};

const struct mistake *const mistakes_of_sums[] = {&mistake_repetitions_averaged, &mistake_broadcast_single,
                                                  &mistake_summed_over_wrong_axis, &mistake_summed_over_all, NULL};
const struct mistake *const mistakes_of_products[] = {&mistake_factor_missing,   &mistake_own_factor,
                                                      &mistake_product_alone,    &mistake_repetitions_averaged,
                                                      &mistake_broadcast_single, &mistake_summed_over_wrong_axis,
                                                      &mistake_summed_over_all,  NULL};
const struct mistake *const mistakes_of_quotients[] = {&mistake_quotient_rule,    &mistake_repetitions_averaged,
                                                       &mistake_broadcast_single, &mistake_summed_over_wrong_axis,
                                                       &mistake_summed_over_all,  NULL};
const struct mistake *const mistakes_of_raised[] = {&mistake_power_of_two, NULL};
/* As of an activation, where one of the two is taken for its threshold. */
static bool times_output(const struct step_call *step, struct alternative *made)
{
    return send(step, times_taken, made);
}

static const struct mistake mistake_taken_itself = {
    .id = "activation_instead_of_derivative",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 10,
    .summary = "dc * c: the result itself in place of the mask",
    .in_line = "What comes back to {value} was multiplied by the result itself instead of by the mask of where {value} "
               "was taken.",
    .hint = "The derivative of a maximum is 1 where this one was taken, and 0 elsewhere.",
    .alternative = times_output,
};

static bool mask_alone(const struct step_call *step, struct alternative *made)
{
    bool larger = step->call->op->binary == BINARY_maximum, first = step->input == 0;
    return send(step, larger == first ? b_is_less : a_is_less, made);
}

static const struct mistake mistake_mask_alone = {
    .id = "upstream_dropped",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 6,
    .summary = "the mask alone: the gradient from above is left out",
    .in_line = "What comes back to {value} is the mask alone: the gradient from above is missing as a factor.",
    .hint = "The chain rule multiplies: what comes from above times the mask.",
    .alternative = mask_alone,
    .takes_nothing = true,
};

const struct mistake *const mistakes_of_larger[] = {&mistake_taken_itself,
                                                    &mistake_mask_alone,
                                                    &mistake_larger_to_both,
                                                    &mistake_other_side,
                                                    &mistake_at_ties,
                                                    &mistake_masked_by_gradient,
                                                    NULL};
