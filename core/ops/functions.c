/* The functions of one number that programs apply element by element; their formulas stand in core/backend/formulas.h.
 * They have no numbers but power and clip:
 *
 *     power    the exponent. A negative x has powers of whole exponents only. The slope is 0 for an exponent of 0.
 *     clip     the least and the most, -infinity and infinity where there is none. The slope is 1 within and on both,
 *              and 0 beyond.
 *
 * No gradient goes through those that are flat but where they jump: sign, floor, ceil, round, trunc, logical_not. */
#include <math.h>

#include "core/ops/elementary_mistakes.h"
#include "core/ops/elementwise.h"
#include "core/ops/writing.h"

/* ---- with a slope ---- */

/* Where a function has its kinks, or where it is defined: op_case's low and high. */
#define WITHIN(least, greatest)                                                                                        \
    {.count = 1, .in = {{2, {3, 4}}}, .low = least, .high = greatest},                                                 \
        {.count = 1, .in = {{1, {5}}}, .low = least, .high = greatest},                                                \
        {.count = 1, .in = {{0}}, .low = least, .high = greatest},                                                     \
    {                                                                                                                  \
        .count = 1, .in = {{3, {3, 2, 3}}}, .low = least, .high = greatest                                             \
    }

static const struct op_case anywhere[] = {WITHIN(-2, 2), {.count = 0}};
static const struct op_case above_0[] = {WITHIN(0.5, 3), {.count = 0}};
static const struct op_case above_minus_1[] = {WITHIN(-0.5, 3), {.count = 0}};
static const struct op_case not_0[] = {WITHIN(0.5, 3), WITHIN(-3, -0.5), {.count = 0}};

/* What follows the formula: more of the op, its kink. */
#define FUNCTION(function, text, formula, tried, ...)                                                                  \
    const struct op op_##function = {.name = #function,                                                                \
                                     .summary = text,                                                                  \
                                     .kind = OP_ELEMENTARY,                                                            \
                                     .slots = unary_slots,                                                             \
                                     .plan = elementwise_plan,                                                         \
                                     .forward = elementwise_forward,                                                   \
                                     .backward = elementwise_backward,                                                 \
                                     .map = formula,                                                                   \
                                     .cases = tried,                                                                   \
                                     __VA_ARGS__}

FUNCTION(exp, "e**x", MAP_exp, anywhere, .written = "np.exp({x})", .sent = {"{dy} * {y}"},
         .mistakes = mistakes_of_exponentials);
FUNCTION(expm1, "e**x - 1, accurate near 0", MAP_expm1, anywhere, .written = "np.expm1({x})",
         .sent = {"{dy} * ({y} + 1)"});
FUNCTION(log, "the natural logarithm of x", MAP_log, above_0, .written = "np.log({x})", .sent = {"{dy} / {x}"},
         .mistakes = mistakes_of_exponentials);
FUNCTION(log1p, "log(1 + x), accurate near 0", MAP_log1p, above_minus_1, .written = "np.log1p({x})",
         .sent = {"{dy} / (1 + {x})"});
FUNCTION(sqrt, "the square root of x", MAP_sqrt, above_0, .written = "np.sqrt({x})", .sent = {"{dy} / (2 * {y})"},
         .mistakes = mistakes_of_powers);
FUNCTION(square, "x * x", MAP_square, anywhere, .written = "{x}**2", .sent = {"2 * {dy} * {x}"},
         .mistakes = mistakes_of_powers);
FUNCTION(abs, "|x|; the slope at 0 is 0", MAP_absolute, anywhere, .written = "np.abs({x})",
         .sent = {"{dy} * np.sign({x})"}, .kink = KINK_INPUT);
FUNCTION(sin, "sin(x)", MAP_sin, anywhere, .written = "np.sin({x})", .sent = {"{dy} * np.cos({x})"});
FUNCTION(cos, "cos(x)", MAP_cos, anywhere, .written = "np.cos({x})", .sent = {"-{dy} * np.sin({x})"});
FUNCTION(erf, "the error function of x", MAP_erf, anywhere, );
FUNCTION(arctan, "the arc tangent of x", MAP_arctan, anywhere, .written = "np.arctan({x})",
         .sent = {"{dy} / (1 + {x}**2)"});
FUNCTION(reciprocal, "1 / x", MAP_reciprocal, not_0, .written = "1 / {x}", .sent = {"-{dy} / {x}**2"},
         .mistakes = mistakes_of_powers);
FUNCTION(negative, "-x", MAP_negative, anywhere, .written = "-{x}", .sent = {"-{dy}"}, .term_unit = op_unit_of_sums);

/* ---- power ---- */

/* Most exponents are those of functions that take a tenth of a power's time, which NumPy takes for them, too. */
static enum map power_map(double exponent)
{
    if (exponent == 2) return MAP_square;
    if (exponent == 3) return MAP_cube;
    if (exponent == -1) return MAP_reciprocal;
    return exponent == 0.5 ? MAP_sqrt : MAP_power;
}

static int power_forward(const struct op_call *call)
{
    double a = call->attributes[0];
    return call->backend->map(power_map(a), a, op_elements(call->out), call->x[0], call->y);
}

static int power_backward(const struct op_call *call)
{
    double a = call->attributes[0];
    if (call->dx[0] == NULL) return CODE_OK;
    return call->backend->map_gradient(power_map(a), a, op_elements(call->out), call->x[0], call->y, call->dy,
                                       call->dx[0]);
}

#define EXPONENT(exponent, least, greatest)                                                                            \
    {                                                                                                                  \
        .count = 1, .in = {{2, {3, 4}}}, .numbers = (const double[]){exponent}, .number_count = 1, .low = least,       \
        .high = greatest                                                                                               \
    }
static const struct op_case power_cases[] = {EXPONENT(2, -2, 2),     EXPONENT(3, -2, 2),    EXPONENT(-1, 0.5, 2),
                                             EXPONENT(0.5, 0.5, 3),  EXPONENT(1.5, 0.5, 3), EXPONENT(-2, -3, -0.5),
                                             EXPONENT(0, -2, 2),     EXPONENT(1, -2, 2),    EXPONENT(5, -1, 1),
                                             EXPONENT(-0.3, 0.5, 3), {.count = 0}};

static bool power_write(struct op_writing *w)
{
    double a = w->attributes[0];
    char exponent[WRITING_NUMBER], less[WRITING_NUMBER];
    writing_number(a, exponent);
    writing_number(a - 1, less);
    if (w->input == WRITING_OUTPUT) return writing_put(w, "{x}**%s", exponent);
    if (a == 1) return writing_put(w, "{dy}");
    if (a == 2) return writing_put(w, "2 * {dy} * {x}");
    if (a == -1) return writing_put(w, "-{dy} / {x}**2");
    return a != 0 && writing_put(w, "%s * {dy} * {x}**%s", exponent, less);
}

const struct op op_power = {
    .name = "power",
    .summary = "x**a, a being a number",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = power_forward,
    .backward = power_backward,
    .mistakes = mistakes_of_powers,
    .write = power_write,
    .cases = power_cases,
};

/* ---- clip ---- */

enum { CLIP_LEAST, CLIP_MOST };

/* As NumPy has it: where the bounds are the wrong way round, everything is the second. */
static int clip_forward(const struct op_call *call)
{
    size_t n = op_elements(call->out);
    int code = call->backend->map(MAP_at_least, call->attributes[CLIP_LEAST], n, call->x[0], call->y);
    if (code != CODE_OK) return code;
    return call->backend->map(MAP_at_most, call->attributes[CLIP_MOST], n, call->y, call->y);
}

static int clip_backward(const struct op_call *call)
{
    size_t n = op_elements(call->out);
    const void *x = call->x[0];
    void *dx = call->dx[0];
    if (dx == NULL) return CODE_OK;
    int code = call->backend->map_gradient(MAP_at_least, call->attributes[CLIP_LEAST], n, x, call->y, call->dy, dx);
    if (code != CODE_OK) return code;
    return call->backend->map_gradient(MAP_at_most, call->attributes[CLIP_MOST], n, x, call->y, dx, dx);
}

#define BOUNDS(least, most)                                                                                            \
    {                                                                                                                  \
        .count = 1, .in = {{2, {3, 7}}}, .numbers = (const double[]){least, most}, .number_count = 2                   \
    }
static void clip_sides(const struct op_call *call, signed char *to)
{
    const double *x = call->x[0];
    for (size_t i = 0; i < op_elements(call->in[0]); i++)
        to[i] = (signed char)(FORMULA_SIDE(x[i], call->attributes[0]) + 3 * FORMULA_SIDE(x[i], call->attributes[1]));
}

static const struct op_case clip_cases[] = {BOUNDS(-1, 1), BOUNDS(-HUGE_VAL, 0.5), BOUNDS(0, HUGE_VAL), {.count = 0}};

static bool clip_write(struct op_writing *w)
{
    char least[WRITING_NUMBER], most[WRITING_NUMBER];
    double low = w->attributes[CLIP_LEAST], high = w->attributes[CLIP_MOST];
    writing_number(low, least);
    writing_number(high, most);
    bool bounded[2] = {low > -HUGE_VAL, high < HUGE_VAL};
    if (w->input == WRITING_OUTPUT)
        return writing_put(w, "np.clip({x}, %s, %s)", bounded[0] ? least : "None", bounded[1] ? most : "None");
    if (bounded[0] && bounded[1]) return writing_put(w, "{dy} * ({x} >= %s) * ({x} <= %s)", least, most);
    if (bounded[0]) return writing_put(w, "{dy} * ({x} >= %s)", least);
    return bounded[1] ? writing_put(w, "{dy} * ({x} <= %s)", most) : writing_put(w, "{dy}");
}

const struct op op_clip = {
    .name = "clip",
    .summary = "the number within two bounds that is next to x",
    .kind = OP_ELEMENTARY,
    .slots = unary_slots,
    .plan = elementwise_plan,
    .forward = clip_forward,
    .backward = clip_backward,
    .write = clip_write,
    .kink = KINK_BOUNDS,
    .sides = clip_sides,
    .cases = clip_cases,
};

/* ---- without ---- */

static const struct slot flat_slots[] = {{.symbol = "x", .role = SLOT_CONSTANT}, {.symbol = NULL}};

static const struct op_case flat_cases[] = {
    {.count = 1, .in = {{2, {3, 4}}}, .low = -3, .high = 3, .constants_real = true},
    {.count = 1, .in = {{3, {3, 2, 3}}}, .constants_below = 3},
    {.count = 1, .in = {{0}}, .constants_real = true},
    {.count = 0}};

#define FLAT_FUNCTION(function, text, formula, form)                                                                   \
    const struct op op_##function = {                                                                                  \
        .name = #function,                                                                                             \
        .summary = text,                                                                                               \
        .kind = OP_ELEMENTARY,                                                                                         \
        .slots = flat_slots,                                                                                           \
        .plan = elementwise_plan,                                                                                      \
        .forward = elementwise_forward,                                                                                \
        .backward = elementwise_nothing_back,                                                                          \
        .written = form,                                                                                               \
        .map = formula,                                                                                                \
        .cases = flat_cases,                                                                                           \
    }

FLAT_FUNCTION(sign, "-1, 0 or 1: the sign of x", MAP_sign, "np.sign({x})");
FLAT_FUNCTION(floor, "the largest whole number that is not above x", MAP_floor, "np.floor({x})");
FLAT_FUNCTION(ceil, "the smallest whole number that is not below x", MAP_ceil, "np.ceil({x})");
FLAT_FUNCTION(round, "the whole number next to x, of two the even one", MAP_rint, "np.rint({x})");
FLAT_FUNCTION(trunc, "x without its fraction", MAP_trunc, "np.trunc({x})");
FLAT_FUNCTION(logical_not, "1 where x is 0, else 0", MAP_logical_not, "np.logical_not({x})");
