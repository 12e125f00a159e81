/* The functions of two numbers that programs apply element by element, on arrays that are repeated to one shape as
 * NumPy does it; their formulas stand in core/backend/formulas.h. None of them has a number.
 *
 * Of two equal elements maximum and minimum send the whole gradient to the first. What pow sends to its exponent is 0
 * where the base is 0 and the exponent is not negative. No gradient goes through those that are flat but where they
 * jump: the comparisons, which make 0 and 1, the logical ones, floor_divide and mod (whose results have the sign of
 * the divisor, as in Python). */
#include <string.h>

#include "core/ops/broadcast.h"
#include "core/ops/elementary_mistakes.h"
#include "core/ops/elementwise.h"

/* What a sum or a power takes of an element, forward and backward together. */
#define WORK 8.0
#define WORK_OF_POWER 1000.0

static int plan(const struct op_shape *shape, struct op_plan *plan, struct error *error)
{
    return broadcast_aligned_plan(shape, shape->op->binary == BINARY_raised ? WORK_OF_POWER : WORK, plan, error);
}

static const size_t both[] = {0, 1};

static int forward(const struct op_call *call)
{
    struct broadcast s;
    broadcast_of(call, 2, both, &s);
    return call->backend->binary(call->op->binary, &s, call->x[0], call->x[1], call->y);
}

static int backward(const struct op_call *call)
{
    struct broadcast s;
    int code = CODE_OK;
    broadcast_of(call, 2, both, &s);
    for (size_t k = 0; code == CODE_OK && k < 2; k++)
        if (call->dx[k] != NULL)
            code = call->backend->binary_gradient(call->op->binary, k == 1, &s, call->x[0], call->x[1], call->y,
                                                  call->dy, call->dx[k]);
    return code;
}

/* ---- with a gradient ---- */

static const struct slot slots[] = {
    {.symbol = "a", .role = SLOT_INPUT}, {.symbol = "b", .role = SLOT_INPUT}, {.symbol = NULL}};

/* Every way in which two arrays can lie: alike, one of fewer axes, a row, a column, a single number, both repeated. */
#define WITHIN(least, greatest)                                                                                        \
    {.count = 2, .in = {{2, {3, 4}}, {2, {3, 4}}}, .low = least, .high = greatest},                                    \
        {.count = 2, .in = {{2, {3, 4}}, {1, {4}}}, .low = least, .high = greatest},                                   \
        {.count = 2, .in = {{2, {3, 1}}, {2, {3, 4}}}, .low = least, .high = greatest},                                \
        {.count = 2, .in = {{0}, {2, {2, 3}}}, .low = least, .high = greatest},                                        \
        {.count = 2, .in = {{2, {2, 3}}, {2, {1, 1}}}, .low = least, .high = greatest},                                \
        {.count = 2, .in = {{1, {5}}, {2, {4, 1}}}, .low = least, .high = greatest},                                   \
        {.count = 2, .in = {{4, {2, 1, 3, 1}}, {3, {2, 3, 2}}}, .low = least, .high = greatest},                       \
        {.count = 2, .in = {{3, {1, 3, 2}}, {4, {2, 2, 1, 2}}}, .low = least, .high = greatest},                       \
    {                                                                                                                  \
        .count = 2, .in = {{0}, {0}}, .low = least, .high = greatest                                                   \
    }

static const struct op_case anywhere[] = {WITHIN(-2, 2), {.count = 0}};
static const struct op_case not_0[] = {WITHIN(0.5, 2), WITHIN(-2, -0.5), {.count = 0}};
static const struct op_case above_0[] = {WITHIN(0.5, 2), {.count = 0}};

/* Which of two that meet is the larger, for whatever an element of the first meets. */
static void sides(const struct op_call *call, signed char *to)
{
    const double *a = call->x[0], *b = call->x[1];
    struct broadcast s;
    broadcast_of(call, 2, (const size_t[]){0, 1}, &s);
    memset(to, 0, op_elements(call->in[0]));
    size_t index[SPREAD_RANK_MAX] = {0}, at[2] = {0, 0};
    for (size_t left = op_elements(call->out); left > 0; left--) {
        to[at[0]] = (signed char)((3 * to[at[0]] + FORMULA_SIDE(a[at[0]], b[at[1]])) % 41);
        for (size_t axis = s.rank; axis-- > 0;) {
            for (size_t k = 0; k < 2; k++)
                at[k] += s.stride[k][axis];
            if (++index[axis] < s.dim[axis]) break;
            for (size_t k = 0; k < 2; k++)
                at[k] -= s.stride[k][axis] * s.dim[axis];
            index[axis] = 0;
        }
    }
}

#define ARITHMETIC(object, called, text, formula, tried, ...)                                                          \
    const struct op op_##object = {.name = called,                                                                     \
                                   .summary = text,                                                                    \
                                   .kind = OP_ELEMENTARY,                                                              \
                                   .slots = slots,                                                                     \
                                   .plan = plan,                                                                       \
                                   .forward = forward,                                                                 \
                                   .backward = backward,                                                               \
                                   .binary = formula,                                                                  \
                                   .cases = tried,                                                                     \
                                   __VA_ARGS__}

/* "add" and "mul" are layers, too, which take any number of inputs with the same number of axes. */
ARITHMETIC(plus, "add", "a + b", BINARY_plus, anywhere, .written = "{a} + {b}", .sent = {"{dy}", "{dy}"},
           .term_unit = op_unit_of_sums, .mistakes = mistakes_of_sums);
ARITHMETIC(sub, "sub", "a - b", BINARY_minus, anywhere, .written = "{a} - {b}", .sent = {"{dy}", "-{dy}"},
           .term_unit = op_unit_of_sums, .mistakes = mistakes_of_sums);
ARITHMETIC(times, "mul", "a * b", BINARY_times, anywhere, .written = "{a} * {b}", .sent = {"{dy} * {b}", "{dy} * {a}"},
           .term_unit = op_unit_of_products, .mistakes = mistakes_of_products);
ARITHMETIC(div, "div", "a / b", BINARY_divided, not_0, .written = "{a} / {b}",
           .sent = {"{dy} / {b}", "-{dy} * {a} / {b}**2"}, .mistakes = mistakes_of_quotients);
ARITHMETIC(pow, "pow", "a**b", BINARY_raised, above_0, .written = "{a}**{b}",
           .sent = {"{dy} * {b} * {a}**({b} - 1)", "{dy} * {y} * np.log({a})"}, .mistakes = mistakes_of_raised);
ARITHMETIC(maximum, "maximum", "the larger of a and b; of equal ones a", BINARY_maximum, anywhere,
           .written = "np.maximum({a}, {b})", .sent = {"{dy} * ({a} >= {b})", "{dy} * ({b} > {a})"}, .kink = KINK_EQUAL,
           .sides = sides, .mistakes = mistakes_of_larger);
ARITHMETIC(minimum, "minimum", "the smaller of a and b; of equal ones a", BINARY_minimum, anywhere,
           .written = "np.minimum({a}, {b})", .sent = {"{dy} * ({a} <= {b})", "{dy} * ({b} < {a})"}, .kink = KINK_EQUAL,
           .sides = sides, .mistakes = mistakes_of_larger);

/* ---- without ---- */

static const struct slot flat_slots[] = {
    {.symbol = "a", .role = SLOT_CONSTANT}, {.symbol = "b", .role = SLOT_CONSTANT}, {.symbol = NULL}};

static const struct op_case flat_cases[] = {
    {.count = 2, .in = {{2, {3, 4}}, {2, {3, 4}}}, .constants_real = true},
    {.count = 2, .in = {{2, {3, 4}}, {1, {4}}}, .constants_below = 3},
    {.count = 2, .in = {{0}, {2, {2, 3}}}, .constants_below = 2},
    {.count = 2, .in = {{4, {2, 1, 3, 1}}, {3, {2, 3, 2}}}, .constants_real = true},
    {.count = 2, .in = {{2, {3, 1}}, {1, {4}}}, .constants_below = 3},
    {.count = 0}};
static const struct op_case quotient_cases[] = {
    {.count = 2, .in = {{2, {3, 4}}, {2, {3, 4}}}, .low = -9, .high = 9, .constants_real = true},
    {.count = 2, .in = {{2, {3, 4}}, {1, {4}}}, .low = 0.5, .high = 7, .constants_real = true},
    {.count = 2, .in = {{2, {3, 1}}, {1, {4}}}, .low = -7, .high = -0.5, .constants_real = true},
    {.count = 0}};

#define FLAT(object, text, tried, form)                                                                                \
    const struct op op_##object = {                                                                                    \
        .name = #object,                                                                                               \
        .summary = text,                                                                                               \
        .kind = OP_ELEMENTARY,                                                                                         \
        .slots = flat_slots,                                                                                           \
        .plan = plan,                                                                                                  \
        .forward = forward,                                                                                            \
        .backward = elementwise_nothing_back,                                                                          \
        .written = form,                                                                                               \
        .binary = BINARY_##object,                                                                                     \
        .cases = tried,                                                                                                \
    }

FLAT(less, "1 where a < b, else 0", flat_cases, "{a} < {b}");
FLAT(less_equal, "1 where a <= b, else 0", flat_cases, "{a} <= {b}");
FLAT(greater, "1 where a > b, else 0", flat_cases, "{a} > {b}");
FLAT(greater_equal, "1 where a >= b, else 0", flat_cases, "{a} >= {b}");
FLAT(equal, "1 where a == b, else 0", flat_cases, "{a} == {b}");
FLAT(not_equal, "1 where a != b, else 0", flat_cases, "{a} != {b}");
FLAT(logical_and, "1 where neither is 0, else 0", flat_cases, "np.logical_and({a}, {b})");
FLAT(logical_or, "1 where one is not 0, else 0", flat_cases, "np.logical_or({a}, {b})");
FLAT(floor_divide, "the largest whole number that is not above a / b", quotient_cases, "{a} // {b}");
FLAT(mod, "what a is above a multiple of b, with the sign of b", quotient_cases, "{a} % {b}");
