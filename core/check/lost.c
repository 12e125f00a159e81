#include "core/check/lost.h"

#include <float.h>
#include <math.h>

#include "core/base/numbers.h"

/* Another order of the same sums may be so many times as far off as ours. */
#define FAR 16

/* So near to what another way gives, of its distance to the reference, is what was computed that way. */
#define NEAR 0.1

/* Probabilities so near 0 or 1 lose something in float32 where a loss takes their logarithms. */
#define SATURATED 1e-5

/* How far apart three tensors are, at most: the reference, another way to compute it, and what was handed in. */
struct distances {
    double other, student, between; /* from the reference, both; between those two */
};

static int measure(struct looks *l, const struct pass *other, const struct look *look, struct distances *off)
{
    const double *r = looks_reference(l, look);
    double *numbers = arena_doubles(l->arena, look->value->size);
    *off = (struct distances){0, 0, 0};
    if (numbers == NULL) return looks_out_of_memory(l);
    int code = look->gradient ? pass_read_gradient(other, look->value, numbers, l->error)
                              : pass_read(other, look->value, numbers, l->error);
    for (size_t e = 0; code == CODE_OK && e < look->value->size; e++) {
        off->student = fmax(off->student, fabs(look->student[e] - r[e]));
        off->between = isfinite(numbers[e]) ? fmax(off->between, fabs(look->student[e] - numbers[e])) : HUGE_VAL;
        if (isfinite(numbers[e])) off->other = fmax(off->other, fabs(numbers[e] - r[e]));
    }
    return code;
}

static bool is_open(const struct look *look)
{
    const struct entry *entry = look->entry;
    return entry->verdict == VERDICT_MISMATCH && entry->lost == LOST_NOT && entry->lost_perhaps == LOST_NOT;
}

/* Runs the problem that way, in memory of its own. *overflows: it cannot be. */
static int run(struct looks *l, enum dtype dtype, bool apart, struct arena *own, struct pass *pass, bool *overflows)
{
    arena_init(own, l->arena->limit - l->arena->held);
    own->fail_in = l->arena->fail_in;
    int code = problem_pass(own, &l->check->problem, backend_cpu(dtype), pass, l->error);
    if (code == CODE_OK && apart) pass_take_apart(pass);
    if (code == CODE_OK) code = pass_forward(pass, l->error);
    if (code == CODE_OK) code = pass_backward(pass, l->error);
    *overflows = code == CODE_NOT_FINITE || code == CODE_OUT_OF_RANGE; /* a probability of more than 1 */
    if (!*overflows) return code;
    *l->error = (struct error){0};
    return CODE_OK;
}

static bool is_near(const struct distances *off)
{
    return off->between <= NEAR * off->other;
}

/* A student's float32 may lose it elsewhere than ours: whether a tensor may have lost what another way in float32 has.
 */
static bool may_be_like(const struct look *look, const struct distances *off)
{
    return look->float32 && off->student <= FAR * off->other;
}

/* ---- float32 ---- */

/* Whether so many roundings to float32 may be all that is wrong with a tensor; or no more than `least`. */
static bool may_be_float32(const struct looks *l, const struct look *look, double roundings, double least)
{
    const double *r = looks_reference(l, look), *magnitude = NULL;
    double *const *magnitudes = look->gradient ? l->magnitudes.gradients : l->magnitudes.values;
    if (magnitudes != NULL) magnitude = magnitudes[look->value->index];
    for (size_t i = 0; magnitude != NULL && i < look->value->size; i++)
        if (!(fabs(look->student[i] - r[i]) <= fmax(roundings * (double)FLT_EPSILON * magnitude[i], least)))
            return false;
    return magnitude != NULL;
}

/* What a float32 sum of ordinary size is off by, relatively. */
#define ERROR_IN_FLOAT32 4e-6

/* Whether the errors of a loss that jumps where they are 0 are all gone in float32: then its gradient is 0 there. */
static bool errors_vanish(const struct looks *l)
{
    const struct node *loss = l->check->problem.network->loss;
    const struct op_call *call = pass_call(l->pass, loss);
    const double *p = call->x[LOSS_PREDICTION], *t = call->x[LOSS_TARGET];
    if (op_kink(loss->op, loss->attributes) != KINK_ERROR) return false;
    for (size_t i = 0; i < loss->inputs[LOSS_PREDICTION]->size; i++)
        if (!(fabs(p[i] - t[i]) <= ERROR_IN_FLOAT32 * (fabs(p[i]) + fabs(t[i])))) return false;
    return true;
}

/* Whole numbers are what float32 has where something rounds away. */
static bool is_of_float32(const struct looks *l, const struct look *look)
{
    return is_open(look) && (look->float32 || l->whole);
}

/* Of what is float32's: whether float32 gives the tensor at all. Where it overflows, it does not. */
static int look_at_float32(struct looks *l)
{
    struct pass pass;
    bool any = false, overflows;
    for (size_t i = 0; i < l->count; i++)
        any = any || is_of_float32(l, &l->list[i]);
    if (!any) return CODE_OK;
    struct arena own;
    int code = run(l, DTYPE_FLOAT32, false, &own, &pass, &overflows);
    bool no_errors = l->zero && errors_vanish(l);
    for (size_t i = 0; code == CODE_OK && i < l->count; i++) {
        struct look *look = &l->list[i];
        struct distances off = {0, 0, 0};
        if (!is_of_float32(l, look)) continue;
        double least = FLOAT32_OF_LARGEST * looks_largest(l, look);
        if (!overflows) code = measure(l, &pass, look, &off);
        bool poor = off.other > least || no_errors;
        bool near = l->zero ? off.between == 0 || no_errors : is_near(&off);
        bool too_large = overflows && look->float32;
        /* Zeros alone are float32's where one rounding leaves nothing, as of 1 / (1 + exp(-20)) - 1; a tensor of zeros
         * beside float32's numbers where roundings may. */
        bool rounded = look->float32 ? may_be_float32(l, look, MAGNITUDE_ROUNDINGS, least)
                                     : l->zero && may_be_float32(l, look, 1, 0);
        bool zeros = numbers_largest(look->value->size, look->student) == 0;
        if ((poor && (near || rounded)) || (zeros && rounded))
            look->entry->lost = LOST_IN_FLOAT32;
        else if (too_large || rounded || (poor && may_be_like(look, &off)))
            look->entry->lost_perhaps = LOST_IN_FLOAT32;
    }
    pass_free(&pass);
    l->arena->fail_in = own.fail_in;
    arena_free(&own);
    return code;
}

/* ---- saturation ---- */

bool lost_may_be(const struct looks *l)
{
    const struct value *output = l->check->problem.network->output;
    const double *y = l->pass->values[output->index];
    if (!pass_is_joined(l->pass)) return false;
    for (size_t i = 0; i < output->size; i++)
        if (!(fabs(y[i]) > SATURATED && fabs(1 - y[i]) > SATURATED)) return true;
    return false;
}

/* Through an output that has rounded to 1 no gradient comes, if it is not taken from the loss past it at once. A
 * student's float32 may lose it elsewhere than ours; float64 hardly does. */
static int look_at_saturation(struct looks *l, enum dtype dtype)
{
    struct pass pass;
    bool overflows;
    enum lost lost = dtype == DTYPE_FLOAT32 ? LOST_IN_SATURATION_OF_FLOAT32 : LOST_IN_SATURATION;
    struct arena own;
    int code = run(l, dtype, true, &own, &pass, &overflows);
    for (size_t i = 0; code == CODE_OK && !overflows && i < l->count; i++) {
        struct look *look = &l->list[i];
        struct distances off;
        if (!is_open(look) || !look->gradient) continue; /* forward values are not lost so */
        code = measure(l, &pass, look, &off);
        bool lossy = off.other > FLOAT32_OF_LARGEST * looks_largest(l, look);
        if (lossy && (l->zero ? off.between == 0 : is_near(&off)))
            look->entry->lost = lost;
        else if (lossy && dtype == DTYPE_FLOAT32 && may_be_like(look, &off))
            look->entry->lost_perhaps = lost;
    }
    pass_free(&pass);
    l->arena->fail_in = own.fail_in;
    arena_free(&own);
    return code;
}

int lost_look(struct looks *l)
{
    if (l->check->tolerance.kind != TOLERANCE_AUTO) return CODE_OK;
    int code = look_at_float32(l);
    if (code != CODE_OK || !lost_may_be(l)) return code;
    /* The likelier first. What was printed of float32's numbers shows it no more. */
    bool first32 = l->float32 || (l->whole && !l->zero);
    code = look_at_saturation(l, first32 ? DTYPE_FLOAT32 : DTYPE_FLOAT64);
    return code == CODE_OK ? look_at_saturation(l, first32 ? DTYPE_FLOAT64 : DTYPE_FLOAT32) : code;
}
